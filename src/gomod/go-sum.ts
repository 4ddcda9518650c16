// The lines of go.sum files (go.dev/ref/mod#go-sum-files). Pure.

import { quote } from '../errors.js'

/** A line of go.sum: `of` says what its hash is of. */
export type GoSumLine = { module: string; version: string; of: 'zip' | 'mod'; hash: string }

// golang.org/x/mod/sumdb/dirhash: SHA-256 in base64
const H1 = /^h1:[A-Za-z0-9+/]{43}=$/

// 'example.com/m v1.0.0/go.mod h1:…' → {module: 'example.com/m', version: 'v1.0.0', of: 'mod', hash: 'h1:…'}
/**
 * Reads the text of a go.sum. Lines of other kinds of hashes are left out, as go leaves them out. Throws for a line
 * that go would not take, either.
 */
export function parseGoSum(text: string): GoSumLine[] {
  const lines: GoSumLine[] = []
  for (const [at, line] of text.split('\n').entries()) {
    const words = line.split(/\s+/).filter((word) => word !== '')
    if (words.length === 0) continue
    const [module = '', of = '', hash = ''] = words
    if (words.length !== 3) throw new Error(`line ${at + 1} of go.sum has not three words: ${quote(line)}`)
    if (!hash.startsWith('h1:')) continue
    if (!H1.test(hash)) throw new Error(`line ${at + 1} of go.sum has no whole hash: ${quote(hash)}`)
    const isMod = of.endsWith('/go.mod')
    const version = isMod ? of.slice(0, -'/go.mod'.length) : of
    lines.push({ module, version, of: isMod ? 'mod' : 'zip', hash })
  }
  return lines
}
