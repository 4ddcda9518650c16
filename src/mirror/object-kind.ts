// What each file of an owner is in a bucket: which step of a pass takes it, and the headers that it gets. Pure.
//
// A bucket has no rename and no transaction, so the order of the steps keeps its promise: what names others comes after
// them, and goes before them. The steps are those of a publish:
//
//   0  bytes: zips, go.mods, plain files, tiles of a checksum database
//   1  what makes one version visible: .info, its JSON, its record in a checksum database
//   2  what names versions: list, @latest, indexes, the newest head
//
// HTML pages are left out, since nginx gives them other addresses, and so is index.ndjson, which is read on from a
// byte.

/** The headers of an object. nginx sends the same (server.conf). */
const HEADERS = {
  zip: ['Content-Type: application/zip'],
  json: ['Content-Type: application/json; charset=utf-8'],
  text: ['Content-Type: text/plain; charset=utf-8'],
  atom: ['Content-Type: application/atom+xml; charset=utf-8'],
  bytes: ['Content-Type: application/octet-stream'],
  // A browser must not show what a stranger uploaded as a page of the bucket's host.
  attachment: ['Content-Type: application/octet-stream', 'Content-Disposition: attachment'],
} as const

/** The names of the kinds of headers. */
export type HeaderKind = keyof typeof HEADERS

// 'text' → ['Content-Type: text/plain; charset=utf-8', 'Cache-Control: no-cache']
export const headersOf = (kind: HeaderKind): string[] => [...HEADERS[kind], 'Cache-Control: no-cache']

export type Step = 0 | 1 | 2

/**
 * `of` is the package, as `go/example.com/m`, `generic/tool` or `go/sumdb`; empty for views of all packages. A file
 * with `isNaming` is small and names others: it is compared by its content, and uploaded as it was when it was looked
 * at.
 */
export type ObjectKind = { step: Step; headers: HeaderKind; of: string; isNaming: boolean }

type Rule = [pattern: RegExp, step: Step, headers: HeaderKind, isNaming?: 'naming']

/** The first rule that fits counts. The first group is the package. */
const RULES: readonly Rule[] = [
  [/^(go\/sumdb)\/.+\/(?:latest|supported)$/, 2, 'text', 'naming'],
  [/^(go\/sumdb)\/.+\/lookup\//, 1, 'text'],
  [/^(go\/sumdb)\/.+\/tile\/8\/data\//, 0, 'text'],
  [/^(go\/sumdb)\/.+\/tile\//, 0, 'bytes'],
  [/^(go\/.+)\/@latest$/, 2, 'json', 'naming'],
  [/^(go\/.+)\/@v\/list$/, 2, 'text', 'naming'],
  [/^(go\/.+)\/@v\/latest\.info$/, 2, 'json'],
  [/^(go\/.+)\/@v\/latest\.mod$/, 2, 'text'],
  [/^(go\/.+)\/@v\/latest\.zip$/, 2, 'zip'],
  [/^(go\/.+)\/@v\/[^/]+\.info$/, 1, 'json'],
  [/^(go\/.+)\/@v\/[^/]+\.mod$/, 0, 'text'],
  [/^(go\/.+)\/@v\/[^/]+\.zip$/, 0, 'zip'],
  [/^(generic\/[^/]+)\/[^/]+\/[^/]+$/, 0, 'attachment'],
  [/^-\/(go\/.+)\/@\/index\.json$/, 2, 'json', 'naming'],
  [/^-\/(go\/.+)\/@\/[^/]+\.json$/, 1, 'json'],
  [/^-\/(generic\/[^/]+)\/[^/]+\/(?:index|version)\.json$/, 2, 'json', 'naming'],
  [/^-\/(generic\/[^/]+)\/[^/]+\/SHA256SUMS$/, 2, 'text', 'naming'],
  [/^-\/()index\.json$/, 2, 'json', 'naming'],
  [/^-\/()feed\.atom$/, 2, 'atom', 'naming'],
]

// 'go/example.com/m/@v/list' → step 2, text, of go/example.com/m
/** The kind of a file by its path below the owner's folder; `undefined` for what is not mirrored. */
export function kindOf(path: string): ObjectKind | undefined {
  // No path that rclone reads from a list of lines can have these, and no package has them.
  if (/\p{Cc}/u.test(path)) return undefined
  const [, link] = /^-\/latest\/([^/]+)\/[^/]+$/.exec(path) ?? []
  if (link !== undefined) return { step: 2, headers: 'attachment', of: `generic/${link}`, isNaming: false }
  for (const [pattern, step, headers, naming] of RULES) {
    const match = pattern.exec(path)
    if (match) return { step, headers, of: packageOf(match[1] ?? '', step), isNaming: naming !== undefined }
  }
  return undefined
}

/** What moves when tiles do: some go when larger ones come, and the records need not wait for that. */
export const TILES = 'go/sumdb/tile'
export const DATABASES = 'go/sumdb'

const packageOf = (of: string, step: Step): string => (of === DATABASES && step === 0 ? TILES : of)

/** The prefixes that have the objects of a plain package, and of no other. */
export const genericPrefixes = (name: string): string[] => [
  `generic/${name}`,
  `-/generic/${name}`,
  `-/latest/${name}`,
]
