// The pages as documents: well-formed, the same each time, bounded, and with nothing of a stranger's as markup.

import t from 'tap'
import { newestFirst } from '../../src/views/catalogue.js'
import { genericPage, genericVersionPage } from '../../src/views/generic-page.js'
import { allPackagesPage, emptyPage, ownerPage, sitePage } from '../../src/views/index-pages.js'
import { modulePage, moduleVersionPage } from '../../src/views/module-page.js'
import { PAGE_POLICY } from '../../src/views/page.js'
import { tagsOf, textOf } from '../support/html-tags.js'
import {
  catalogue,
  genericIndex,
  genericVersion,
  moduleIndex,
  moduleVersion,
} from '../support/sample-facts.js'

const site = { publicUrl: 'https://plinth.example.com' }
const NOTICES = { deprecated: 'Use example.com/other.', retracted: 'It loses data.' }

/** Facts in which every text that a stranger chose went through `change`. Addresses and hashes are ours. */
function changed<T>(facts: T, change: (text: string) => string): T {
  const OURS = ['format', 'kind', 'owner', 'time', 'updated', 'html', 'sha256', 'h1', 'goModH1']
  if (typeof facts === 'string') return change(facts) as T
  if (Array.isArray(facts)) return facts.map((item: unknown) => changed(item, change)) as T
  if (typeof facts !== 'object' || facts === null) return facts
  return Object.fromEntries(
    Object.entries(facts).map(([key, value]) => [key, OURS.includes(key) ? value : changed(value, change)]),
  ) as T
}

/** Each page, of facts whose texts went through `change`. */
const pagesOf = (change: (text: string) => string): Record<string, string> => {
  const entries = changed(catalogue(30), change)
  return {
    site: sitePage({
      owners: [{ owner: 'team', packages: 3, updated: '2026-01-02T03:04:05Z' }, { owner: 'api' }],
      site,
    }),
    'no owners': sitePage({ owners: [], site: {} }),
    owner: ownerPage({ owner: 'team', entries, total: 30, site }),
    'owner without packages': ownerPage({ owner: 'team', entries: [], total: 0, site }),
    'nothing yet': emptyPage(site),
    'all packages': allPackagesPage({ owner: 'team', entries, total: 30, site }),
    module: modulePage(changed(moduleIndex, change), changed(moduleVersion, change), site),
    'module, latest unknown': modulePage(changed(moduleIndex, change), undefined, {}),
    'module version': moduleVersionPage(changed(moduleVersion, change), changed(NOTICES, change), {}),
    'generic package': genericPage(changed(genericIndex, change), site),
    'generic version': genericVersionPage(changed(genericVersion, change), {}),
  }
}

const PAGES = pagesOf((text) => text)

t.test('a page is a whole document that can be read without style and script', async (t) => {
  for (const [name, page] of Object.entries(PAGES)) {
    const tags = tagsOf(page)
    const named = (wanted: string) => tags.filter((tag) => tag.name === wanted)
    t.match(page, /^<!doctype html>\n<html lang="en">\n/, name)
    for (const once of ['title', 'main', 'h1', 'header'])
      t.equal(named(once).length, 1, `${name}: one ${once}`)
    const title = /<title>(.*)<\/title>/.exec(page)?.[1] ?? ''
    t.match(title, /^[^–]+ – plinth$/, name)
    const leadsHome = tags.some(({ attributes: { href } }) => href === '/')
    t.equal(leadsHome, !['site', 'no owners'].includes(name), `${name} leads home`)

    const ids = tags.flatMap(({ attributes: { id } }) => (id === undefined ? [] : [id]))
    t.equal(new Set(ids).size, ids.length, `${name}: no id twice`)
    for (const { attributes } of tags) {
      for (const by of [
        attributes['aria-labelledby'],
        attributes['for'],
        attributes['href']?.match(/^#(.*)/)?.[1],
      ])
        t.ok(by === undefined || ids.includes(by), `${name}: #${by} is there`)
      t.notOk('style' in attributes || Object.keys(attributes).some((key) => key.startsWith('on')), name)
    }
    t.same(named('style'), [], `${name}: no style of its own`)
    t.same(
      named('script').map(({ attributes }) => attributes),
      [{ src: '/-/search.js', defer: '' }],
      name,
    )
    t.match(page, /<script [^>]*><\/script>/, name)
    for (const { attributes } of named('input'))
      t.ok(
        named('label').some((label) => label.attributes['for'] === attributes['id']),
        `${name}: a label`,
      )
    for (const { attributes } of named('nav')) t.ok(attributes['aria-label'], `${name}: each nav has a name`)
  }
})

t.test('the policy of pages lets them ask nobody but this server', async (t) => {
  const directives = PAGE_POLICY.split('; ').map((directive) => directive.split(' '))
  for (const [name = '', ...sources] of directives) t.match(sources.join(), /^'(?:none|self)'$/, name)
  t.same(directives[0], ['default-src', "'none'"])
})

t.test('headings go down by one, tables have captions, and rows and columns have names', async (t) => {
  for (const [name, page] of Object.entries(PAGES)) {
    const tags = tagsOf(page)
    let level = 0
    for (const { name: tag } of tags.filter((each) => /^h[1-6]$/.test(each.name))) {
      t.ok(Number(tag[1]) <= level + 1, `${name}: ${tag} after h${level}`)
      level = Number(tag[1])
    }
    const withoutReadme = page.replace(/<div class="readme">[^]*?<\/section>/, '')
    for (const [, table = ''] of withoutReadme.matchAll(/<table>([^]*?)<\/table>/g)) {
      t.match(table.trim(), /^<caption>[^<]+<\/caption>/, name)
      t.notMatch(table, /<th>|<tr><td>/, name)
    }
  }
})

t.test('all links are absolute paths of this host, but those in a README', async (t) => {
  for (const [name, page] of Object.entries(PAGES)) {
    const withoutReadme = page.replace(/<div class="readme">[^]*?<\/section>/, '')
    for (const [, href] of withoutReadme.matchAll(/ (?:href|src|data-[a-z]+)="([^"]*)"/g))
      t.match(href, /^(?:\/(?!\/)[^\s"<>]*|#[a-z-]+)$/, name)
  }
})

t.test('a page says what its facts say', async (t) => {
  const said = (name: string): string => textOf((PAGES[name] ?? '').replaceAll('\n', ' '))
  const rows: [page: string, text: string | RegExp][] = [
    ['site', 'team'],
    ['site', '3 packages · updated 2026-01-02'],
    ['no owners', 'There is no public owner.'],
    ['owner', '30 packages'],
    ['owner', /Updated last.*plinth\.example\.com\/team\/Retry\/v2.*again/],
    ['owner', 'deprecated'],
    ['owner without packages', 'Nothing is published here yet.'],
    ['module', 'latest v2.3.1 · published 2026-03-04 · 5 versions · go 1.22 · MIT'],
    ['module', 'GOPRIVATE=plinth.example.com go get plinth.example.com/team/Retry/v2@v2.3.1'],
    ['module', 'v2.3.2 retracted It waits for ever when Attempts is 0.'],
    ['module', 'v2.3.2: It waits for ever when Attempts is 0.'],
    ['module', 'Calls a function again until it succeeds'],
    ['module', 'cmd/again command'],
    ['module', `plinth.example.com/team/Retry/v2 v2.3.1/go.mod h1:`],
    ['module', '1 indirect requirement'],
    ['module, latest unknown', 'Package retry calls a function again'],
    ['module, latest unknown', 'h1:'],
    ['module version', 'This module is deprecated. Use example.com/other.'],
    ['module version', 'v2.3.1 is retracted: its author has taken it back. It loses data.'],
    ['module version', 'LICENSE: MIT'],
    ['module version', 'NOTICE: not recognised'],
    ['generic package', 'latest 1.4.0+build 7 · updated 2026-02-03 · 3 versions'],
    ['generic version', '4 files · 48 MB'],
    ['generic version', genericVersion.files[0]?.sha256 ?? ''],
  ]
  for (const [name, text] of rows) t.match(said(name), text, name)
})

t.test('a retraction without a reason and a deprecated module are said, too', async (t) => {
  const [first] = moduleIndex.versions
  const all = {
    ...moduleIndex,
    latest: 'v2.3.2',
    deprecated: 'gone',
    versions: [{ ...first!, retracted: '' }],
  }
  const page = modulePage(all, undefined, {})
  t.match(page, '<p class="notice"><strong>v2.3.2 is retracted: its author has taken it back.</strong> </p>')
  t.match(page, '<p class="notice"><strong>This module is deprecated.</strong> gone</p>')
  t.notMatch(page, 'class="why"')
})

t.test('the same facts give the same page, in whichever order they come', async (t) => {
  t.same(
    pagesOf((text) => text),
    PAGES,
  )
  const entries = catalogue(30)
  const facts = { owner: 'team', total: 30, site }
  t.equal(
    allPackagesPage({ ...facts, entries: entries.toReversed() }),
    allPackagesPage({ ...facts, entries }),
  )
})

t.test('what strangers chose is text in every place', async (t) => {
  const ATTACKS = [
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' onfocus='alert(1)' autofocus='",
    '</title></pre></code></h1><script>alert(1)</script>',
    '<!-- ',
    '&lt;script&gt;&#60;',
    'javascript:alert(1)',
    '\u202egpj.exe\u2066\0\u001b[2J',
  ]
  const shape = (page: string): string[] =>
    tagsOf(page).map(({ name, attributes }) => `${name} ${Object.keys(attributes).join(' ')}`)
  const plain = pagesOf(() => 'v1')
  for (const attack of ATTACKS)
    for (const [name, page] of Object.entries(pagesOf(() => `${attack}/x`))) {
      const withoutBreaks = shape(page).filter((tag) => tag !== 'wbr ')
      t.same(
        withoutBreaks.length,
        shape(plain[name] ?? '').filter((tag) => tag !== 'wbr ').length,
        `${name}: ${JSON.stringify(attack)}`,
      )
      t.notMatch(page, /[\u0000-\u0008\u000b-\u001f\u202a-\u202e\u2066-\u2069]|href="javascript/, name)
    }
})

t.test('a page is bounded, however many versions there are', async (t) => {
  const older = Array.from({ length: 20_000 }, (_, at) => `v1.0.${20_000 - at}`)
  const versions = Array.from({ length: 300 }, (_, at) => ({
    ...moduleIndex.versions[1]!,
    version: `v2.0.${300 - at}`,
  }))
  const page = modulePage({ ...moduleIndex, versions, older, count: 20_300 }, undefined, site)
  t.equal(page.match(/<tr>/g)?.length, 1 + 50 + 3 + 2, 'rows of versions and of requirements')
  t.match(page, '<summary>20,250 other versions</summary>')
  t.match(page, '>The list</a> has 20,150 more.')
  t.ok(page.length < 200_000, `${page.length} characters`)
  const many = Array.from({ length: 300 }, (_, at) => ({ ...genericIndex.versions[0]!, version: `${at}` }))
  t.match(
    genericPage({ ...genericIndex, versions: many, older, count: 20_300 }, site),
    '>The JSON</a> has 20,150 more.',
  )
})

t.test("an owner's page has the 500 packages that were updated last", async (t) => {
  const entries = newestFirst(catalogue(10_000))
  const page = ownerPage({ owner: 'team', entries, total: 10_000, site: {} })
  t.equal(page.match(/<li><a class="name"/g)?.length, 500)
  t.match(page, 'The 500 updated last')
  const times = [...page.matchAll(/datetime="([^"]*)"/g)].map(([, time]) => time)
  t.same(times, times.toSorted().toReversed())
  t.same(times.slice(0, 3), ['2026-03-05T01:02:03Z', '2026-02-03T04:05:06Z', '2025-09-11T10:00:00Z'])
  const all = (packages: number): string =>
    allPackagesPage({ owner: 'team', entries: catalogue(packages), total: packages, site: {} })
  t.equal(all(10_000).match(/<li><a href="\/team\/g/g)?.length, 10_000)
  t.notMatch(all(10_000), ' more.')
  t.equal(all(12_000).match(/<li><a href="\/team\/g/g)?.length, 10_000)
  t.match(all(12_000), '>The JSON</a> has 2,000 more.')
})

t.test('entries of the same time stay in their order', (t) => {
  const entries = catalogue(10).map((entry, at) => ({
    ...entry,
    updated: at < 5 ? '2026-01-01' : '2026-02-02',
  }))
  t.same(newestFirst(entries), [...entries.slice(5), ...entries.slice(0, 5)])
  t.end()
})

t.test('the page of a version with very many files has the first thousand', (t) => {
  const files = Array.from({ length: 20_000 }, (_, at) => ({ ...genericVersion.files[0]!, file: `f${at}` }))
  const page = genericVersionPage({ ...genericVersion, files }, site)
  t.equal(page.match(/<tr>/g)?.length, 1 + 1000)
  t.match(page, '>SHA256SUMS</a> has 19,000 more.')
  t.match(page, '20,000 files')
  t.end()
})
