// Letters and case as in go: unicode.IsLetter, and Unicode simple case folding, the equality of strings.EqualFold.
// `toLowerCase` differs (it does not fold the Kelvin sign or the long s), and the Unicode version of JavaScript's own
// tables changes with the version of Node.

import { FOLDS, LETTERS } from './unicode-tables.js'

const numbers = (text: string): number[] => text.split(',').map((digits) => Number.parseInt(digits, 36))
const words = (table: string): string[] => table.trim().split(/\s+/)

/** Starts and ends of the ranges of letters, ascending: start, end, start, end, … */
const letterBounds = ((): Uint32Array => {
  const bounds: number[] = []
  for (const word of words(LETTERS)) {
    const [gap = 0, length = 0] = numbers(word)
    const start = (bounds.at(-1) ?? 0) + gap
    bounds.push(start, start + length)
  }
  return Uint32Array.from(bounds)
})()

/** Each character that has smaller equals under case folding → the smallest of them. */
const smallest = ((): Map<number, number> => {
  const map = new Map<number, number>()
  for (const word of words(FOLDS)) {
    const [start = 0, count = 0, stride = 0, distance = 0] = numbers(word)
    for (let i = 0; i < count; i++) map.set(start + i * stride, start + i * stride - distance)
  }
  return map
})()

/** unicode.IsLetter, for one character above U+007F. */
export function isLetter(char: string): boolean {
  const code = char.codePointAt(0) ?? 0
  let low = 0
  let high = letterBounds.length // the first bound that is not below `code` is in [low, high]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((letterBounds[middle] ?? 0) < code) low = middle + 1
    else high = middle
  }
  return letterBounds[low] === code || low % 2 === 1
}

/**
 * unicode.IsUpper, for one character. The letters are go's: JavaScript knows the case of more letters with each version
 * of Node.
 */
export const isUpper = (char: string): boolean =>
  char < '\x80' ? /[A-Z]/.test(char) : isLetter(char) && /^\p{Lu}$/u.test(char)

// 'Foo/K' (with a Kelvin sign) → 'foo/k', and so does 'foo/k'
/** Returns the same text for all texts that strings.EqualFold calls equal. `text` is made of letters and ASCII. */
export function fold(text: string): string {
  if (/^[\0-\x7f]*$/.test(text)) return text.toLowerCase()
  let result = ''
  for (const char of text) {
    const least = String.fromCodePoint(smallest.get(char.codePointAt(0) ?? 0) ?? char.codePointAt(0) ?? 0)
    result += least < '\u0080' ? least.toLowerCase() : least
  }
  return result
}
