// The lines of go.sum files (go.dev/ref/mod#go-sum-files). Pure.

import { quote } from '../errors.js'

/** The file beside the modules that `plinth collect` gathers and `plinth import` takes: the lines of all of them. */
export const CARRIED_SUMS = 'go.sum'

/** `h1:…` of a version's zip and of its go.mod, as far as they are known. */
type KnownSums = { zip?: string; mod?: string }

/** A line of go.sum: `of` says what its hash is of. */
export type GoSumLine = { module: string; version: string; of: keyof KnownSums; hash: string }

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

/** The lines of several go.sum files together. */
export class GoSum {
  /** `module version` → its hashes. */
  readonly #sums = new Map<string, KnownSums>()

  /** Adds a line. When another hash is known already, that one stays and is returned. */
  add({ module, version, of, hash }: GoSumLine): string | undefined {
    const key = `${module} ${version}`
    const sums = this.#sums.get(key) ?? {}
    const known = sums[of]
    if (known !== undefined) return known === hash ? undefined : known
    sums[of] = hash
    this.#sums.set(key, sums)
    return undefined
  }

  /** What is known of a version. */
  of(module: string, version: string): KnownSums {
    return this.#sums.get(`${module} ${version}`) ?? {}
  }

  /** Every version of which there is a line. */
  *versions(): Generator<{ module: string; version: string }> {
    for (const key of this.#sums.keys()) {
      const [module = '', version = ''] = key.split(' ')
      yield { module, version }
    }
  }

  /** The text of the file. The same lines give the same text. */
  text(): string {
    const lines = [...this.#sums].flatMap(([key, { zip, mod }]) => [
      ...(zip === undefined ? [] : [`${key} ${zip}\n`]),
      ...(mod === undefined ? [] : [`${key}/go.mod ${mod}\n`]),
    ])
    return lines.sort((a, b) => (a < b ? -1 : 1)).join('')
  }
}
