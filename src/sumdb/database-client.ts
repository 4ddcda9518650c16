// A client of a checksum database, as golang.org/x/mod/sumdb Client. What a database serves is proved by heads that its
// key signed, and all of these are of one log. Pure: its files are read by what is given.

import { HASH_BYTES, leafHash } from './hashes.js'
import { TILE_WIDTH } from './edge.js'
import { openHead, type Head, type Verifier } from './note.js'
import { lookupName, tilePath } from './paths.js'
import { NotProved, pathOf, ProvenLog, type ReadTile } from './proof.js'
import { MAX_RECORD_BYTES, parseLookup, parseRecord, type GoSums } from './record.js'

/** Reads a file of a database by its path, of `most` bytes at most; `undefined` when it is not there. */
export type DatabaseFiles = { read: (path: string, most: number) => Promise<Buffer | undefined> }

/** A head, and its text with the signature. */
export type NotedHead = Head & { text: string }

/** The bytes of a head with the signatures of many witnesses. */
const MAX_HEAD_BYTES = 64 * 1024
const MAX_LOOKUP_BYTES = MAX_RECORD_BYTES + MAX_HEAD_BYTES
const MAX_TILE_BYTES = TILE_WIDTH * HASH_BYTES

/** `21 records, root AbC=`. */
export const headName = ({ size, root }: Head): string => `${size} records, root ${root.toString('base64')}`

/** Two heads that the key signed are not of one log: who has the key shows one log to some, another one to others. */
export class ForkedLog extends Error {
  /** The texts of both heads, the one that was known first. */
  readonly heads: readonly [string, string]

  constructor(known: NotedHead, shown: NotedHead, why: string) {
    super(`the heads of ${headName(known)}, and of ${headName(shown)}, are not of one log: ${why}`)
    this.heads = [known.text, shown.text]
  }
}

const verifierName = ({ name, id }: Verifier): string => `${name}+${id}`

/** Reads the tile itself, and where that is not there any more the beginning of the full one, as go does. */
const tilesOf =
  (files: DatabaseFiles): ReadTile =>
  async (tile) => {
    const found = await files.read(pathOf(tile), MAX_TILE_BYTES)
    if (found) return found
    const full = await files.read(tilePath(tile.level, tile.index), MAX_TILE_BYTES)
    if (full) return full.subarray(0, tile.width * HASH_BYTES)
    throw new NotProved(`${pathOf(tile)} is not there`)
  }

function headIn(text: string, verifier: Verifier): NotedHead | undefined {
  const head = openHead(text, verifier)
  return head && { ...head, text }
}

export class DatabaseClient {
  readonly #files: DatabaseFiles
  readonly #verifier: Verifier
  /** The newest head that was shown; all others are heads of its log. */
  #newest: NotedHead
  #log: ProvenLog
  /** Ends when the log is that of the newest head which was shown: one step is made at a time. */
  #growing: Promise<void> = Promise.resolve()

  private constructor(files: DatabaseFiles, verifier: Verifier, newest: NotedHead, log: ProvenLog) {
    this.#files = files
    this.#verifier = verifier
    this.#newest = newest
    this.#log = log
  }

  /**
   * Reads the newest head, which must continue the log of the head `remembered`. Throws {@link ForkedLog} when it does
   * not, and {@link NotProved} when that cannot be told by what is served.
   */
  static async open(
    files: DatabaseFiles,
    verifier: Verifier,
    remembered?: NotedHead,
  ): Promise<DatabaseClient> {
    const bytes = await files.read('latest', MAX_HEAD_BYTES)
    if (!bytes)
      throw new NotProved('latest is not there: is that the folder of the database, …/go/sumdb/NAME?')
    const newest = headIn(bytes.toString(), verifier)
    if (!newest) throw new NotProved(`latest is no head that ${verifierName(verifier)} signed`)
    if (remembered && remembered.size > newest.size)
      throw new ForkedLog(remembered, newest, 'the second one has fewer records')
    const client = new DatabaseClient(files, verifier, newest, await ProvenLog.of(newest, tilesOf(files)))
    if (remembered) await client.#checkOlder(remembered, newest)
    return client
  }

  /** The newest head that was shown and proved. */
  get newest(): NotedHead {
    return this.#newest
  }

  /**
   * What is recorded of a version, proved by the newest head; `undefined` when there is no record. Throws
   * {@link NotProved} and {@link ForkedLog}.
   */
  async lookup(version: { module: string; version: string }): Promise<GoSums | undefined> {
    const path = `lookup/${lookupName(version)}`
    const bytes = await this.#files.read(path, MAX_LOOKUP_BYTES)
    if (!bytes) return undefined
    const { id, record: text, head: headText } = parseLookup(bytes.toString()) ?? {}
    const record = parseRecord(text ?? '')
    if (id === undefined || headText === undefined || !record)
      throw new NotProved(`${path} is not the answer of a checksum database`)
    if (record.module !== version.module || record.version !== version.version)
      throw new NotProved(`${path} is the record of another version`)
    const head = headIn(headText, this.#verifier)
    if (!head) throw new NotProved(`${path} has no head that ${verifierName(this.#verifier)} signed`)
    if (id >= head.size) throw new NotProved(`${path} is record ${id}, which its head does not have`)
    await this.take(head)
    const leaf = await this.#log.leafAt(id)
    if (!leaf.equals(leafHash(text ?? ''))) throw new NotProved(`${path} is not record ${id} of the log`)
    return record.sums
  }

  /** Takes a head that was shown here or elsewhere: it must be one of the log, or the log grows to it. */
  async take(head: NotedHead): Promise<void> {
    if (head.size <= this.#newest.size) return this.#checkOlder(head, head)
    const grown = this.#growing.then(() => this.#growTo(head))
    this.#growing = grown.catch(() => {}) // who asked is told
    return grown
  }

  async #growTo(head: NotedHead): Promise<void> {
    if (head.size <= this.#newest.size) return this.#checkOlder(head, head)
    const later = await this.#log.continuedBy(head)
    if (!later) throw new ForkedLog(this.#newest, head, 'its first records are others')
    this.#log = later
    this.#newest = head
  }

  /** Throws unless `head` is of the log. `shown` is what has just been shown, one of the two. */
  async #checkOlder(head: NotedHead, shown: NotedHead): Promise<void> {
    const newest = this.#newest
    const root = await this.#log.rootAt(head.size)
    if (root.equals(head.root)) return
    const [first, second] = shown === head ? [newest, head] : [head, newest]
    throw new ForkedLog(
      first,
      second,
      `the first ${head.size} records have the root ${root.toString('base64')}`,
    )
  }
}
