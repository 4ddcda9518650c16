// The JSON of a module version and of a module. Pure.

import { comparable, compareParsed } from '../gomod/semver.js'
import { parseRecord } from './parse-record.js'
import type { ModuleFacts, ModuleIndex, ModuleVersionFacts, Retraction, VersionEntry } from './facts.js'

/** So many versions of a package stand in its index with their details, and on its page. */
export const MOST_ENTRIES = 100

/** One module version, and what is known of its zip beside the contents. `time` is that of publication. */
type VersionHead = {
  owner: string
  module: string
  version: string
  time: Date
  size: number
  sha256: string
}

// 2026-11-21T01:02:03.000Z → 2026-11-21T01:02:03Z
/** Whole seconds in UTC. */
export const timeText = (time: Date): string => time.toISOString().replace(/\.\d+Z$/, 'Z')

/** The JSON of a version. `factsText` is that of the {@link ModuleFacts}, which go into it byte for byte. */
export function versionText(
  { owner, module, version, time, size, sha256 }: VersionHead,
  factsText: string,
): string {
  const head = { format: 1, kind: 'go', owner, module, version, time: timeText(time), size, sha256 }
  return `${JSON.stringify(head).slice(0, -1)},${factsText.trim().slice(1)}\n`
}

/** The facts in the JSON of a version; `undefined` for any other text. */
export function parseVersionFacts(text: string): ModuleVersionFacts | undefined {
  const facts = parseRecord(text)
  const lists = [facts['retracts'], facts['requires'], facts['packages'], facts['licences']]
  const isRight =
    facts['format'] === 1 &&
    facts['kind'] === 'go' &&
    [facts['version'], facts['time'], facts['sha256'], facts['h1'], facts['goModH1']].every(isText) &&
    lists.every(Array.isArray)
  return isRight ? (facts as ModuleVersionFacts) : undefined
}

const isText = (value: unknown): boolean => typeof value === 'string'

/** The index in the JSON of a module; `undefined` for any other text. */
export function parseModuleIndex(text: string): ModuleIndex | undefined {
  const index = parseRecord(text)
  const isRight =
    index['format'] === 1 &&
    index['kind'] === 'go' &&
    [index['latest'], index['updated']].every(isText) &&
    [index['versions'], index['older'], index['retracted']].every(Array.isArray)
  return isRight ? (index as ModuleIndex) : undefined
}

/** What an index says of one version. */
export const entryOf = ({ version, time, size, sha256, h1, goModH1 }: ModuleVersionFacts): VersionEntry => ({
  version,
  time,
  size,
  sha256,
  h1,
  goModH1,
})

/** Characters of the rationales of one version. */
const MOST_RATIONALE = 1000
/** Retractions that count. Each is compared with each version. */
const MOST_RETRACTIONS = 200

/**
 * Tells of each version the rationale by which `retracts` take it back, empty for none given; `undefined` when they do
 * not. Several rationales are joined, as go lists all of them. The bounds are parsed once.
 */
export function retractionsOf(retracts: readonly Retraction[]): (version: string) => string | undefined {
  const ranges = retracts.flatMap(({ low, high, rationale }) => {
    const [from, to] = [comparable(low), comparable(high)]
    return from && to ? [{ from, to, rationale }] : []
  })
  return (text) => {
    const version = comparable(text)
    if (!version) return undefined
    const matching = ranges.filter(
      ({ from, to }) => compareParsed(from, version) <= 0 && compareParsed(version, to) <= 0,
    )
    if (matching.length === 0) return undefined
    const rationales = matching.flatMap(({ rationale }) => (rationale === '' ? [] : [rationale]))
    return rationales.join('; ').slice(0, MOST_RATIONALE)
  }
}

/** What follows from the go.mod of a module's highest version: for go, too, it is that of no other version. */
export type Notices = { deprecated?: string; retracted: Retraction[] }

export const noticesOf = (highest: Pick<ModuleFacts, 'deprecated' | 'retracts'> | undefined): Notices => ({
  ...(highest?.deprecated !== undefined && { deprecated: highest.deprecated }),
  retracted: highest?.retracts.slice(0, MOST_RETRACTIONS) ?? [],
})

type IndexSources = {
  owner: string
  module: string
  /** All versions, the highest first. */
  names: readonly string[]
  /** What is known of the highest of them. */
  entries: ReadonlyMap<string, VersionEntry>
  notices: Notices
  /** The version that go chooses, and its facts when they are known. */
  latest: string
  latestFacts: ModuleVersionFacts | undefined
}

/** The index of a module. A version without an entry stands among the older ones. */
export function moduleIndex(sources: IndexSources): ModuleIndex {
  const { owner, module, names, entries, notices, latest, latestFacts } = sources
  const retractionOf = retractionsOf(notices.retracted)
  const versions: VersionEntry[] = []
  const older: string[] = []
  for (const [at, name] of names.entries()) {
    const entry = at < MOST_ENTRIES ? entries.get(name) : undefined
    if (entry) versions.push(withRetraction(entry, retractionOf(entry.version)))
    else older.push(name)
  }
  const updated = versions.reduce((newest, { time }) => (time > newest ? time : newest), '')
  const head = { format: 1, kind: 'go', owner, module, latest, updated, count: names.length } as const
  return { ...head, ...notices, ...(latestFacts && shownOf(latestFacts)), versions, older }
}

function withRetraction(entry: VersionEntry, retracted: string | undefined): VersionEntry {
  const { retracted: _before, ...own } = entry
  return retracted === undefined ? own : { ...own, retracted }
}

/** The facts of the version that go chooses, as far as they stand in the index. */
function shownOf({ go, toolchain, requires, packages, licences, readme, cut }: ModuleVersionFacts) {
  return {
    ...(go !== undefined && { go }),
    ...(toolchain !== undefined && { toolchain }),
    requires,
    packages,
    licences,
    ...(readme && { readme: readme.file }),
    ...(cut && { cut }),
  }
}
