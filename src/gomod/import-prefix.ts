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
