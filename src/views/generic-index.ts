// The JSON of a generic package and of its versions, and their SHA256SUMS. Pure.

import { compareVersions, parseVersion } from '../gomod/semver.js'
import type { FileFacts, GenericEntry, GenericIndex, GenericVersionFacts } from './facts.js'
import { MOST_ENTRIES } from './module-index.js'
import { parseRecord } from './parse-record.js'

type VersionName = { owner: string; name: string; version: string }

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** The facts of a version. It has one file or more. */
export function genericVersion(
  { owner, name, version }: VersionName,
  files: readonly FileFacts[],
): GenericVersionFacts {
  const inOrder = files.toSorted((a, b) => byText(a.file, b.file))
  return {
    format: 1,
    kind: 'generic',
    owner,
    name,
    version,
    time: newestOf(files),
    size: files.reduce((sum, { size }) => sum + size, 0),
    files: inOrder,
  }
}

const newestOf = (dated: readonly { time: string }[]): string =>
  dated.reduce((newest, { time }) => (time > newest ? time : newest), '')

/** The facts in the JSON of a version; `undefined` for any other text. */
export function parseGenericVersion(text: string): GenericVersionFacts | undefined {
  const facts = parseRecord(text)
  const isRight = facts['format'] === 1 && facts['kind'] === 'generic' && Array.isArray(facts['files'])
  return isRight ? (facts as GenericVersionFacts) : undefined
}

/** The index in the JSON of a package; `undefined` for any other text. */
export function parseGenericIndex(text: string): GenericIndex | undefined {
  const index = parseRecord(text)
  const isRight =
    index['format'] === 1 &&
    index['kind'] === 'generic' &&
    typeof index['latest'] === 'string' &&
    [index['versions'], index['older']].every(Array.isArray)
  return isRight ? (index as GenericIndex) : undefined
}

// [{file: 'a b', sha256: '5891…'}] → 5891…  a b⏎
/** What `sha256sum -c` reads. No file name has a backslash or a line end, which sha256sum would escape. */
export const sumsText = (files: readonly FileFacts[]): string =>
  files.map(({ file, sha256 }) => `${sha256}  ${file}\n`).join('')

export const entryOfGeneric = ({ version, time, size, files }: GenericVersionFacts): GenericEntry => ({
  version,
  time,
  size,
  files: files.length,
})

// '1.2.3' and 'v1.2.3' → v1.2.3
/** The semantic version that a version's name is, in go's spelling; `undefined` for any other name. */
export function semverOf(version: string): string | undefined {
  const text = version.startsWith('v') ? version : `v${version}`
  const withoutBuild = text.replace(/\+[0-9A-Za-z.-]+$/, '')
  return parseVersion(withoutBuild) === undefined ? undefined : withoutBuild
}

// 0 any other name, 1 pre-release, 2 release
function rank(semver: string | undefined): number {
  if (semver === undefined) return 0
  return (parseVersion(semver)?.pre.length ?? 0) > 0 ? 1 : 2
}

/**
 * Compares two versions: positive when `a` is the later one. A release is above a pre-release, a semantic version above
 * any other name. Semantic versions are compared as such, others by their time, and equal ones by their name.
 */
export function compareGeneric(a: Dated, b: Dated): number {
  const [x, y] = [semverOf(a.version), semverOf(b.version)]
  const order = rank(x) - rank(y)
  if (order !== 0) return order
  const bySemver = x !== undefined && y !== undefined ? compareVersions(x, y) : byText(a.time, b.time)
  return bySemver || byText(a.version, b.version)
}

/** A version with its time of publication. */
type Dated = { version: string; time: string }

/** The versions of a package, the latest first: the details of the first ones, and the names of all others. */
export type OrderedEntries = { versions: readonly GenericEntry[]; older: readonly string[] }

/** All versions in order, with the details of at most {@link MOST_ENTRIES}. */
export function orderEntries(entries: readonly GenericEntry[]): OrderedEntries {
  const inOrder = entries.toSorted((a, b) => compareGeneric(b, a))
  return {
    versions: inOrder.slice(0, MOST_ENTRIES),
    older: inOrder.slice(MOST_ENTRIES).map(({ version }) => version),
  }
}

export const withoutEntry = ({ versions, older }: OrderedEntries, version: string): OrderedEntries => ({
  versions: versions.filter((entry) => entry.version !== version),
  older: older.filter((name) => name !== version),
})

/**
 * `known` with an entry that is new or has changed. `undefined` when its place is among older ones whose times are not
 * known: then all entries must be ordered again.
 */
export function withEntry(known: OrderedEntries, entry: GenericEntry): OrderedEntries | undefined {
  const { versions, older } = withoutEntry(known, entry.version)
  const at = versions.findIndex((other) => compareGeneric(entry, other) > 0)
  if (at < 0 && older.length > 0) {
    if (semverOf(entry.version) === undefined) return undefined
    const place = older.findIndex((version) => compareGeneric(entry, { version, time: '' }) > 0)
    return { versions, older: older.toSpliced(place < 0 ? older.length : place, 0, entry.version) }
  }
  const all = versions.toSpliced(at < 0 ? versions.length : at, 0, entry)
  const rest = all.slice(MOST_ENTRIES).map(({ version }) => version)
  return { versions: all.slice(0, MOST_ENTRIES), older: [...rest, ...older] }
}

/** The index of a package that has these versions, one or more. */
export const genericIndex = (
  { owner, name }: { owner: string; name: string },
  { versions, older }: OrderedEntries,
): GenericIndex => ({
  format: 1,
  kind: 'generic',
  owner,
  name,
  latest: versions[0]?.version ?? '',
  updated: newestOf(versions),
  count: versions.length + older.length,
  versions: [...versions],
  older: [...older],
})
