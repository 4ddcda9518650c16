// What a signed head proves: which hashes are in its log, by tiles that anybody may serve (RFC 6962, section 2.1; as
// golang.org/x/mod/sumdb/tlog TileHashReader). A tile counts when it leads to the root: the tiles that are not full
// give the root, and the hash of a full tile is in the tile above it. Pure: tiles are read by what is given.

import { createHash } from 'node:crypto'
import { Edge, partialTiles, TILE_WIDTH, type HashTile } from './edge.js'
import { HASH_BYTES, subtreeHash } from './hashes.js'
import type { Head } from './note.js'
import { partialPath, tilePath } from './paths.js'

type TilePlace = Omit<HashTile, 'hashes'>

/** Reads the hashes of a tile as somebody serves them: nobody has looked at them. */
export type ReadTile = (tile: TilePlace) => Promise<Buffer>

/** What was served does not prove what it should. */
export class NotProved extends Error {}

/** Full tiles that are kept, of 8 KiB each. */
const KEPT_TILES = 512

/** RFC 6962: the root of a log without records. */
const EMPTY_ROOT = createHash('sha256').digest()

/** The path of a tile below its database. */
export const pathOf = ({ level, index, width }: TilePlace): string =>
  width === TILE_WIDTH ? tilePath(level, index) : partialPath(level, index, width)

const hashIn = (tile: Buffer, at: number): Buffer => tile.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES)

const hashesOf = (tile: Buffer): Buffer[] =>
  Array.from({ length: tile.length / HASH_BYTES }, (_, at) => hashIn(tile, at))

const rootOf = (size: number, tiles: readonly HashTile[]): Buffer =>
  size === 0 ? EMPTY_ROOT : Edge.of(size, tiles).root()

async function readWhole(read: ReadTile, tile: TilePlace): Promise<Buffer> {
  const hashes = await read(tile)
  const { length } = hashes
  if (length === tile.width * HASH_BYTES) return hashes
  throw new NotProved(`${pathOf(tile)} has ${length} bytes, not ${tile.width * HASH_BYTES}`)
}

/** The log of a head. Every hash that it gives is proved by the head. */
export class ProvenLog {
  readonly head: Head
  readonly #read: ReadTile
  /** The tiles that are not full, by their level. */
  readonly #partial: ReadonlyMap<number, Buffer>
  /** Full tiles that are proved, or about to be, by their path; the one that was asked for last is the last. */
  readonly #full = new Map<string, Promise<Buffer>>()

  private constructor(head: Head, read: ReadTile, partial: ReadonlyMap<number, Buffer>) {
    this.head = head
    this.#read = read
    this.#partial = partial
  }

  /** Throws {@link NotProved} when the tiles do not lead to the root of the head. */
  static async of(head: Head, read: ReadTile): Promise<ProvenLog> {
    const tiles = await Promise.all(
      partialTiles(head.size).map(async (tile) => ({ ...tile, hashes: await readWhole(read, tile) })),
    )
    if (!rootOf(head.size, tiles).equals(head.root)) {
      const paths = tiles.map(pathOf).join(', ') || 'a log without records'
      throw new NotProved(`the head of size ${head.size} has another root than ${paths}`)
    }
    return new ProvenLog(head, read, new Map(tiles.map(({ level, hashes }) => [level, hashes])))
  }

  /** The hash of the record `id`. */
  async leafAt(id: number): Promise<Buffer> {
    if (!(id >= 0 && id < this.head.size)) throw new RangeError(`the log has no record ${id}`)
    return this.#hashAt(0, id)
  }

  /** The root that the log had when it had `size` records. */
  async rootAt(size: number): Promise<Buffer> {
    if (!(size >= 0 && size <= this.head.size)) throw new RangeError(`the log never had ${size} records`)
    const tiles = partialTiles(size).map(async (tile) => ({
      ...tile,
      hashes: (await this.#tile(tile.level, tile.index)).subarray(0, tile.width * HASH_BYTES),
    }))
    return rootOf(size, await Promise.all(tiles))
  }

  /** The log of a later head of the same log. `undefined` when it is no continuation of this one. */
  async continuedBy(head: Head): Promise<ProvenLog | undefined> {
    // by tiles of its own: one that is proved by this head alone would prove nothing of the later one
    const later = await ProvenLog.of(head, this.#read)
    const root = await later.rootAt(this.head.size)
    if (!root.equals(this.head.root)) return undefined
    for (const [path, tile] of this.#full) if (!later.#full.has(path)) later.#keep(path, tile)
    return later
  }

  async #hashAt(level: number, at: number): Promise<Buffer> {
    const tile = await this.#tile(level, Math.floor(at / TILE_WIDTH))
    return hashIn(tile, at % TILE_WIDTH)
  }

  /** A tile, with all the hashes that this log has of it. */
  async #tile(level: number, index: number): Promise<Buffer> {
    const isFull = (index + 1) * TILE_WIDTH ** (level + 1) <= this.head.size
    const partial = isFull ? undefined : this.#partial.get(level)
    if (partial) return partial
    const path = tilePath(level, index)
    const known = this.#full.get(path)
    const tile = known ?? this.#prove({ level, index, width: TILE_WIDTH })
    this.#keep(path, tile)
    return tile
  }

  #keep(path: string, tile: Promise<Buffer>): void {
    const isKnown = this.#full.delete(path)
    this.#full.set(path, tile)
    if (!isKnown) tile.catch(() => this.#full.delete(path)) // it may be asked for again
    const [oldest] = this.#full.keys()
    if (this.#full.size > KEPT_TILES && oldest !== undefined) this.#full.delete(oldest)
  }

  async #prove(tile: TilePlace): Promise<Buffer> {
    const above = await this.#hashAt(tile.level + 1, tile.index)
    const hashes = await readWhole(this.#read, tile)
    if (!subtreeHash(hashesOf(hashes)).equals(above))
      throw new NotProved(`${pathOf(tile)} is not the tile of the head of size ${this.head.size}`)
    return hashes
  }
}
