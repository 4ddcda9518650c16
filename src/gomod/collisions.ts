// Finds names in a zip that cannot be extracted side by side. Pure.

import { quote } from '../errors.js'
import { fold } from './fold.js'

/** How many files and folders are compared (ours), for time and memory. The largest known modules have 70,000. */
const MAX_NODES = 250_000
const FIRST_CAPACITY = 1024

/**
 * x/mod/zip collisionChecker: names equal under case folding, files that are also folders, entries that come twice.
 * Every file and folder is one node, found by its parent's number and its own folded name: the cost of a path grows
 * with its length, not with the square of it.
 *
 * A node is some 30 bytes, since a hostile zip has as many as are allowed. It finds its name in a path that was added,
 * and has a hash of 64 bits of its folded name: names that are equal under folding always have the same one. Two others
 * that share one are told to collide, which needs a zip that was made for it.
 */
export class Collisions {
  readonly #pathOf: (index: number) => string
  /** Numbers of nodes by their hash; 0 is free. At most half of it is used. */
  #slots = new Int32Array(2 * FIRST_CAPACITY)
  /** Of each node: the hash of its parent and its folded name, in two halves. */
  #hashes = new Uint32Array(2 * FIRST_CAPACITY)
  /** Of each node: the index of a path that has it, and how many characters of the path lead to its end. */
  #places = new Uint32Array(2 * FIRST_CAPACITY)
  /** Of each node: 1 for a folder. */
  #folders = new Uint8Array(FIRST_CAPACITY)
  /** Nodes are numbered from 1; 0 is the root. */
  #count = 0
  /** The path that was asked for last: neighbours in a zip share folders. */
  #asked = { index: -1, path: '' }

  /** `pathOf` tells a path that was added, by its index. */
  constructor(pathOf: (index: number) => string) {
    this.#pathOf = pathOf
  }

  /** Adds a path, without a slash at its end. Returns why it collides with an earlier one, or `undefined`. */
  add(path: string, folder: boolean, index: number): string | undefined {
    for (let parent = 0, start = 0; ;) {
      const slash = path.indexOf('/', start)
      const last = slash < 0
      const end = last ? path.length : slash
      const isFolder = !last || folder
      const hash = hashOf(parent, fold(path.slice(start, end)))
      const node = this.#find(hash)
      if (node > 0) {
        const problem = this.#collision(node, path, { start, end }, isFolder, last)
        if (problem !== undefined) return problem
        this.#places[2 * node] = index
      } else if (this.#count >= MAX_NODES) {
        return `one of over ${MAX_NODES} files and folders`
      } else {
        this.#make(hash, index, end, isFolder)
      }
      if (last) return undefined
      parent = node > 0 ? node : this.#count
      start = end + 1
    }
  }

  #find([high, low]: Hash): number {
    for (let slot = high; ; slot++) {
      const node = this.#slots[slot & (this.#slots.length - 1)] ?? 0
      if (node === 0 || (this.#hashes[2 * node] === high && this.#hashes[2 * node + 1] === low)) return node
    }
  }

  #make(hash: Hash, index: number, end: number, folder: boolean): void {
    const node = ++this.#count
    if (node >= this.#folders.length) this.#grow()
    this.#hashes.set(hash, 2 * node)
    this.#places.set([index, end], 2 * node)
    this.#folders[node] = folder ? 1 : 0
    this.#fill(node)
  }

  #fill(node: number): void {
    let slot = this.#hashes[2 * node] ?? 0
    while (this.#slots[slot & (this.#slots.length - 1)] !== 0) slot++
    this.#slots[slot & (this.#slots.length - 1)] = node
  }

  #grow(): void {
    const twice = <T extends Uint8Array | Uint32Array>(array: T, into: T): T => (into.set(array), into)
    this.#hashes = twice(this.#hashes, new Uint32Array(2 * this.#hashes.length))
    this.#places = twice(this.#places, new Uint32Array(2 * this.#places.length))
    this.#folders = twice(this.#folders, new Uint8Array(2 * this.#folders.length))
    this.#slots = new Int32Array(2 * this.#slots.length)
    for (let node = 1; node < this.#count; node++) this.#fill(node)
  }

  // The folders above are known to be the same in both paths.
  #collision(
    node: number,
    path: string,
    { start, end }: { start: number; end: number },
    folder: boolean,
    last: boolean,
  ): string | undefined {
    const [index = 0, otherEnd = 0] = this.#places.subarray(2 * node, 2 * node + 2)
    if (index !== this.#asked.index) this.#asked = { index, path: this.#pathOf(index) }
    const other = this.#asked.path
    const here = path.slice(0, end)
    if (other.slice(start, otherEnd) !== path.slice(start, end))
      return `case-insensitive file name collision: ${quote(other.slice(0, otherEnd))} and ${quote(here)}`
    if ((this.#folders[node] === 1) !== folder) return `entry ${quote(here)} is both a file and a directory`
    return folder || !last ? undefined : `multiple entries for file ${quote(here)}`
  }
}

type Hash = readonly [high: number, low: number]

/** Differs in each process: which names share slots is not known beforehand. */
const SEEDS = crypto.getRandomValues(new Uint32Array(2))

function hashOf(parent: number, name: string): Hash {
  let high = (SEEDS[0] ?? 0) ^ parent
  let low = (SEEDS[1] ?? 0) + parent
  for (let i = 0; i < name.length; i++) {
    const unit = name.charCodeAt(i)
    high = Math.imul(high ^ unit, 0x9e3779b1)
    high ^= high >>> 15
    low = Math.imul((low << 13) | (low >>> 19), 5) + Math.imul(unit + 1, 0xcc9e2d51)
  }
  return [mix(high), mix(low)]
}

/** The last steps of MurmurHash3: every bit of the number changes every other. */
function mix(number: number): number {
  let bits = number
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}
