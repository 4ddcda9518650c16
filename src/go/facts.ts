// What is known of a module's versions: facts from the JSON of each, and the index of the module that follows.

import type { Module } from '../layout.js'
import type { ModuleIndex, ModuleVersionFacts, VersionEntry } from '../views/facts.js'
import { entryOf, MOST_ENTRIES, moduleIndex, noticesOf, retractionsOf } from '../views/module-index.js'
import { chosenVersion, highestFirst, type OrderedVersions } from './ordered-versions.js'

/** The facts of a version of the module; `undefined` when they are not known. */
export type FactsOf = (version: string) => Promise<ModuleVersionFacts | undefined>

/**
 * The entries of a module's highest versions. What `index`, the one in the tree, says of a version is taken over when
 * it names exactly the versions `before`, but for `fresh`, whose facts are new. Otherwise somebody else changed the
 * module, and all facts are read again.
 */
export async function entriesOf(
  versions: OrderedVersions,
  factsOf: FactsOf,
  index: ModuleIndex | undefined,
  before: OrderedVersions,
  fresh: string | undefined,
): Promise<Map<string, VersionEntry>> {
  const known = new Map<string, VersionEntry>()
  if (index && areNames(index, highestFirst(before)))
    for (const entry of index.versions) if (entry.version !== fresh) known.set(entry.version, entry)
  const entries = new Map<string, VersionEntry>()
  for (const version of highestFirst(versions).slice(0, MOST_ENTRIES)) {
    const facts = known.has(version) ? undefined : await factsOf(version)
    const entry = facts ? entryOf(facts) : known.get(version)
    if (entry) entries.set(version, entry)
  }
  return entries
}

const areNames = ({ versions, older }: ModuleIndex, names: readonly string[]): boolean =>
  versions.length + older.length === names.length &&
  names.every((name, at) => name === (versions[at]?.version ?? older[at - versions.length]))

/** The index of a module, the version that go chooses, and the facts of that one. */
export type DerivedIndex = { index: ModuleIndex; latestFacts: ModuleVersionFacts | undefined }

/** Derives the index of a module that has versions. `entries` are at least those of the highest ones. */
export async function deriveIndex(
  module: Module,
  versions: OrderedVersions & { latest: string },
  entries: ReadonlyMap<string, VersionEntry>,
  factsOf: FactsOf,
): Promise<DerivedIndex> {
  const highest = await factsOf(versions.latest)
  const notices = noticesOf(highest)
  const retractionOf = retractionsOf(notices.retracted)
  const isRetracted = (version: string): boolean => retractionOf(version) !== undefined
  const latest = chosenVersion(versions, isRetracted) ?? versions.latest
  const latestFacts = latest === versions.latest ? highest : await factsOf(latest)
  const names = highestFirst(versions)
  return { index: moduleIndex({ ...module, names, entries, notices, latest, latestFacts }), latestFacts }
}
