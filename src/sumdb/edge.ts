// The right edge of a transparency log: the hashes of those tiles that are not full yet. It is all that is needed to
// make the log longer, and to know its root. Pure.

import { HASH_BYTES, nodeHash, subtreeHash } from './hashes.js'

/** Hashes in a full tile. */
export const TILE_WIDTH = 256

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
  /** The roots of the complete trees that the log is made of, the largest first: each size is another power of two. */
  readonly #complete: { hash: Buffer; size: number }[] = []

  /** The edge of a log of this size, from its {@link partialTiles}. */
  static of(size: number, tiles: readonly HashTile[]): Edge {
    const edge = new Edge()
    edge.#size = size
    for (let level = 0; hashesAt(level, size) > 0; level++) edge.#levels[level] = []
    for (const { level, width, hashes } of tiles)
      edge.#levels[level] = Array.from({ length: width }, (_, at) =>
        Buffer.from(hashes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES)),
      )
    for (const [level, hashes] of [...edge.#levels.entries()].toReversed())
      for (const hash of hashes) edge.#join(hash, TILE_WIDTH ** level)
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
    edge.#complete.push(...this.#complete)
    return edge
  }

  /** Adds the hash of a record. Returns the tiles that are full now, the lowest first. */
  append(leaf: Buffer): HashTile[] {
    const full: HashTile[] = []
    this.#size++
    this.#join(leaf, 1)
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
    const [last, ...others] = this.#complete.toReversed()
    if (!last) throw new RangeError('a log without records has no root')
    return others.reduce((root, { hash }) => nodeHash(hash, root), last.hash)
  }

  /** Adds the root of a complete tree of `size` leaves at the end; two of one size become one. */
  #join(hash: Buffer, size: number): void {
    let joined = { hash, size }
    for (let last = this.#complete.at(-1); last?.size === joined.size; last = this.#complete.at(-1)) {
      joined = { hash: nodeHash(last.hash, joined.hash), size: 2 * joined.size }
      this.#complete.pop()
    }
    this.#complete.push(joined)
  }
}
