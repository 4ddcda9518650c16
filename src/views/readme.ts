// Which file of a module's root is its README, and its HTML where nothing can render it.

import { escapeHtml } from './html.js'

/** The extensions of READMEs, the most preferred first. Any other one comes behind them. */
const EXTENSIONS = ['.md', '.markdown', '', '.txt']
/** golang.org/x/pkgsite internal/fetch excludedReadmeExts */
const EXCLUDED = ['.go', '.vendor']

/**
 * How much a file of the root is preferred as README, by its name in any case: 0 is the most, `undefined` is no README.
 * As in golang.org/x/pkgsite internal/fetch (isReadme), which prefers Markdown, too.
 */
export function readmeRank(name: string): number | undefined {
  const match = /^readme(\.[^.]*)?$/i.exec(name)
  if (!match) return undefined
  const extension = (match[1] ?? '').toLowerCase()
  if (EXCLUDED.includes(extension)) return undefined
  const rank = EXTENSIONS.indexOf(extension)
  return rank < 0 ? EXTENSIONS.length : rank
}

/** A text as HTML that shows it as it is. */
export const plainHtml = (text: string): string => `<pre class="plain">${escapeHtml(text)}</pre>`
