// Finds files among those of an owner's checksum databases that follow from no record. A lookup that does not belong
// there matters: what it says of a version counts as recorded.

import { PLINTH } from '../errors.js'
import { sumdbRoot } from '../layout.js'
import type { Store } from '../store/store.js'
import { TILE_WIDTH } from '../sumdb/edge.js'
import { parseSigner } from '../sumdb/note.js'
import { databasePaths, DATA, lookupName, parseTilePath, statePaths } from '../sumdb/paths.js'
import { parseLookup, parseRecord } from '../sumdb/record.js'
import { REBUILD, stray, type Fault, type Finding } from './finding.js'
import type { DatabaseComparing } from './database-files.js'
import type { SeenDatabase } from './seen-database.js'

/** Whether a log of `size` records has this tile. */
export function isTileOf(path: string, size: number): boolean {
  const tile = parseTilePath(path)
  if (!tile) return false
  const hashes = Math.floor(size / TILE_WIDTH ** (tile.level === DATA ? 0 : tile.level))
  const full = Math.floor(hashes / TILE_WIDTH)
  if (tile.width === undefined) return tile.index < full
  return tile.index === full && tile.width <= hashes % TILE_WIDTH
}

const isFolder = async (store: Store, path: string): Promise<boolean> =>
  (await store.status(path))?.isDirectory() ?? false

/** The names of an owner's databases: the one that is there, those of before, and the one of a rotation. */
async function knownNames(store: Store, owner: string, database?: SeenDatabase): Promise<string[]> {
  const { before, next } = statePaths(owner)
  const keys = [next.key, ...(await store.names(before)).map((nth) => `${before}/${nth}/key`)]
  const names = await Promise.all(
    keys.map(async (key) => parseSigner((await store.read(key))?.toString() ?? '')?.name),
  )
  if (database && database.status !== 'disabled') names.push(database.signer.name)
  return names.filter((name) => name !== undefined)
}

/** Finds what is in the folder of an owner's databases and is none. */
export async function strayDatabases(
  store: Store,
  owner: string,
  database?: SeenDatabase,
): Promise<Finding[]> {
  const names = await knownNames(store, owner, database)
  const root = sumdbRoot(owner)
  const findings: Finding[] = []
  const look = async (below: string): Promise<void> => {
    for (const name of await store.names(`${root}${below}`)) {
      const path = `${below}/${name}`
      if (names.includes(path.slice(1))) continue
      if (names.some((known) => known.startsWith(`${path.slice(1)}/`))) await look(path)
      else findings.push(strayIn(`${root}${path}`, owner, database))
    }
  }
  await look('')
  return findings
}

const strayIn = (path: string, owner: string, database?: SeenDatabase): Finding =>
  database?.status === 'disabled'
    ? { ...stray(path), mend: `${PLINTH} sumdb disable ${owner}, again` }
    : stray(path)

/** A path below a database that may be of no record, and a look at it. */
type Suspect = { path: string; isStray: () => Promise<boolean> }

/**
 * Yields the faults of files below a database that follow from no record. `isKnown` tells of a path below the data
 * folder whether it was found to be wrong already.
 */
export async function* strayFiles(
  { store, reporter }: DatabaseComparing,
  database: SeenDatabase,
  isKnown: (path: string) => boolean,
): AsyncGenerator<Fault[]> {
  const { folder } = databasePaths(database.owner, database.signer.name)
  for await (const { path, isStray } of suspects(store, folder, database)) {
    if (isKnown(path) || !(await isStray())) continue
    yield await database.alone(async () =>
      (await isStray()) ? reporter.report([noRecord(store, path)]) : [],
    )
  }
}

const noRecord = (store: Store, path: string): Finding => ({
  path,
  fault: 'it follows from no record of the checksum database',
  mend: REBUILD,
  repair: async () => void ((await isFolder(store, path)) ? store.removeFolder(path) : store.remove(path)),
})

const OWN = ['supported', 'latest', 'lookup', 'tile']

async function* suspects(store: Store, folder: string, database: SeenDatabase): AsyncGenerator<Suspect> {
  const others = (await knownNames(store, database.owner, database)).map((name) => `${name}/`)
  for (const name of await store.names(folder))
    if (!OWN.includes(name) && !others.some((other) => other.startsWith(`${database.signer.name}/${name}/`)))
      yield { path: `${folder}/${name}`, isStray: async () => true }
  yield* suspectTiles(store, folder, 'tile', () => database.end().head?.size ?? 0)
  if ((await countLookups(store, `${folder}/lookup`)) > (database.end().head?.size ?? 0))
    yield* suspectLookups(store, folder, 'lookup', database)
}

async function* suspectTiles(
  store: Store,
  folder: string,
  below: string,
  size: () => number,
): AsyncGenerator<Suspect> {
  for (const name of await store.names(`${folder}/${below}`)) {
    const path = `${below}/${name}`
    const full = path.endsWith('.p') ? path.slice(0, -'.p'.length) : undefined
    if (full !== undefined && isTileOf(full, size()))
      yield { path: `${folder}/${path}`, isStray: async () => true } // the full tile has what it has
    else if (await isFolder(store, `${folder}/${path}`)) yield* suspectTiles(store, folder, path, size)
    else yield { path: `${folder}/${path}`, isStray: async () => !isTileOf(path, size()) }
  }
}

// What has an `@` is a file: no path of a module has one.
async function countLookups(store: Store, folder: string): Promise<number> {
  let count = 0
  for (const name of await store.names(folder))
    count += name.includes('@') ? 1 : await countLookups(store, `${folder}/${name}`)
  return count
}

async function* suspectLookups(
  store: Store,
  folder: string,
  below: string,
  database: SeenDatabase,
): AsyncGenerator<Suspect> {
  for (const name of await store.names(`${folder}/${below}`)) {
    const path = `${below}/${name}`
    if (!name.includes('@') && (await isFolder(store, `${folder}/${path}`)))
      yield* suspectLookups(store, folder, path, database)
    else
      yield {
        path: `${folder}/${path}`,
        isStray: async () => !(await isOfRecord(store, folder, path, database)),
      }
  }
}

/** Whether a lookup is of the record whose number it has. */
async function isOfRecord(
  store: Store,
  folder: string,
  path: string,
  { timeline }: SeenDatabase,
): Promise<boolean> {
  if (!(await store.status(`${folder}/${path}`))?.isFile()) return false
  const lookup = parseLookup((await store.read(`${folder}/${path}`))?.toString() ?? '')
  const record = parseRecord((lookup && (await timeline.recordAt(lookup.id))) ?? '')
  return record !== undefined && `lookup/${lookupName(record)}` === path
}
