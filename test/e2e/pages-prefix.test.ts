// The pages behind a proxy that serves the Plinth below a path.

import t from 'tap'
import { nothingWrong, startBrowsedPlinth } from '../support/browsed-plinth.js'
import { needsBrowser } from '../support/browser.js'
import { crawl } from '../support/crawl.js'
import { startPrefixProxy } from '../support/prefix-proxy.js'

const PREFIX = '/some/prefix'

t.test('the pages below a path', needsBrowser(), async (t) => {
  const proxy = await startPrefixProxy(PREFIX)
  t.teardown(proxy.close)
  const plinth = await startBrowsedPlinth(t, { PLINTH_PUBLIC_URL: proxy.url })
  proxy.leadTo(plinth.port)
  for (const version of ['v1.0.0', 'v1.1.0-RC1'])
    await plinth.module('admin', 'example.com/Azure/sdk', version, {
      'go.mod': 'module example.com/Azure/sdk\n',
      'README.md': '# Usage\n\nSee [usage](#usage).\n',
    })
  await plinth.file('admin', 'tool', '2026年 1', 'na me.bin', 'the bytes')
  plinth.cli('owner', 'add', 'quiet', '--private')
  const token = plinth.cli('account', 'add', 'alice', '--read', 'quiet').trimEnd().split('\n').at(-1) ?? ''
  await plinth.file('quiet', 'veiled', '1', 'f', 'veiled bytes')
  await plinth.followed()
  const { origin } = new URL(proxy.url)
  const open = (options = {}) => plinth.open(options, origin)

  await t.test('all links, the style and the script are below it', async (t) => {
    const watched = await open()
    const reached = await crawl(watched.page, `${proxy.url}/`)
    for (const [address, { status }] of reached) {
      t.equal(status, 200, address)
      t.ok(address.startsWith(`${proxy.url}/`), address)
    }
    const shared = ['style.css', 'search.js', 'icon.svg'].map((file) => `${proxy.url}/-/${file}`)
    for (const address of shared) t.ok(reached.has(address), address)
    t.ok([...reached.values()].some(({ body }) => body === 'the bytes'))
    t.ok([...reached.values()].some(({ page }) => page?.heading === 'example.com/Azure/sdk v1.1.0-RC1'))
    nothingWrong(t, watched, 'crawl')
  })

  await t.test('the style counts, the script searches, and commands have the whole address', async (t) => {
    const watched = await open()
    const { page } = watched
    await page.goto(`${proxy.url}/`)
    t.equal(await page.evaluate('getComputedStyle(document.body).maxWidth'), '1024px')
    await page.locator('main a', { hasText: 'admin' }).click()
    await page.locator('#search').fill('azure')
    await page.locator('#results a').click()
    t.equal(page.url(), `${proxy.url}/admin/go/example.com/!azure/sdk`)
    t.match(await page.locator('.command').first().innerText(), `${proxy.url}/api/packages/admin/go,`)
    nothingWrong(t, watched, 'search')
  })

  await t.test('addresses as people and Gitea have them lead below it', async (t) => {
    const { page } = await open()
    for (const [path, to] of [
      ['/admin', '/admin/'],
      ['/admin/generic/tool/', '/admin/generic/tool'],
      ['/admin/go/example.com/Azure/sdk', '/admin/go/example.com/!azure/sdk'],
      ['/admin/-/packages/', '/admin/'],
      ['/admin/-/packages/generic/tool/2026年 1', `/admin/generic/tool/${encodeURIComponent('2026年 1')}`],
      ['/admin/-/packages/go/example.com%2F!azure%2Fsdk/v1.0.0', '/admin/go/example.com/!azure/sdk@v1.0.0'],
    ] as const) {
      const answer = await page.goto(`${proxy.url}${path}`)
      t.equal(page.url(), `${proxy.url}${to}`, path)
      t.equal(answer?.status(), 200, path)
    }
    await page.goto(`${proxy.url}/`)
    const said = await page.locator('main').innerText()
    t.notMatch(said, /\/owner\b/, 'no address that is not below it')
  })

  await t.test('a private owner is read and searched below it', async (t) => {
    const { page } = await open({ httpCredentials: { username: 'alice', password: token } })
    await page.goto(`${proxy.url}/quiet/`)
    await page.locator('#search').fill('veil')
    await page.locator('#results a').click()
    t.equal(page.url(), `${proxy.url}/quiet/generic/veiled`)
  })

  t.same(proxy.outside, [], 'nothing was asked for beside it')
})
