// Import prefixes: which import paths of other domains are those of an owner (go.dev/ref/mod#vcs-find). Pure.

import { checkModulePath } from './module-path.js'

/** Modules whose path is `prefix` or below it are those of `owner`. */
export type ImportPrefix = { prefix: string; owner: string }

// 'go.corp.example/x=team' → {prefix: 'go.corp.example/x', owner: 'team'}
/** Reads a pair of prefix and owner. The result is the rule that it breaks when it is none. */
export function parseImportPrefix(pair: string): ImportPrefix | string {
  const [, prefix, owner] = /^([^=]*)=([A-Za-z0-9][A-Za-z0-9._-]{0,63})$/.exec(pair) ?? []
  if (prefix === undefined || owner === undefined)
    return 'prefix=owner is expected, as go.corp.example=team or go.corp.example/x=team'
  return checkModulePath(prefix) ?? { prefix, owner }
}

/** The order in which they are tried: a longer one comes before one that it is below. */
export const longestFirst = (prefixes: readonly ImportPrefix[]): ImportPrefix[] =>
  prefixes.toSorted((one, other) => other.prefix.length - one.prefix.length)

/** nginx tries one after the other. */
const MAX_PREFIXES = 64

/**
 * Reads pairs such as `go.corp.example=team,go.corp.example/x=secret`: prefixes, a longer one before one that it is
 * below. Where a pair breaks a rule, that pair and the rule.
 */
export function parseImportPrefixes(text: string): ImportPrefix[] | { value: string; rule: string } {
  const pairs = text.split(',').flatMap((pair) => pair.trim() || [])
  if (pairs.length > MAX_PREFIXES)
    return { value: text, rule: `at most ${MAX_PREFIXES} prefixes are expected` }
  const found = new Map<string, ImportPrefix>()
  for (const pair of pairs) {
    const read = parseImportPrefix(pair)
    if (typeof read === 'string') return { value: pair, rule: read }
    if (found.has(read.prefix)) return { value: pair, rule: 'this prefix has an owner already' }
    found.set(read.prefix, read)
  }
  return longestFirst([...found.values()])
}
