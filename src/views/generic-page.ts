// The page of a generic package and the page of a version of it.

import { fetchCommands, latestCommands } from './commands.js'
import type { FileFacts, GenericEntry, GenericIndex, GenericVersionFacts } from './facts.js'
import { counted, dayOf, grouped, nameOf, sizeOf } from './format.js'
import { lines, markup, type Markup } from './html.js'
import { documentOf, metaLine, ofOwner, section } from './page.js'
import { ownerAddresses, type Site } from './page-addresses.js'
import { table, tableRow, versionList } from './version-list.js'

function versionsOf({ owner, name, versions, older, latest }: GenericIndex, site: Site): Markup {
  const { genericVersion, genericIndex } = ownerAddresses(site, owner)
  const versionCell = ({ version }: GenericEntry): Markup =>
    lines(
      markup`<a href="${genericVersion(name, version)}">${nameOf(version)}</a>`,
      version === latest && markup`<span class="tag">latest</span>`,
    )
  return versionList({
    versions,
    older,
    captions: { all: 'All versions, the latest first', first: 'The latest versions' },
    columns: ['Version', 'Updated', 'Files', 'Size'],
    row: (entry) =>
      tableRow(versionCell(entry), [dayOf(entry.time), grouped(entry.files), sizeOf(entry.size)]),
    href: (version) => genericVersion(name, version),
    all: { text: 'The JSON', href: genericIndex(name) },
  })
}

/** `/{owner}/generic/{name}`: the versions, and how to fetch from the latest one. */
export function genericPage(index: GenericIndex, site: Site): string {
  const { owner, name, latest, updated, count } = index
  const { crumb, feed } = ofOwner(site, owner)
  const addresses = ownerAddresses(site, owner)
  const body = lines(
    markup`<h1>${nameOf(name)}</h1>`,
    metaLine([
      markup`latest <a href="${addresses.genericVersion(name, latest)}">${nameOf(latest)}</a>`,
      markup`updated ${dayOf(updated)}`,
      counted(count, 'version'),
    ]),
    section('versions', 'Versions', versionsOf(index, site)),
    section(
      'fetch',
      'Fetch from the latest version',
      markup`<p>The page of a version has a command for each file. This address follows the latest version:</p>`,
      latestCommands(site, owner, name),
    ),
  )
  const links = [{ text: 'This package as JSON', href: addresses.genericIndex(name) }]
  return documentOf({ site, title: name, crumbs: [crumb, { text: nameOf(name) }], body, links, feed })
}

/** Files in the table of a version. Each upload of another file makes the page again. */
const MOST_FILES = 1000

const fileCell = (href: string, { file, sha256 }: FileFacts): Markup =>
  lines(markup`<a href="${href}">${nameOf(file)}</a>`, markup`<code class="hash">${sha256}</code>`)

/** `/{owner}/generic/{name}/{version}`: the files, and how to fetch and check them. */
export function genericVersionPage(facts: GenericVersionFacts, site: Site): string {
  const { owner, name, version, files } = facts
  const { crumb, feed } = ofOwner(site, owner)
  const addresses = ownerAddresses(site, owner)
  const rows = files.slice(0, MOST_FILES).map((each) => {
    const href = addresses.genericFile(name, version, each.file)
    return tableRow(fileCell(href, each), [dayOf(each.time), sizeOf(each.size)])
  })
  const left = files.length - rows.length
  const sums = markup`<a href="${addresses.sums(name, version)}">SHA256SUMS</a>`
  const body = lines(
    markup`<h1>${nameOf(name)} <span class="version">${nameOf(version)}</span></h1>`,
    metaLine([counted(files.length, 'file'), sizeOf(facts.size), markup`updated ${dayOf(facts.time)}`]),
    markup`<p><a href="${addresses.generic(name)}">All versions</a></p>`,
    section(
      'files',
      'Files',
      table('Files and their SHA-256', ['File', 'Published', 'Size'], rows),
      left > 0 && markup`<p>${sums} has ${grouped(left)} more.</p>`,
    ),
    section('fetch', 'Fetch and check', fetchCommands(site, facts)),
  )
  const crumbs = [crumb, { text: nameOf(name), href: addresses.generic(name) }, { text: nameOf(version) }]
  const links = [
    { text: 'SHA256SUMS', href: addresses.sums(name, version) },
    { text: 'This version as JSON', href: addresses.genericFacts(name, version) },
  ]
  return documentOf({ site, title: `${name} ${version}`, crumbs, body, links, feed })
}
