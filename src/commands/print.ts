// What commands print: one line, or a list of lines. A line stays one, whatever is in it: names are strangers', and a
// line that this code did not mean to print must not appear.

import { visible } from '../errors.js'

type Lines = string | readonly string[]

const textOf = (lines: Lines): string =>
  [lines]
    .flat()
    .map((line) => `${visible(line)}\n`)
    .join('')

/** Prints lines on standard output. */
export const print = (lines: Lines): void => void process.stdout.write(textOf(lines))

/** Prints lines on standard error. */
export const printError = (lines: Lines): void => void process.stderr.write(textOf(lines))

/** Prints rows of words: in columns on a terminal, with tabs between the words for another program. */
export function printTable(rows: readonly (readonly string[])[]): void {
  const shown = rows.map((row) => row.map(visible))
  const widths: number[] = []
  for (const row of shown)
    for (const [at, word] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, word.length)
  const inColumns = (row: string[]): string => row.map((word, at) => word.padEnd(widths[at] ?? 0)).join('  ')
  for (const row of shown)
    process.stdout.write(`${process.stdout.isTTY ? inColumns(row).trimEnd() : row.join('\t')}\n`)
}

/** Shows a question on standard error; what is typed comes behind it. */
export const showQuestion = (text: string): void => void process.stderr.write(visible(text))

/** The lines of a value as JSON: one, or several that are indented. */
export const jsonLines = (value: unknown, indent?: number): string[] =>
  JSON.stringify(value, undefined, indent).split('\n')
