// The truth of a log, records and heads, and everything that follows from it.

import { messageOf } from '../errors.js'
import { AppendFile, Unsynced } from '../store/append-file.js'
import type { Store } from '../store/store.js'
import { waitForAll } from '../store/wait-for-all.js'
import { DamagedLog } from './damaged-log.js'
import { Edge, partialTiles, TILE_WIDTH, type HashTile } from './edge.js'
import { Growth, type DatabaseFile } from './growth.js'
import { HASH_BYTES, leafHash } from './hashes.js'
import { headLine, readHeads, type HeadLine, type SignedHead } from './heads-file.js'
import { headText, type Verifier } from './note.js'
import { databasePaths, lookupName, partialPath, statePaths, tilePath } from './paths.js'
import { lookupText, parseRecord } from './record.js'
import { lastRecords, readRecords } from './records-file.js'

/** Records in one commit. */
export const MAX_GROUP = 256

/** Partial data tiles that are kept: who reads records is at one of the last heads. */
export const DATA_WIDTHS = 4

/** A place in a log: at which head, and where the line of the next head begins. */
export type LogPlace = { head: SignedHead | undefined; end: number }

/** Before the first record. */
export const BEGINNING: LogPlace = { head: undefined, end: 0 }

export const placeOf = (line: HeadLine | undefined): LogPlace =>
  line ? { head: line.head, end: line.end } : BEGINNING

/** An append failed, and nobody knows how long the files are on the disk. `cause` is why it failed. */
export class UnknownEnd extends Error {
  override readonly name = 'UnknownEnd'
  /** A sync failed. */
  readonly isOfDisk: boolean

  constructor(cause: unknown) {
    super(messageOf(cause), { cause })
    this.isOfDisk = cause instanceof Unsynced
  }
}

export class Truth {
  readonly records: AppendFile
  readonly heads: AppendFile
  readonly #store: Store
  readonly #owner: string

  constructor(store: Store, owner: string) {
    const paths = statePaths(owner)
    this.#store = store
    this.#owner = owner
    this.records = new AppendFile(store.at(paths.records))
    this.heads = new AppendFile(store.at(paths.heads))
  }

  /**
   * Appends records and their head at `place`, side by side. Both are on the disk when it resolves. When it throws the
   * truth is what it was, unless that is an {@link UnknownEnd}.
   */
  async extend({ head: last, end }: LogPlace, records: Buffer, head: Buffer): Promise<void> {
    const bytes = last?.bytes ?? 0
    const appending = [this.records.append(records, bytes), this.heads.append(head, end)]
    const failures = (await Promise.allSettled(appending)).flatMap((result) =>
      result.status === 'rejected' ? [result.reason as unknown] : [],
    )
    const unsynced = failures.find((failure) => failure instanceof Unsynced)
    if (unsynced) throw new UnknownEnd(unsynced)
    if (failures.length === 0) return
    try {
      await waitForAll([this.heads.truncate(end), this.records.truncate(bytes)])
    } catch (error) {
      throw new UnknownEnd(error)
    }
    throw failures[0]
  }

  /** Whether both files are there, empty or not. */
  async isThere(): Promise<boolean> {
    const { records, heads } = statePaths(this.#owner)
    return (await this.#store.exists(records)) && (await this.#store.exists(heads))
  }

  /** The place of the head of this size; `undefined` when none was signed. Reads the heads from the first one. */
  async placeAt(size: number): Promise<LogPlace | undefined> {
    let end = 0
    for await (const head of readHeads(this.heads, { start: 0, end: await this.heads.size() })) {
      end += headLine(head).length
      if (head.size === size) return { head, end }
      if (head.size > size) return undefined
    }
    return undefined
  }

  /** The log at a head, from all of its records. Throws {@link DamagedLog} when they are not those of the head. */
  async growthFromRecords({ head }: LogPlace): Promise<Growth> {
    const edge = new Edge()
    if (!head) return new Growth(edge)
    for await (const record of readRecords(this.records, 0, head.bytes)) edge.append(leafHash(record))
    if (edge.size !== head.size || !edge.root().equals(head.root))
      throw new DamagedLog(`the records are not those of the head of size ${head.size}`)
    return new Growth(edge, await lastRecords(this.records, head.bytes, head.size % TILE_WIDTH))
  }

  /**
   * The log at a head, from the tiles of the database `name`. `undefined` when these do not have it, or the last
   * records are not those of the tiles.
   */
  async growthFromTiles(owner: string, name: string, { head }: LogPlace): Promise<Growth | undefined> {
    if (!head) return new Growth()
    const { at } = databasePaths(owner, name)
    const tiles: HashTile[] = []
    for (const tile of partialTiles(head.size)) {
      const { level, index, width } = tile
      const bytes =
        (await this.#store.read(at(partialPath(level, index, width)))) ??
        (await this.#store.read(at(tilePath(level, index)))) // its beginning is what the partial one was
      const hashes = bytes?.subarray(0, width * HASH_BYTES)
      if (hashes?.length !== width * HASH_BYTES) return undefined
      tiles.push({ ...tile, hashes })
    }
    const edge = Edge.of(head.size, tiles)
    if (!edge.root().equals(head.root)) return undefined
    const records = await lastRecords(this.records, head.bytes, head.size % TILE_WIDTH)
    const leaves = tiles.find(({ level }) => level === 0)
    const isOne = (record: string, nth: number): boolean =>
      leaves !== undefined &&
      leafHash(record).equals(leaves.hashes.subarray(nth * HASH_BYTES, (nth + 1) * HASH_BYTES))
    // They become the next data tile.
    return records.every(isOne) ? new Growth(edge, records) : undefined
  }

  /**
   * Yields the tiles that come from `from`, where the log is `growth`, to `to`: the full ones, and those that are not
   * full at `to`, in every width that a head between the two has, or in that of the `last` one alone. Throws
   * {@link DamagedLog} when the records are not those of a head.
   */
  async *tiles(
    growth: Growth,
    from: LogPlace,
    to: LogPlace,
    widths: 'all' | 'last' = 'all',
  ): AsyncGenerator<DatabaseFile> {
    if (!to.head) return
    const last = to.head.size
    const isFinal = (path: string): boolean => finalTiles.some((tile) => path.startsWith(tile))
    const finalTiles = partialTiles(last).map(({ level, index }) => `${tilePath(level, index)}.p/`)
    const data: DatabaseFile[] = []
    const heads = readHeads(this.heads, { start: from.end, end: to.end })
    try {
      let next = (await heads.next()).value as SignedHead | undefined
      let before = from.head?.size ?? 0
      for await (const record of readRecords(this.records, from.head?.bytes ?? 0, to.head.bytes)) {
        yield* growth.append(record)
        if (growth.size !== next?.size) continue
        if (!growth.root().equals(next.root))
          throw new DamagedLog(`the records are not those of the head of size ${next.size}`)
        next = (await heads.next()).value as SignedHead | undefined
        if (widths === 'last' && growth.size < last) continue
        for (const file of growth.partials(before)) if (isFinal(file.path)) yield file
        before = growth.size
        const partial = growth.partialData()
        if (partial && Math.floor(growth.size / TILE_WIDTH) === Math.floor(last / TILE_WIDTH))
          data.splice(0, data.length, ...data.slice(-(DATA_WIDTHS - 1)), partial)
      }
      if (growth.size !== last) throw new DamagedLog(`the records end before the head of size ${last}`)
    } finally {
      await heads.return(undefined) // it has a file open
    }
    yield* data
  }

  /** Yields the lookups from `from` to `to`, each with the head at `to`. */
  async *lookups(verifier: Verifier, from: LogPlace, to: LogPlace): AsyncGenerator<DatabaseFile> {
    if (!to.head) return
    const text = headText(verifier, to.head, to.head.signature)
    let id = from.head?.size ?? 0
    for await (const record of readRecords(this.records, from.head?.bytes ?? 0, to.head.bytes))
      yield lookupFile(id++, record, text)
  }
}

/** The file of one record. */
export function lookupFile(id: number, record: string, head: string): DatabaseFile {
  const parsed = parseRecord(record)
  if (!parsed) throw new DamagedLog(`record ${id} is damaged`)
  return { path: `lookup/${lookupName(parsed)}`, content: Buffer.from(lookupText(id, record, head)) }
}

export const latestFile = (verifier: Verifier, head: SignedHead): DatabaseFile => ({
  path: 'latest',
  content: Buffer.from(headText(verifier, head, head.signature)),
})
