// The documents, whose lines and tables tests hold against what they speak of. test/manual.test.ts reads the calls of
// block() and table() in all tests, and fails when a block or a table of the manual has none: so their arguments are
// written out, and what they return is used whole.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
export const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

export const README = read('README.md')
export const MANUAL = read('scripts/deploy/README.md')

/** Where something is in a document: below the heading `section`, the `nth` of its kind there, from 0 on. */
type Place = { section: string; nth: number }
/** A fenced block; `language` is what it says it is in. Blocks are counted for each language. */
type Block = Place & { language: string; text: string }
/** A table: the cells of its rows, without those of its head. */
type Table = Place & { rows: string[][] }

/** Cuts a document at its headings. What stands before the first one has an empty heading. */
function sectionsOf(document: string): { section: string; lines: string[] }[] {
  const sections = [{ section: '', lines: [] as string[] }]
  let isCode = false
  for (const line of document.split('\n')) {
    if (/^ *```/.test(line)) isCode = !isCode
    const heading = isCode ? undefined : /^#+ (.+)$/.exec(line)?.[1]
    if (heading === undefined) sections.at(-1)?.lines.push(line)
    else sections.push({ section: heading, lines: [] })
  }
  return sections
}

/** All fenced blocks of a document, in their order. A block in a list comes without the spaces of the list. */
export const blocksOf = (document: string): Block[] =>
  sectionsOf(document).flatMap(({ section, lines }) => {
    const counts = new Map<string, number>()
    const found = lines.join('\n').matchAll(/^( *)```(\w*)\n([^]*?)^\1```$/gm)
    return [...found].map(([, indent = '', language = '', text = '']) => {
      const nth = counts.get(language) ?? 0
      counts.set(language, nth + 1)
      return { section, language, nth, text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), '') }
    })
  })

/** All tables of a document, in their order. */
export const tablesOf = (document: string): Table[] =>
  sectionsOf(document).flatMap(({ section, lines }) => {
    const text = lines.join('\n').replaceAll(/^ *```[^]*?^ *```$/gm, '')
    return [...text.matchAll(/^\|.*\|\n\|[-|]+\|\n((?:\|.*\|\n?)+)/gm)].map(([, rows = ''], nth) => ({
      section,
      nth,
      rows: rows
        .trimEnd()
        .split('\n')
        .map((row) => row.slice(2, -2).split(' | ')),
    }))
  })

/** A block of a section. Throws when there is none. */
export function block(document: string, section: string, nth = 0, language = 'sh'): string {
  const found = blocksOf(document).find(
    (one) => one.section === section && one.nth === nth && one.language === language,
  )
  if (found === undefined)
    throw new Error(`there is no block ${nth} of ${language || 'text'} under ${section}`)
  return found.text
}

/** The rows of a table of a section, as cells. Throws when there is none. */
export function table(document: string, section: string, nth = 0): string[][] {
  const found = tablesOf(document).find((one) => one.section === section && one.nth === nth)
  if (found === undefined) throw new Error(`there is no table ${nth} under ${section}`)
  return found.rows
}

/** The lines of a block, for a test that runs one after the other. */
export const linesOf = (text: string): string[] => text.trimEnd().split('\n')

/**
 * Runs a check for each row of a table, by its first cell; the check gets the other cells. A row without a check fails,
 * and so does a check without a row.
 */
export async function eachRow(
  t: Test,
  rows: readonly string[][],
  checks: Readonly<Record<string, (...cells: string[]) => unknown>>,
): Promise<void> {
  t.same(rows.map(([first]) => first).sort(), Object.keys(checks).sort(), 'each row has a check')
  for (const [first = '', ...cells] of rows) await checks[first]?.(...cells)
}
