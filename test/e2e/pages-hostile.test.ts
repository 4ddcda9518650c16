// Packages that mean harm, in the pages of a whole Plinth in a real browser: nothing of theirs runs or loads.

import t, { type Test } from 'tap'
import { startBeacon } from '../support/beacon.js'
import { nothingWrong, startBrowsedPlinth } from '../support/browsed-plinth.js'
import { needsBrowser, type Watched } from '../support/browser.js'
import { crawl } from '../support/crawl.js'
import { harmIn } from '../support/page-harm.js'
import { README_ATTACKS } from '../support/readme-attacks.js'

const MODULE = 'example.com/evil'
const SCRIPT = '<script>alert(1)</script>'
const IMAGE = '"><img src=x onerror=alert(1)>'
const ATTACKS = README_ATTACKS.map(([, text]) => text).filter((text) => !text.includes('\0'))

/** READMEs that are too much: of one line, of one bracket, of one level more. */
const TOO_MUCH: Readonly<Record<string, string>> = {
  'v0.1.0': '<img src=x onerror=alert(1)>'.repeat(2 ** 20 / 28),
  'v0.2.0': '['.repeat(2 ** 20),
  'v0.3.0': 'x'.repeat(2 ** 20),
  'v0.4.0': `${'- '.repeat(50_000)}${SCRIPT}`,
  'v0.5.0': `${'> '.repeat(50_000)}${SCRIPT}`,
  'v0.6.0': Array.from({ length: 2000 }, (_, depth) => `${'  '.repeat(depth % 200)}- ${SCRIPT}`).join('\n'),
  'v0.7.0': Array.from({ length: 20_000 }, (_, at) => `[a${at}]: javascript:alert(${at})\n`).join(''),
  'v0.8.0': `[x]: https://a.example/${'y'.repeat(1900)}\n\n${'[x] '.repeat(5000)}`,
  'v0.9.0': '*_'.repeat(100_000),
  'v0.10.0': '|'.repeat(50_000) + '\n' + '|-'.repeat(50_000),
  'v0.11.0': `NUL \0 ${SCRIPT}`,
  'v0.12.0': `\ufeff# \u202e${SCRIPT}\u202c\n\n\u2066a\u2069 \u200b \u0085 \u001b[2J \u2028b`,
}

/** What a go.mod and a source file may say. */
const GO_MOD = `// Deprecated: ${IMAGE} \u202e [go](javascript:alert(1)) ${'x'.repeat(2000)}
module ${MODULE}

go 1.21

toolchain go1.21-${SCRIPT}

require "${SCRIPT}" v1.2.3

retract v0.1.0 // </p>${SCRIPT}\u202e
retract [v0.2.0, v0.3.0] // ${IMAGE}
`
const SOURCE = `// Package evil ${SCRIPT} \u202e & ${IMAGE} [go](javascript:alert(1)) {{7*7}}.\npackage evil\n`

/** Every ASCII character that a version may have, and others that mean something somewhere. */
const VERSIONS = [
  '!"#$%&\'()*+,-.:;<=>?@[\\]^_`{|}~ x',
  SCRIPT.replace('/', '\\'),
  IMAGE,
  "' onclick='alert(1)",
  'javascript:alert(1)',
  '&lt;script&gt;',
  '&#60;b&#62;',
  '%3Cscript%3E',
  '..\\..',
  '\u202egpj.exe\u202c',
  'a\u2028b',
  'a\u200b',
  '{{7*7}}',
  '${7*7}',
  '`id`',
  '$(id)',
  '1.0.0-<b>',
  'a\u0300',
  'a\ufeffb',
  '<b>'.repeat(80),
]
/** All of Gitea's characters, and names that a browser could take for more than a name. */
const FILES = [
  '._+=:;()[]{}~!@#$%^& -x',
  'javascript:alert(1)',
  'data:text;base64=x',
  '&#60;script&#62;alert(1)&#60;',
  '&lt;b&gt;.html',
  'index.html',
  'x.svg',
  'x.xhtml',
  'x.js',
  'x.css',
  'x.pdf',
  '$(id)',
  '-rf',
  '~root',
  '#top',
  '@',
  '%3Cscript%3E',
]

const contentOf = (version: string, file: string): string =>
  `<html><body>${SCRIPT}${version} ${file}</body></html>`

t.test('packages that mean harm', needsBrowser(), async (t) => {
  const beacon = await startBeacon()
  t.teardown(beacon.close)
  const plinth = await startBrowsedPlinth(t)
  const goMod = `module ${MODULE}\n`
  for (const [version, readme] of Object.entries(TOO_MUCH))
    await plinth.module('admin', MODULE, version, { 'go.mod': goMod, 'README.md': readme })
  const readme = [...ATTACKS, ...beacon.attacks].join('\n\n')
  await plinth.module('admin', MODULE, 'v1.0.0', { 'go.mod': goMod, 'README.md': readme })
  await plinth.module('admin', MODULE, 'v1.1.0', { 'go.mod': goMod, README: readme })
  await plinth.module('admin', MODULE, 'v1.2.0', {
    'go.mod': GO_MOD,
    'evil.go': SOURCE,
    'README.a&b [x](y) {z}=!$%@^~': readme,
    'LiCeNcE.Md': SCRIPT,
    MIT_LICENSE: IMAGE,
    'cmd/a~b+c/main.go': `// ${IMAGE}\npackage main\n`,
  })
  const published = [
    ...VERSIONS.map((version) => [version, 'f'] as const),
    ...FILES.map((file) => ['1.0.0', file] as const),
  ]
  for (const [version, file] of published)
    await plinth.file('admin', 'evil', version, file, contentOf(version, file))
  await plinth.followed()

  /** Nothing ran, and nobody was asked. `went` are the addresses that the test went to. */
  function wasQuiet(t: Test, watched: Watched, went: readonly string[], expected?: RegExp): void {
    const events = went.map((address) => `went to ${address}`)
    t.same(watched.events.splice(0), events, 'no dialog, window or other page')
    nothingWrong(t, watched, 'quiet', expected)
    t.equal(beacon.asked(), 0, 'no beacon was asked')
  }

  await t.test('every page is nothing but text and links', async (t) => {
    const watched = await plinth.open()
    const [pages, harm]: [string[], string[]] = [[], []]
    const reached = await crawl(watched.page, `${plinth.url}/`, async (address) => {
      pages.push(address)
      harm.push(...(await harmIn(watched.page)).map((what) => `${address}: ${what}`))
    })
    t.same(harm, [])
    wasQuiet(t, watched, pages)
    const refused = [...reached].filter(([, { status }]) => status !== 200)
    t.same(refused, [], 'every link leads somewhere')
    const links = [...reached.values()].flatMap(({ page }) => page?.links ?? [])
    const outside = links.filter(({ href }) => !href.startsWith(`${plinth.url}/`))
    t.ok(outside.length > 0)
    t.same(
      outside.filter(({ rel, ofReadme }) => !ofReadme || rel !== 'nofollow noopener noreferrer'),
      [],
    )
    const contents = new Set([...reached.values()].map(({ body }) => body))
    const missing = published.filter(([version, file]) => !contents.has(contentOf(version, file)))
    t.same(missing, [], 'every file can be reached')
    const headings = new Set([...reached.values()].map(({ page }) => page?.heading))
    t.same(
      Object.keys(TOO_MUCH).filter((version) => !headings.has(`${MODULE} ${version}`)),
      [],
    )
  })

  await t.test('what an author wrote is shown as it is written', async (t) => {
    const watched = await plinth.open()
    const { page } = watched
    await page.goto(`${plinth.url}/admin/go/${MODULE}`)
    const said = async (selector: string): Promise<string> =>
      (await page.locator(selector).allInnerTexts()).join('\n')
    for (const [selector, text] of [
      ['.notice', `This module is deprecated. ${IMAGE} \\u202e [go](javascript:alert(1)) xxx`],
      ['#about h2', 'README.a&b [x](y) {z}=!$%@^~'],
      ['.readme', `<iframe src="${beacon.url}"></iframe>`],
      ['#packages', `Package evil ${SCRIPT} \\u202e & ${IMAGE} [go](javascript:alert(1)) {{7*7}}.`],
      ['#packages', IMAGE],
      ['#versions', `</p>${SCRIPT}\\u202e`],
      ['#retracted', `v0.2.0 to v0.3.0: ${IMAGE}`],
      ['#requirements', SCRIPT],
      ['#go-mod', `toolchain go1.21-${SCRIPT}`],
      ['#licences', 'LiCeNcE.Md: not recognised'],
    ] as const)
      t.match(await said(selector), text, selector)
    t.ok((await page.locator('.notice').innerText()).length < 1100, 'cut')

    await page.goto(`${plinth.url}/admin/generic/evil`)
    t.match(await said('#versions'), '\\u202egpj.exe\\u202c')
    t.match(await said('#versions'), VERSIONS[0])
  })

  await t.test('what a search finds is text', async (t) => {
    const watched = await plinth.open()
    const address = `${plinth.url}/admin/?q=${encodeURIComponent('<script>alert(1)</script>')}`
    await watched.page.goto(address)
    const found = watched.page.locator('#results li')
    await found.waitFor()
    t.match(await found.innerText(), `Package evil ${SCRIPT} \\u202e & ${IMAGE}`)
    t.same(await harmIn(watched.page), [])
    wasQuiet(t, watched, [address])
  })

  await t.test('a file that would run is saved, and JSON and feeds run nothing', async (t) => {
    const watched = await plinth.open()
    const { page } = watched
    const address = `${plinth.url}/admin/generic/evil/1.0.0`
    await page.goto(address)
    for (const file of ['index.html', 'x.svg', 'x.xhtml', 'x.js', 'x.pdf']) {
      const [saved] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('link', { name: file, exact: true }).click(),
      ])
      t.equal(saved.suggestedFilename(), file)
    }
    wasQuiet(t, watched, [address])
    const views = [
      'index.json',
      'feed.atom',
      'generic/evil/@/index.json',
      'generic/evil/1.0.0/SHA256SUMS',
      `go/${MODULE}/@/index.json`,
      `go/${MODULE}/@/v1.2.0.json`,
    ].map((view) => `${plinth.url}/api/packages/admin/-/${view}`)
    for (const view of views) await page.goto(view)
    wasQuiet(t, watched, views, /\/favicon\.ico$/) // Chromium looks for it beside what is no page
  })
})
