// The right edge of a transparency log: the hashes of those tiles that are not full yet. It is all that is needed to
// make the log longer, and to know its root. Pure.

import { HASH_BYTES, nodeHash, subtreeHash } from './hashes.js'

/** Hashes in a full tile. */
export const TILE_WIDTH = 256
const TILE_BITS = 8

/** A tile of hashes: the one at `index` of its `level`, with `width` hashes of 32 bytes each. */
export type HashTile = { level: number; index: number; width: number; hashes: Buffer }

/** How many hashes a level has in a log of this size. */
const hashesAt = (level: number, size: number): number => Math.floor(size / TILE_WIDTH ** level)

/** The tiles that are not full in a log of this size. */
export function partialTiles(size: number): Omit<HashTile, 'hashes'>[] {
  const tiles: Omit<HashTile, 'hashes'>[] = []
  for (let level = 0; hashesAt(level, size) > 0; level++) {
    const hashes = hashesAt(level, size)
    const width = hashes % TILE_WIDTH
    if (width > 0) tiles.push({ level, index: Math.floor(hashes / TILE_WIDTH), width })
  }
  return tiles
}

export class Edge {
  #size = 0
  /** Of each level, the hashes of its last tile while that is not full. */
  readonly #levels: Buffer[][] = []

  /** The edge of a log of this size, from its {@link partialTiles}. */
  static of(size: number, tiles: readonly HashTile[]): Edge {
    const edge = new Edge()
    edge.#size = size
    for (let level = 0; hashesAt(level, size) > 0; level++) edge.#levels[level] = []
    for (const { level, width, hashes } of tiles)
      edge.#levels[level] = Array.from({ length: width }, (_, at) =>
        Buffer.from(hashes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES)),
      )
    return edge
  }

  /** The number of records. */
  get size(): number {
    return this.#size
  }

  clone(): Edge {
    const edge = new Edge()
    edge.#size = this.#size
    for (const hashes of this.#levels) edge.#levels.push([...hashes])
    return edge
  }

  /** Adds the hash of a record. Returns the tiles that are full now, the lowest first. */
  append(leaf: Buffer): HashTile[] {
    const full: HashTile[] = []
    this.#size++
    let hash = leaf
    for (let level = 0; ; level++) {
      const hashes = (this.#levels[level] ??= [])
      hashes.push(hash)
      if (hashes.length < TILE_WIDTH) return full
      const index = hashesAt(level, this.#size) / TILE_WIDTH - 1
      full.push({ level, index, width: TILE_WIDTH, hashes: Buffer.concat(hashes) })
      hash = subtreeHash(hashes)
      this.#levels[level] = []
    }
  }

  /** The tiles that are not full, the lowest first. */
  tiles(): HashTile[] {
    return partialTiles(this.#size).map((tile) => ({
      ...tile,
      hashes: Buffer.concat(this.#levels[tile.level] ?? []),
    }))
  }

  /** The root of the log, which has a record at least. */
  root(): Buffer {
    let root: Buffer | undefined
    for (const hashes of this.#levels) {
      let end = hashes.length
      for (let bit = 0; bit < TILE_BITS; bit++) {
        const width = 2 ** bit
        if ((hashes.length & width) === 0) continue
        const subtree = subtreeHash(hashes, end - width, end)
        root = root ? nodeHash(subtree, root) : subtree
        end -= width
      }
    }
    if (!root) throw new RangeError('a log without records has no root')
    return root
  }
}
