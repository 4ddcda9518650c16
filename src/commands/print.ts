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

/** The lines of a value as JSON: one, or several that are indented. */
export const jsonLines = (value: unknown, indent?: number): string[] =>
  JSON.stringify(value, undefined, indent).split('\n')
