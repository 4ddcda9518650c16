// The pages of a whole Plinth in a real browser: from the first page to every file, by clicks and by keys, without a
// script, and without the service.

import { readFileSync } from 'node:fs'
import t from 'tap'
import type { Locator, Page } from 'playwright-core'
import { nothingWrong, startBrowsedPlinth } from '../support/browsed-plinth.js'
import { needsBrowser } from '../support/browser.js'
import { crawl } from '../support/crawl.js'
import { contentOf, publishOddPackages } from '../support/odd-packages.js'

const POLICY =
  "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** Clicks a link that begins a download, and gives back the file's name and bytes. */
async function download(page: Page, link: Locator): Promise<{ name: string; bytes: Buffer }> {
  const [begun] = await Promise.all([page.waitForEvent('download'), link.click()])
  return { name: begun.suggestedFilename(), bytes: readFileSync(await begun.path()) }
}

const exactly = (page: Page, name: string): Locator =>
  page.locator('main').getByRole('link', { name, exact: true })

t.test('the pages of a whole Plinth', needsBrowser(), async (t) => {
  const plinth = await startBrowsedPlinth(t)
  const { zips, contents } = await publishOddPackages(plinth)
  await plinth.module('admin', 'example.com/search', 'v1.0.0', {
    'go.mod': 'module example.com/search\n',
    'search.go': '// Package search finds a Needle among haystacks.\npackage search\n',
  })
  await plinth.followed()
  const watched = await plinth.open()
  const { page } = watched

  await t.test('from the first page to a file, by clicks', async (t) => {
    await page.goto(`${plinth.url}/`)
    await exactly(page, 'admin').click()
    await exactly(page, 'tool').click()
    await exactly(page, '1.0.0').first().click()
    t.equal(await page.locator('h1').innerText(), 'tool 1.0.0')
    const file = await download(page, exactly(page, 'na me.bin'))
    t.equal(file.name, 'na me.bin')
    t.equal(file.bytes.toString(), contentOf('tool', '1.0.0', 'na me.bin'))

    await page.getByRole('link', { name: 'admin', exact: true }).click()
    await exactly(page, 'example.com/Azure/SDK').click()
    await exactly(page, 'v1.1.0-RC1').first().click()
    t.equal(await page.locator('h1').innerText(), 'example.com/Azure/SDK v1.1.0-RC1')
    const zip = await download(page, exactly(page, 'v1.1.0-RC1.zip'))
    t.equal(zip.name, 'v1.1.0-!r!c1.zip', 'as in the protocol')
    t.ok(zip.bytes.equals(zips.get('example.com/Azure/SDK v1.1.0-RC1') ?? Buffer.of()))

    await page.getByRole('link', { name: 'plinth', exact: true }).click()
    t.equal(page.url(), `${plinth.url}/`)
    nothingWrong(t, watched, 'clicks')
  })

  // Without a script: what the script does is tested below.
  const unscripted = await plinth.open({ javaScriptEnabled: false })
  const reached = await crawl(unscripted.page, `${plinth.url}/`)

  await t.test('every link of every page leads somewhere, and no script is needed for that', async (t) => {
    const wrong: string[] = []
    for (const [address, { status, page: opened }] of reached) {
      if (status !== 200) wrong.push(`${status}: ${address}`)
      for (const { href, fragmentIsThere } of opened?.links ?? [])
        if (!href.startsWith(`${plinth.url}/`) || !fragmentIsThere) wrong.push(`${href} of ${address}`)
      const leadsHome = opened?.links.some(({ href }) => href === `${plinth.url}/`) ?? true
      if (!leadsHome && address !== `${plinth.url}/`) wrong.push(`${address} does not lead home`)
    }
    t.same(wrong, [])
    nothingWrong(t, unscripted, 'without a script')
  })

  await t.test('all that is published can be reached', async (t) => {
    const all = [...reached.values()]
    const headings = new Set(all.map((at) => at.page?.heading))
    t.ok(headings.has('Nothing is published here yet'), 'an owner without packages')
    const found = new Set(all.map(({ bytes }) => bytes.toString('latin1')))
    const isFound = (bytes: Buffer): boolean => found.has(bytes.toString('latin1'))
    t.same(
      [...zips].filter(([of, zip]) => !headings.has(of) || !isFound(zip)),
      [],
      'modules',
    )
    t.same(
      contents.filter((content) => !isFound(Buffer.from(content))),
      [],
      'files',
    )
    const feed = reached.get(`${plinth.url}/api/packages/admin/-/feed.atom`)?.body ?? ''
    const inFeed = [...feed.matchAll(/ href="([^"]*)"/g)].map(
      ([, href = '']) => new URL(href, plinth.url).href,
    )
    t.equal(inFeed.length, 100 + 2, 'the newest versions, the owner, and the feed itself')
    t.same(
      inFeed.filter((href) => !reached.has(href)),
      [],
      'what the feed names',
    )
  })

  await t.test('what is retracted or deprecated is said loudly', async (t) => {
    for (const [path, notice] of [
      ['example.com/takes-back@v1.1.0', 'v1.1.0 is retracted: its author has taken it back. It loses data.'],
      ['example.com/old', 'This module is deprecated. use example.com/lib.'],
      ['example.com/old@v1.0.0', 'This module is deprecated. use example.com/lib.'],
    ]) {
      await page.goto(`${plinth.url}/admin/go/${path}`)
      t.equal(await page.locator('.notice').innerText(), notice)
    }
    await page.goto(`${plinth.url}/admin/go/example.com/takes-back@v1.0.0`)
    t.equal(await page.locator('.notice').count(), 0)
  })

  await t.test('a policy is on all that a browser may run, and no file of a package is such', async (t) => {
    const wrong: string[] = []
    for (const [address, { headers }] of reached) {
      const { 'content-type': type = '', 'content-security-policy': policy } = headers
      const ofPackage = /\/api\/packages\/[^/]+\/(?:go|generic)\//.test(address)
      const isHarmless = /^(?:application\/(?:octet-stream|zip|json)|text\/plain; charset=utf-8)$/.test(type)
      if (ofPackage ? !isHarmless : policy !== POLICY) wrong.push(`${address}: ${type} ${policy}`)
      if (headers['x-content-type-options'] !== 'nosniff') wrong.push(`${address} is sniffed at`)
    }
    t.same(wrong, [])
  })

  await t.test('the keyboard finds a package by words of its name and of its synopsis', async (t) => {
    await page.goto(`${plinth.url}/admin/`)
    await page.keyboard.press('/')
    await page.keyboard.type('needle SEARCH')
    await page.waitForURL(`${plinth.url}/admin/?q=needle+SEARCH`)
    const results = page.locator('#results a')
    await results.first().waitFor()
    t.same(await results.allInnerTexts(), ['example.com/search'])
    await page.keyboard.press('Enter')
    await page.keyboard.press('Enter')
    await page.waitForURL(`${plinth.url}/admin/go/example.com/search`)
    await page.goBack()
    t.equal(page.url(), `${plinth.url}/admin/?q=needle+SEARCH`)
    await results.first().waitFor()
    t.same(await results.allInnerTexts(), ['example.com/search'], 'the search is kept')
    nothingWrong(t, watched, 'search')
  })

  await t.test('what a search finds has the addresses that pages have', async (t) => {
    const hrefs: string[] = []
    for (const letter of ['e', 'o', '.', '+', 'l']) {
      await page.goto(`${plinth.url}/admin/?q=${encodeURIComponent(letter)}`)
      await page.locator('#results a').first().waitFor()
      hrefs.push(
        ...(await page.evaluate<string[]>(`[...document.querySelectorAll('#results a')].map((a) => a.href)`)),
      )
    }
    const found = new Set(hrefs)
    t.same(
      [...found].filter((href) => !reached.get(href)?.page),
      [],
    )
    const listed = reached.get(`${plinth.url}/admin/all`)?.page?.links ?? []
    const packages = listed.filter(({ href }) => /\/admin\/(?:go|generic)\//.test(href))
    t.equal(found.size, packages.length, 'each package has one of these letters')
  })

  await t.test('an error answer runs nothing', async (t) => {
    for (const [path, status] of [
      ['/admin/<script>alert(1)</script>', 404],
      ['/admin/go/<script>alert(1)</script>', 404],
      ['/admin/go/<Script>alert(1)</Script>', 404],
      ['/admin/generic/tool/<svg onload=alert(1)>.html', 404],
      ['/admin/-/packages/<script>alert(1)</script>', 404],
      ['/-/<script>alert(1)</script>.js', 404],
      ['/api/packages/admin/-/<img src=x onerror=alert(1)>.html', 404],
      ['/api/packages/admin/generic/tool/1.0.0/x.svg', 404],
      [`/${'<script>alert(1)</script>'.repeat(1000)}`, 414],
    ] as const) {
      const answer = await page.goto(`${plinth.url}${path}`)
      const { 'content-type': type, 'x-content-type-options': sniffing } = answer?.headers() ?? {}
      t.match(
        { status: answer?.status(), type, sniffing },
        { status, type: /^text\/plain/, sniffing: 'nosniff' },
        path,
      )
      const element = '[...document.querySelectorAll("body *")].map((each) => each.localName).join()'
      t.equal(await page.evaluate(element), 'pre', 'text and nothing else')
      watched.problems.length = 0 // the status is one
    }
    await page.goto(`${plinth.url}/admin/x?go-get=1&<script>alert(1)</script>`)
    nothingWrong(t, watched, 'errors')
    t.notMatch(watched.events.join(), /dialog|opened/)
  })

  await t.test('with the service killed all of it reads on', async (t) => {
    await plinth.stopShim('SIGKILL')
    const wrong: string[] = []
    for (const [address, { bytes, headers }] of reached) {
      const now = await plinth.get(address.slice(plinth.url.length))
      const isSame = now.status === 200 && now.bytes.equals(bytes)
      if (!isSame || now.headers['content-security-policy'] !== headers['content-security-policy'])
        wrong.push(address)
    }
    t.same(wrong, [])
    await page.goto(`${plinth.url}/`)
    await exactly(page, 'admin').click()
    await page.locator('#search').fill('tool')
    await page.locator('#results a').first().click()
    await exactly(page, '2026年').first().click()
    t.equal((await download(page, exactly(page, 'f'))).bytes.toString(), contentOf('tool', '2026年', 'f'))
    nothingWrong(t, watched, 'without the service')
    const capital = await page.goto(`${plinth.url}/admin/go/example.com/Azure/SDK`)
    t.equal(capital?.status(), 503, 'the service leads from such an address to the page')
    t.match(await capital?.text(), 'write !a for A')
  })
})
