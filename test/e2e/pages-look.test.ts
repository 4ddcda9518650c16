// The pages in a real browser, with their Content-Security-Policy: what a person sees, and what a hostile text cannot do.

import t from 'tap'
import type { Page } from 'playwright-core'
import { genericPage, genericVersionPage } from '../../src/views/generic-page.js'
import { allPackagesPage, ownerPage, sitePage } from '../../src/views/index-pages.js'
import { renderReadme } from '../../src/views/markdown.js'
import { modulePage, moduleVersionPage } from '../../src/views/module-page.js'
import { needsBrowser, startBrowser, type Watched } from '../support/browser.js'
import { htmlPage, servePages, type Served } from '../support/page-server.js'
import { README_ATTACKS } from '../support/readme-attacks.js'
import {
  catalogue,
  genericIndex,
  genericVersion,
  moduleIndex,
  moduleVersion,
} from '../support/sample-facts.js'

const site = {}
const owner = 'team'
const LONG = 'x'.repeat(300)
const entries = catalogue(10_000)
const HOSTILE = '<img src=x onerror="alert(1)">\u202e'
entries.push({
  ...entries[0]!,
  name: `example.com/${HOSTILE}/needle`,
  latest: HOSTILE,
  synopsis: `<script>alert(1)</script> ${LONG}`,
})
const total = entries.length

const retracted = { deprecated: 'Use example.com/other.', retracted: `It loses data: ${LONG}` }
/** Names that have no place to break at. */
const wide = {
  module: { ...moduleVersion, module: `example.com/${LONG}`, version: `v1.0.0-${LONG}`, goMod: LONG },
  generic: { ...genericVersion, version: LONG, files: [{ ...genericVersion.files[0]!, file: LONG }] },
}

const INDEX = '/api/packages/team/-/index.json'
const PAGES: Readonly<Record<string, string>> = {
  '/': sitePage({ owners: [{ owner, packages: total }, { owner: 'a'.repeat(64) }], site }),
  '/team/': ownerPage({ owner, entries, total, site }),
  '/team/all': allPackagesPage({ owner, entries: entries.slice(0, 300), total: 300, site }),
  '/module': modulePage(moduleIndex, moduleVersion, { publicUrl: 'https://plinth.example.com' }),
  '/version': moduleVersionPage(moduleVersion, retracted, site),
  '/wide-module': moduleVersionPage(wide.module, {}, site),
  '/generic': genericPage(genericIndex, site),
  '/generic-version': genericVersionPage(genericVersion, site),
  '/wide-generic': genericVersionPage(wide.generic, site),
}

const withReadme = (file: string, text: string): Served =>
  htmlPage(
    moduleVersionPage(
      { ...moduleVersion, readme: { file, html: renderReadme(file, text, { images: false }) } },
      {},
      site,
    ),
  )

const attacks = README_ATTACKS.map(([, text]) => text)
const READMES: Readonly<Record<string, Served>> = {
  '/attacks': withReadme('README.md', attacks.join('\n\n')),
  '/attacks-plain': withReadme('README', attacks.join('\n\n')),
  // without what stays open until the end, each in a paragraph, a list, a quotation and a table
  ...Object.fromEntries(
    attacks.map((text, at) => [
      `/attack-${at}`,
      withReadme('README.md', `${text}\n\n- ${text}\n\n> ${text}\n\n|a|\n|-|\n|${text}|\n`),
    ]),
  ),
  '/long-line': withReadme('README.md', `# a\n${'<b>'.repeat(350_000)}`),
  '/long-word': withReadme(
    'README.md',
    `# ${LONG}\n\n${LONG}\n\n|${LONG}|b|\n|-|-|\n|a|${LONG}|\n\n    ${LONG}`,
  ),
}

// Not escaped and not rendered: what the watcher must find.
const CONTROL = htmlPage(
  moduleVersionPage(
    {
      ...moduleVersion,
      readme: {
        file: 'README.md',
        html: '<img src="https://evil.example/x.png"><p style="color: red">a</p>',
      },
    },
    {},
    site,
  ),
)

/** What an expression is in the page. The compiler of the tests knows no DOM. */
const ask = <T>(page: Page, expression: string): Promise<T> => page.evaluate(expression)

/** What is wrong with a page for somebody who cannot see it, or has a small screen. */
const FLAWS = `(() => {
  const flaws = []
  for (const details of document.querySelectorAll('details')) details.open = true
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth
  if (wide > 0) flaws.push('the page is ' + wide + 'px too wide')
  const nameOf = (element) => element.getAttribute('aria-label') || element.textContent.trim() || element.labels?.length
  for (const element of document.querySelectorAll('a, button, input, summary'))
    if (!nameOf(element)) flaws.push('no name: ' + element.outerHTML)
  for (const image of document.querySelectorAll('img:not([alt])')) flaws.push('no alt: ' + image.outerHTML)
  for (const [selector, times] of [['h1', 1], ['main', 1], ['html[lang]', 1], ['title', 1]])
    if (document.querySelectorAll(selector).length !== times) flaws.push('not ' + times + ' ' + selector)
  for (const text of document.querySelectorAll('h1, h2, p, li, td, th, code, button')) {
    const { fontSize } = getComputedStyle(text)
    if (parseFloat(fontSize) < 13) flaws.push('small: ' + fontSize + ' ' + text.textContent.slice(0, 40))
  }
  return flaws
})()`

t.test('pages in a browser', needsBrowser(), async (t) => {
  const index = { type: 'application/json', text: JSON.stringify({ format: 1, owner, packages: entries }) }
  const shown = Object.fromEntries(Object.entries(PAGES).map(([path, text]) => [path, htmlPage(text)]))
  const server = await servePages({ ...shown, ...READMES, '/control': CONTROL, [INDEX]: index })
  t.teardown(() => server.close())
  const browser = await startBrowser()
  t.teardown(() => browser.close())

  const nothingWrong = ({ problems, outside }: Watched, of: string): void => {
    t.same(problems, [], `${of}: no error`)
    t.same(outside, [], `${of}: no request to another host`)
  }

  await t.test('every page is whole on a phone in the dark and on a desk in the light', async (t) => {
    const views = [
      { width: 360, colorScheme: 'dark', background: 'rgb(21, 23, 26)', more: ['/long-word', '/long-line'] },
      { width: 1280, colorScheme: 'light', background: 'rgb(253, 253, 251)', more: ['/long-word'] },
    ] as const
    for (const { width, colorScheme, background, more } of views) {
      const watched = await browser.open(server.url, { viewport: { width, height: 800 }, colorScheme })
      for (const path of [...Object.keys(PAGES), ...more]) {
        await watched.page.goto(server.url + path)
        t.same(await ask(watched.page, FLAWS), [], `${path} at ${width}px`)
      }
      const is = await ask(watched.page, 'getComputedStyle(document.documentElement).backgroundColor')
      t.equal(is, background, colorScheme)
      nothingWrong(watched, `${width}px`)
    }
  })

  await t.test('a README full of attacks does nothing', async (t) => {
    const watched = await browser.open(server.url)
    for (const path of Object.keys(READMES)) {
      await watched.page.goto(server.url + path)
      const added = await ask(
        watched.page,
        `[...document.querySelectorAll('.readme *')].filter((element) =>
          /^(?:script|style|iframe|object|embed|base|meta|form|input|svg|link)$/i.test(element.localName) ||
          [...element.attributes].some(({ name }) => name.startsWith('on') || name === 'style')).length`,
      )
      t.equal(added, 0, `${path}: nothing but text and links`)
    }
    t.same(
      watched.events,
      Object.keys(READMES).map((path) => `went to ${server.url}${path}`),
      'no dialog, no window, no other page',
    )
    nothingWrong(watched, 'attacks')
    await watched.page.goto(`${server.url}/attacks-plain`)
    t.match(await watched.page.locator('.readme').textContent(), 'a\\u202eb', 'what reorders a text is shown')

    await watched.page.goto(`${server.url}/control`, { waitUntil: 'networkidle' })
    t.equal(
      watched.problems.filter((problem) => problem.includes('Content Security Policy')).length,
      2,
      'control',
    )
  })

  await t.test('a search shows what has all words, by the keyboard alone', async (t) => {
    const watched = await browser.open(server.url)
    const { page } = watched
    const asked = (): number => server.asked.filter((path) => path === INDEX).length
    const before = asked()
    await page.goto(`${server.url}/team/`)
    const found = page.locator('#found')
    const focused = (): Promise<string> => ask(page, 'document.activeElement.textContent')
    t.equal(asked(), before, 'the catalogue is read when somebody searches')

    await page.keyboard.press('/')
    await page.keyboard.type('VAULT geo')
    await page.waitForURL(`${server.url}/team/?q=VAULT+geo`)
    await found.filter({ hasText: '200 of 10,001 packages, the first 100 are shown.' }).waitFor()
    t.equal(await page.locator('#results li').count(), 100)
    t.notOk(await page.locator('#recent').isVisible())
    t.equal(asked(), before + 1, 'once')

    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowDown')
    const second = await page.locator('#results a').nth(1).textContent()
    t.equal(await focused(), second)
    await page.keyboard.press('ArrowUp')
    await page.keyboard.press('ArrowUp')
    await page.keyboard.press('Control+A')
    await page.keyboard.type('retry/v2')
    await found.filter({ hasText: '1 of 10,001 packages.' }).waitFor()
    await page.keyboard.press('Enter')
    t.equal(await focused(), 'plinth.example.com/team/Retry/v2')
    const href = await ask(page, 'document.activeElement.getAttribute("href")')
    t.equal(href, '/team/go/plinth.example.com/team/!retry/v2')
    t.match(PAGES['/team/'], `href="${href}"`, 'as the page itself has it')

    await page.keyboard.press('Escape')
    await page.keyboard.press('Control+A')
    await page.keyboard.type('no such words')
    await found.filter({ hasText: 'None of 10,001 packages has all these words.' }).waitFor()
    await page.keyboard.press('Control+A')
    await page.keyboard.press('Delete')
    await page.locator('#recent').waitFor()
    t.equal(await found.textContent(), '')
    await page.waitForURL(`${server.url}/team/`)
    nothingWrong(watched, 'search')
  })

  await t.test('what is found is text, and the search is kept in the address', async (t) => {
    const watched = await browser.open(server.url, { viewport: { width: 360, height: 800 } })
    const { page } = watched
    await page.goto(`${server.url}/team/?q=needle`)
    const item = page.locator('#results li')
    await item.waitFor()
    t.match(await item.textContent(), '<img src=x onerror="alert(1)">\\u202e/needle')
    t.match(await item.textContent(), '<script>alert(1)</script>')
    t.equal(await item.locator('img, script').count(), 0)
    t.same(await ask(page, FLAWS), [])
    t.equal(await page.locator('#search').inputValue(), 'needle')
    t.same(watched.events, [`went to ${server.url}/team/?q=needle`])
    nothingWrong(watched, 'found')
  })

  await t.test('a catalogue that cannot be loaded is asked for again', async (t) => {
    const { page } = await browser.open(server.url)
    let refused = 0
    await page.route(`**${INDEX}`, (route) =>
      refused++ === 0 ? route.fulfill({ status: 500 }) : route.continue(),
    )
    await page.goto(`${server.url}/team/`)
    await page.fill('#search', 'vault')
    await page.locator('#found', { hasText: 'could not be loaded' }).waitFor()
    t.ok(await page.locator('#recent').isVisible())
    await page.fill('#search', 'vault geo')
    await page.locator('#found', { hasText: '200 of' }).waitFor()
  })

  await t.test('commands have the address of the server, and are copied whole', async (t) => {
    const watched = await browser.open(server.url, { permissions: ['clipboard-read', 'clipboard-write'] })
    const { page } = watched
    await page.goto(`${server.url}/generic-version`)
    await page.locator('.command button').nth(1).click()
    await page.locator('.command button', { hasText: 'Copied' }).waitFor()
    const sums = `${server.url}/api/packages/team/-/generic/again/1.4.0+build%207/SHA256SUMS`
    t.equal(
      await ask(page, 'navigator.clipboard.readText()'),
      `curl -f "${sums}" | sha256sum -c --ignore-missing\n`,
    )
    t.notMatch(await page.locator('main').innerText(), '$PLINTH')
    nothingWrong(watched, 'copy')
  })

  await t.test('without a script everything can be read', async (t) => {
    const watched = await browser.open(server.url, { javaScriptEnabled: false })
    const { page } = watched
    await page.goto(`${server.url}/team/`)
    t.notOk(await page.locator('#search').isVisible(), 'no field that would do nothing')
    t.ok(await page.locator('a', { hasText: 'All by name' }).isVisible())
    await page.goto(`${server.url}/version`)
    t.match(
      await page.locator('main').innerText(),
      'export GOPROXY="$PLINTH/api/packages/team/go,$(go env GOPROXY)"',
    )
    t.match(await page.locator('main').innerText(), '$PLINTH is this server’s address')
    nothingWrong(watched, 'without a script')
  })

  await t.test('the first key leads to the content, and focus can be seen', async (t) => {
    const { page } = await browser.open(server.url)
    await page.goto(`${server.url}/module`)
    const box = 'document.activeElement.getBoundingClientRect().top'
    await page.keyboard.press('Tab')
    t.equal(await ask(page, 'document.activeElement.textContent'), 'Skip to the content')
    t.ok((await ask<number>(page, box)) >= 0, 'it is in sight')
    await page.keyboard.press('Tab')
    t.equal(await ask(page, 'getComputedStyle(document.activeElement).outlineStyle'), 'solid')
    await page.keyboard.press('Shift+Tab')
    await page.keyboard.press('Enter')
    t.equal(await ask(page, 'location.hash'), '#content')
  })
})
