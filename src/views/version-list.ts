// Tables, and the versions of a package: a table of the first ones, and the names of others.

import { counted, grouped, nameOf } from './format.js'
import { lines, markup, type Content, type Markup } from './html.js'

/** Versions in the table, and names of others below it. Each publish makes the page again. */
const MOST_ROWS = 50
const MOST_NAMES = 100

/** A row of a table: its name, and the other columns. */
export const tableRow = (name: Content, columns: readonly Content[]): Markup =>
  markup`<tr><th scope="row">${name}</th>${columns.map((column) => markup`<td>${column}</td>`)}</tr>`

/** A table with its caption. The first of `columns` is that of the rows' names. */
export const table = (caption: string, columns: readonly string[], rows: readonly Markup[]): Markup =>
  lines(
    markup`<table>`,
    markup`<caption>${caption}</caption>`,
    markup`<thead><tr>${columns.map((column) => markup`<th scope="col">${column}</th>`)}</tr></thead>`,
    markup`<tbody>`,
    rows,
    markup`</tbody>`,
    markup`</table>`,
  )

/** The versions of a package. `all` has the others, beyond those that the page has room for. */
type VersionList<Entry extends { version: string }> = {
  versions: readonly Entry[]
  older: readonly string[]
  /** Above the table when it has all versions, and when it has only the first ones. */
  captions: { all: string; first: string }
  columns: readonly string[]
  row: (entry: Entry) => Markup
  href: (version: string) => string
  all: { text: string; href: string }
}

/** The table of the first versions, and the names of others. */
export function versionList<Entry extends { version: string }>(list: VersionList<Entry>): Markup {
  const { versions, older, captions, columns, row } = list
  const others = [...versions.slice(MOST_ROWS).map(({ version }) => version), ...older]
  const caption = others.length > 0 ? captions.first : captions.all
  return lines(
    table(caption, columns, versions.slice(0, MOST_ROWS).map(row)),
    others.length > 0 && otherVersions(others, list),
  )
}

function otherVersions(
  others: readonly string[],
  { href, all }: Pick<VersionList<{ version: string }>, 'href' | 'all'>,
): Markup {
  const left = others.length - MOST_NAMES
  const link = (version: string): Markup => markup`<li><a href="${href(version)}">${nameOf(version)}</a></li>`
  return lines(
    markup`<details>`,
    markup`<summary>${counted(others.length, 'other version')}</summary>`,
    markup`<ul class="versions">`,
    others.slice(0, MOST_NAMES).map(link),
    markup`</ul>`,
    left > 0 && markup`<p><a href="${all.href}">${all.text}</a> has ${grouped(left)} more.</p>`,
    markup`</details>`,
  )
}
