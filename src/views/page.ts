// What all pages have: a whole document of HTML, readable without its style sheet and its script.

import { joined, lines, markup, type Content, type Markup } from './html.js'
import { ownerAddresses, siteAddresses, type Site } from './page-addresses.js'

/**
 * The Content-Security-Policy of pages: their own style sheet, script and icon, and what the script asks this server.
 * The setting that shows the images of READMEs adds `https:` to img-src.
 */
export const PAGE_POLICY =
  "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** A link. A crumb without an address is the page itself. */
type Crumb = { text: Content; href?: string }

/** A page. `links` are what programs read of the same facts. `feed` is the address of the owner's Atom feed. */
type Page = {
  site: Site
  title: string
  /** The way to the page from the site's index, which is not among them. */
  crumbs: readonly Crumb[]
  body: Markup
  links?: readonly Required<Crumb>[]
  feed?: string
}

/** The crumb of an owner, and the address of its feed. */
export const ofOwner = (site: Site, owner: string): { crumb: Crumb; feed: string } => {
  const { page, feed } = ownerAddresses(site, owner)
  return { crumb: { text: owner, href: page }, feed }
}

const listItem = ({ text, href }: Crumb): Markup =>
  href === undefined
    ? markup`<li><span aria-current="page">${text}</span></li>`
    : markup`<li><a href="${href}">${text}</a></li>`

const breadcrumb = (crumbs: readonly Crumb[]): Markup =>
  lines(markup`<nav aria-label="Breadcrumb"><ol>`, crumbs.map(listItem), markup`</ol></nav>`)

const linksFor = (links: readonly Crumb[]): Markup =>
  lines(
    markup`<footer><nav aria-label="For programs"><ul>`,
    links.map(listItem),
    markup`</ul></nav></footer>`,
  )

const feedLink = (feed: string): Markup =>
  markup`<link rel="alternate" href="${feed}" type="application/atom+xml" title="New versions">`

// A referrer would tell other sites the names of packages, which may be private.
const headOf = ({ site, title, feed }: Page): Markup => {
  const { style, script, icon } = siteAddresses(site)
  return lines(
    markup`<meta charset="utf-8">`,
    markup`<title>${title} – plinth</title>`,
    markup`<meta name="viewport" content="width=device-width, initial-scale=1">`,
    markup`<meta name="referrer" content="no-referrer">`,
    markup`<meta name="color-scheme" content="light dark">`,
    markup`<link rel="stylesheet" href="${style}">`,
    markup`<link rel="icon" href="${icon}" type="image/svg+xml">`,
    feed !== undefined && feedLink(feed),
    markup`<script src="${script}" defer></script>`,
  )
}

/** The whole document. */
export function documentOf(page: Page): string {
  const { site, crumbs, body, links = [] } = page
  const home = { text: 'plinth', ...(crumbs.length > 0 && { href: siteAddresses(site).home }) }
  const text = lines(
    markup`<!doctype html>`,
    markup`<html lang="en">`,
    markup`<head>`,
    headOf(page),
    markup`</head>`,
    markup`<body>`,
    markup`<a class="skip" href="#content">Skip to the content</a>`,
    markup`<header>${breadcrumb([home, ...crumbs])}</header>`,
    markup`<main id="content">`,
    body,
    markup`</main>`,
    links.length > 0 && linksFor(links),
    markup`</body>`,
    markup`</html>`,
  )
  return `${String(text)}\n`
}

/** A section of a page with its heading. Links lead to its id. */
export const section = (id: string, heading: Content, ...content: readonly Content[]): Markup =>
  lines(
    markup`<section id="${id}" aria-labelledby="${id}-heading">`,
    markup`<h2 id="${id}-heading">${heading}</h2>`,
    content,
    markup`</section>`,
  )

/** The line below a page's heading: what there is of `items`, with dots between them. */
export const metaLine = (items: readonly Content[]): Markup =>
  markup`<p class="meta">${joined(items, ' · ')}</p>`
