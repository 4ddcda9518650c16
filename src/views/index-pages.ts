// The pages of many packages: the site's index, an owner's page, and all packages of an owner by name.

import type { CatalogueEntry } from './facts.js'
import { counted, dayOf, grouped, nameOf } from './format.js'
import { lines, markup, type Markup } from './html.js'
import { documentOf, metaLine, ofOwner, section } from './page.js'
import { ownerAddresses, type Site } from './page-addresses.js'

/** Packages on an owner's page. */
const MOST_RECENT = 500
/** Packages on the page of all by name. It is made again when one of them changes. */
const MOST_NAMES = 10_000

/** A public owner, with the number of its packages and its newest time of publication where they are known. */
type OwnerEntry = { owner: string; packages?: number; updated?: string }

const ownerItem = (site: Site, { owner, packages, updated }: OwnerEntry): Markup =>
  lines(
    markup`<li><a class="name" href="${ownerAddresses(site, owner).page}">${owner}</a>`,
    metaLine([
      packages !== undefined && counted(packages, 'package'),
      updated !== undefined && markup`updated ${dayOf(updated)}`,
    ]),
    markup`</li>`,
  )

/** `/`: the public owners, in the order of their names. */
export function sitePage({ owners, site }: { owners: readonly OwnerEntry[]; site: Site }): string {
  const sorted = [...owners].sort((a, b) => (a.owner < b.owner ? -1 : 1))
  const body = lines(
    markup`<h1>Packages</h1>`,
    markup`<p>${owners.length > 0 ? 'Go modules and plain files, by owner.' : 'There is no public owner.'}</p>`,
    markup`<ul class="list">`,
    sorted.map((entry) => ownerItem(site, entry)),
    markup`</ul>`,
    markup`<p class="note">Private owners are not listed: add an owner’s name to the address of this page.</p>`,
  )
  return documentOf({ site, title: 'Packages', crumbs: [], body })
}

type Addresses = ReturnType<typeof ownerAddresses>

const pageOf = (addresses: Addresses, { kind, name }: CatalogueEntry): string =>
  kind === 'go' ? addresses.module(name) : addresses.generic(name)

const KINDS = { go: 'Go module', generic: 'Files' } as const

function packageItem(addresses: Addresses, entry: CatalogueEntry): Markup {
  const { kind, name, synopsis, versions, latest, updated, deprecated } = entry
  return lines(
    markup`<li><a class="name" href="${pageOf(addresses, entry)}">${nameOf(name)}</a>`,
    deprecated && markup`<strong class="tag bad">deprecated</strong>`,
    synopsis !== undefined && markup`<p class="synopsis">${synopsis}</p>`,
    metaLine([KINDS[kind], nameOf(latest), counted(versions, 'version'), dayOf(updated)]),
    markup`</li>`,
  )
}

// Hidden until the script finds it: without the script it could do nothing.
const searchForm = (owner: string, { index, page }: Addresses): Markup =>
  lines(
    markup`<form class="search" role="search" hidden data-index="${index}" data-pages="${page}">`,
    markup`<label for="search">Search the packages of ${owner}</label>`,
    markup`<input id="search" name="q" type="search" autocomplete="off" autocapitalize="none" spellcheck="false">`,
    markup`<p id="found" class="note" role="status"></p>`,
    markup`</form>`,
    markup`<ul id="results" class="list" hidden></ul>`,
  )

/** An owner with entries of its catalogue. `total` is the number of its packages. */
type OwnerFacts = { owner: string; entries: readonly CatalogueEntry[]; total: number; site: Site }

/** `/{owner}/`: search, and the packages that were updated last. The entries are the newest ones, newest first. */
export function ownerPage({ owner, entries, total, site }: OwnerFacts): string {
  const addresses = ownerAddresses(site, owner)
  const { index, log, all, feed } = addresses
  const recent = entries.slice(0, MOST_RECENT)
  const list = lines(
    markup`<ul class="list">`,
    recent.map((entry) => packageItem(addresses, entry)),
    markup`</ul>`,
  )
  const heading = recent.length < total ? `The ${grouped(recent.length)} updated last` : 'Updated last'
  const packages = lines(
    markup`<p>${counted(total, 'package')}. <a href="${all}">All by name</a></p>`,
    searchForm(owner, addresses),
    section('recent', heading, list),
  )
  return documentOf({
    site,
    title: owner,
    crumbs: [{ text: owner }],
    body: lines(
      markup`<h1>${owner}</h1>`,
      total > 0 ? packages : markup`<p>Nothing is published here yet.</p>`,
    ),
    links: [
      { text: 'All packages as JSON', href: index },
      { text: 'Log of versions as NDJSON', href: log },
      { text: 'Atom feed', href: feed },
    ],
    feed,
  })
}

const byName = (a: CatalogueEntry, b: CatalogueEntry): number =>
  a.name === b.name ? (a.kind < b.kind ? -1 : 1) : a.name < b.name ? -1 : 1

const nameItem = (addresses: Addresses, entry: CatalogueEntry): Markup => {
  const link = markup`<a href="${pageOf(addresses, entry)}">${nameOf(entry.name)}</a>`
  return markup`<li>${link} <span class="meta">${nameOf(entry.latest)}</span></li>`
}

/** `/{owner}/all`: the packages by name, each short enough for there to be ten thousand. */
export function allPackagesPage({ owner, entries, total, site }: OwnerFacts): string {
  const { crumb, feed } = ofOwner(site, owner)
  const addresses = ownerAddresses(site, owner)
  const shown = entries.toSorted(byName).slice(0, MOST_NAMES)
  const left = total - shown.length
  const body = lines(
    markup`<h1>All packages of ${owner}</h1>`,
    markup`<p>${counted(total, 'package')}, by name.</p>`,
    markup`<ul class="names">`,
    shown.map((entry) => nameItem(addresses, entry)),
    markup`</ul>`,
    left > 0 && markup`<p><a href="${addresses.index}">The JSON</a> has ${grouped(left)} more.</p>`,
  )
  const links = [{ text: 'All packages as JSON', href: addresses.index }]
  return documentOf({
    site,
    title: `All packages of ${owner}`,
    crumbs: [crumb, { text: 'all' }],
    body,
    links,
    feed,
  })
}

/** The page of an owner that has no packages. It is the same for all owners. */
export const emptyPage = (site: Site): string =>
  documentOf({
    site,
    title: 'Nothing yet',
    crumbs: [{ text: 'nothing yet' }],
    body: markup`<h1>Nothing is published here yet</h1>
<p>The packages of this owner will be listed here.</p>`,
  })
