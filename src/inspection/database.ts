// Inspects an owner's checksum database: its heads and its records fit together, and its files in the tree are what
// follows from them. It reads the records as a stream, so a long log needs no more memory than a short one.

import { setImmediate } from 'node:timers/promises'
import { messageOf } from '../errors.js'
import { packagesFolder, folders, sumdbRoot } from '../layout.js'
import { isOwnerName } from '../access/rights.js'
import { DamagedLog } from '../sumdb/damaged-log.js'
import { Growth } from '../sumdb/growth.js'
import { headLine, readHeads, type SignedHead } from '../sumdb/heads-file.js'
import { headText } from '../sumdb/note.js'
import { DATA, parseTilePath, statePaths } from '../sumdb/paths.js'
import { parseLookup } from '../sumdb/record.js'
import { readRecords } from '../sumdb/records-file.js'
import { BEGINNING, latestFile, lookupFile, type LogPlace } from '../sumdb/truth.js'
import { compareFiles, type DatabaseComparing, type ExpectedFile } from './database-files.js'
import { isTileOf, strayDatabases, strayFiles } from './database-strays.js'
import type { Fault, Finding, Scope } from './finding.js'
import { mendTruth, type SeenDatabase } from './seen-database.js'
import type { SeenDatabases } from './recorded-sums.js'

/** Faults that were found, and how far it is, in words. */
type DatabaseEvent = { faults: Fault[]; at: string }

type Inspecting = DatabaseComparing & { seen: SeenDatabases }

/** Signatures that are checked before others have their turn: one takes a tenth of a millisecond. */
const SIGNATURES_AT_ONCE = 32
/** Wrong paths that are remembered, so that none is named twice. */
const MAX_WRONG = 10_000

/** Inspects the databases of `scope`. That of a module alone is left to the inspection of the module. */
export async function* inspectDatabases(
  inspecting: Inspecting,
  { owner: only, module }: Scope,
): AsyncGenerator<DatabaseEvent> {
  const { store } = inspecting
  if (module !== undefined) return
  const owners = new Set(only === undefined ? await store.names(folders.sumdb) : [only])
  for (const owner of only === undefined ? await store.names(packagesFolder) : [])
    if (isOwnerName(owner) && (await store.exists(sumdbRoot(owner)))) owners.add(owner)
  for (const owner of owners) yield* inspectDatabase(inspecting, owner)
}

async function* inspectDatabase(inspecting: Inspecting, owner: string): AsyncGenerator<DatabaseEvent> {
  const { store, reporter, seen } = inspecting
  const { database, findings } = await seen.of(owner)
  const at = `checksum database of ${owner}`
  const told = async (found: readonly Finding[]): Promise<DatabaseEvent> => ({
    faults: await reporter.report(found),
    at,
  })
  if (findings.length > 0) yield told(findings)
  if (database) {
    const end = database.end()
    try {
      await checkHeads(database, end)
      if (database.status === 'disabled') await checkRecords(database, end)
      else yield* inspectFiles(inspecting, database, end)
    } catch (error) {
      if (!(error instanceof DamagedLog)) throw error
      yield told([{ path: statePaths(owner).folder, fault: messageOf(error), mend: mendTruth(owner) }])
    }
  }
  // what is there of a database that cannot be read may be all that is left of it
  const isClear = database !== undefined || !(await store.exists(statePaths(owner).folder))
  const strays = isClear ? await strayDatabases(store, owner, database) : []
  if (strays.length > 0) yield told(strays)
}

/** Throws a DamagedLog unless every head is signed, and they go on one after the other. The timeline is marked. */
async function checkHeads({ truth, signer, timeline }: SeenDatabase, end: LogPlace): Promise<void> {
  let before: SignedHead | undefined
  let [count, start] = [0, 0]
  for await (const head of readHeads(truth.heads, { start: 0, end: end.end }, signer)) {
    if (before && (head.size <= before.size || head.bytes <= before.bytes))
      throw new DamagedLog(`the head of size ${head.size} is not longer than the one before it`)
    before = head
    timeline.pass(head, start)
    start += headLine(head).length
    if (++count % SIGNATURES_AT_ONCE === 0) await setImmediate()
  }
}

/** Throws a DamagedLog unless the records are those of every head. */
async function checkRecords({ truth }: SeenDatabase, end: LogPlace): Promise<void> {
  for await (const _ of truth.tiles(new Growth(), BEGINNING, end));
  for await (const _ of commits({ truth }, end));
}

async function* inspectFiles(
  inspecting: Inspecting,
  database: SeenDatabase,
  end: LogPlace,
): AsyncGenerator<DatabaseEvent> {
  const wrong = new Set<string>()
  const total = end.head?.size ?? 0
  let looked = 0
  for await (const found of compareFiles(
    inspecting,
    database,
    expectedFiles(database, end, () => looked++),
  )) {
    for (const path of found.wrong) if (wrong.size < MAX_WRONG) wrong.add(path)
    yield { faults: found.faults, at: `${database.owner}, checksum database: ${looked} of ${total} records` }
  }
  const isKnown = (path: string): boolean => wrong.has(path) || wrong.size === MAX_WRONG
  for await (const faults of strayFiles(inspecting, database, isKnown))
    yield { faults, at: `checksum database of ${database.owner}` }
  inspecting.seen.wasCompared(database.owner, isKnown)
}

/** The files of a database, in the order in which a reader needs them. `onRecord` is called after each record. */
async function* expectedFiles(
  database: SeenDatabase,
  end: LogPlace,
  onRecord: () => void,
): AsyncGenerator<ExpectedFile> {
  const { truth, signer, status } = database
  const sizeNow = (): number => database.end().head?.size ?? 0
  for await (const { path, content } of truth.tiles(new Growth(), BEGINNING, end)) {
    // old data tiles go when the log grows, and partial ones when they are full
    const isPruned = (isThere: boolean): boolean =>
      !isTileOf(path, sizeNow()) ||
      (parseTilePath(path)?.level === DATA && !isThere && sizeNow() !== end.head?.size)
    yield { path, content: () => content, isNeeded: (isThere) => !isPruned(isThere) }
  }
  for await (const { id, record, head } of commits(database, end)) {
    onRecord()
    yield expectedLookup(database, { id, record, head: headText(signer, head, head.signature) })
  }
  const latest = (): Buffer => {
    const { head } = database.end()
    return head ? latestFile(signer, head).content : Buffer.alloc(0)
  }
  if (end.head) yield { path: 'latest', content: latest }
  if (status === 'enabled')
    yield { path: 'supported', content: () => Buffer.alloc(0), isRight: async () => true }
}

type Committed = { id: number; record: string }

/** Yields the records, each with the head of its commit. Throws a DamagedLog where a head is not of their bytes. */
async function* commits(
  { truth }: Pick<SeenDatabase, 'truth'>,
  end: LogPlace,
): AsyncGenerator<Committed & { head: SignedHead }> {
  const heads = readHeads(truth.heads, { start: 0, end: end.end })
  let head: SignedHead | undefined
  let [id, bytes] = [0, 0]
  try {
    for await (const record of readRecords(truth.records, 0, end.head?.bytes ?? 0)) {
      if (!head || head.size === id) head = (await heads.next()).value as SignedHead | undefined
      if (!head) throw new DamagedLog('there are more records than the last head has')
      yield { id: id++, record, head }
      bytes += record.length + 1
      if (head.size === id && head.bytes !== bytes)
        throw new DamagedLog(`the head of size ${id} says ${head.bytes} bytes of records, there are ${bytes}`)
    }
  } finally {
    await heads.return(undefined) // its file is open
  }
}

/** A lookup, with the head of its commit, or with a later one: rebuild writes the last one. */
function expectedLookup(
  { timeline, signer, end }: SeenDatabase,
  { id, record, head }: Committed & { head: string },
): ExpectedFile {
  const { path, content } = lookupFile(id, record, head)
  return {
    path,
    content: () => {
      const last = end().head
      return last ? lookupFile(id, record, headText(signer, last, last.signature)).content : content
    },
    isRight: async (present) => {
      if (present.equals(content)) return true
      const lookup = parseLookup(present.toString())
      if (lookup?.record !== record || !(await timeline.has(lookup.head))) return false
      // A record that came twice has the number of one of the two.
      return lookup.id === id || (await timeline.recordAt(lookup.id)) === record
    },
  }
}
