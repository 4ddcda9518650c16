// A log that grows: which tiles its next records make. Pure.

import { Edge, TILE_WIDTH, type HashTile } from './edge.js'
import { leafHash } from './hashes.js'
import { DATA, partialPath, tilePath } from './paths.js'

/** A file below a database, as it should be. */
export type DatabaseFile = { path: string; content: Buffer }

const fileOf = ({ level, index, width, hashes }: HashTile): DatabaseFile => ({
  path: width === TILE_WIDTH ? tilePath(level, index) : partialPath(level, index, width),
  content: hashes,
})

// each with an empty line behind it
const dataOf = (records: readonly string[]): Buffer =>
  Buffer.from(records.map((record) => `${record}\n`).join(''))

export class Growth {
  readonly #edge: Edge
  /** The records of the data tile that is not full. */
  #records: string[]

  /** `records` are those of the last data tile, as long as that is not full. */
  constructor(edge = new Edge(), records: readonly string[] = []) {
    this.#edge = edge
    this.#records = [...records]
  }

  get size(): number {
    return this.#edge.size
  }

  clone(): Growth {
    return new Growth(this.#edge.clone(), this.#records)
  }

  /** The root; the log has a record at least. */
  root(): Buffer {
    return this.#edge.root()
  }

  /** Adds a record. Returns the tiles that are full now. */
  append(record: string): DatabaseFile[] {
    this.#records.push(record)
    const files = this.#edge.append(leafHash(record)).map(fileOf)
    if (this.#records.length < TILE_WIDTH) return files
    const data = { path: tilePath(DATA, this.size / TILE_WIDTH - 1), content: dataOf(this.#records) }
    this.#records = []
    return [data, ...files]
  }

  /** The tiles that are not full, but for those that were the same in a log of `before` records. */
  partials(before = 0): DatabaseFile[] {
    return this.#edge
      .tiles()
      .filter(({ level }) => !isSame(level, before, this.size))
      .map(fileOf)
  }

  /** The data tile that is not full; `undefined` when there is none. */
  partialData(): DatabaseFile | undefined {
    if (this.#records.length === 0) return undefined
    const path = partialPath(DATA, Math.floor(this.size / TILE_WIDTH), this.#records.length)
    return { path, content: dataOf(this.#records) }
  }
}

const isSame = (level: number, before: number, after: number): boolean =>
  Math.floor(before / TILE_WIDTH ** level) === Math.floor(after / TILE_WIDTH ** level)
