// Writes a body to the disk as it comes in, from a request or from a file of this machine. The bytes are counted and
// hashed on their way. Memory is bounded, whatever the size of the body and however many come at once.

import { createHash } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'
import { Refusal } from '../errors.js'
import { doneWith } from '../shares/free-buffers.js'
import type { Holding } from '../shares/budget.js'
import type { FreeSpace, Reservation } from './free-space.js'
import type { Store } from './store.js'
import { syncHandle } from './sync.js'
import type { UploadFolder } from './temps.js'

/** Bytes that are gathered before a write, so that a body costs few system calls. At most two batches exist. */
export const BATCH_BYTES = 2 ** 20
/** The pieces of a batch at most, for a body that comes in tiny pieces. */
const BATCH_PIECES = 1024
/** Bytes of written bodies after which their buffers are freed. */
const COLLECT_BYTES = 4 * 2 ** 20
/** What a piece takes beside its bytes: the objects that hold it. */
const PIECE_OVERHEAD = 256
/** Bytes after which a sync is begun while the body still comes: the sync at the end has less to wait for. */
const SYNC_BYTES = 32 * 2 ** 20
/** A body with fewer unsynced bytes need not sync them because others have many: each sync has its price. */
const LEAST_SYNC_BYTES = 2 ** 20

/** A body that was written whole: `path` is absolute, `size` in bytes, `sha256` in hex. */
export type Received = { path: string; size: number; sha256: string }

/** The 413 for a body of over `limit` bytes. */
export const tooLarge = (limit: number): Refusal =>
  new Refusal(413, `the upload is too large: at most ${limit} bytes are taken`)

/** What a body shares with others that come at the same time. */
export type Sharing = {
  /** Runs what keeps the disk busy, in its turn. */
  turn: <T>(action: () => Promise<T>) => Promise<T>
  /** Bytes that wait for the disk in memory. */
  memory: Holding
  /** Bytes that were written and not yet synced: whoever syncs a small file may have to wait for them. */
  unsynced: Holding
}

/**
 * Where a body is written. `path` is absolute and new, `limit` in bytes; `reservation` is of this body. Without
 * `sharing` nothing is waited for but the disk.
 */
export type Writing = {
  path: string
  limit: number
  reservation: Reservation
  sharing?: Sharing
}

const UNBOUND: Holding = { take: () => true, give: () => {}, end: () => {} }
const ALONE: Sharing = { turn: (action) => action(), memory: UNBOUND, unsynced: UNBOUND }

/**
 * Writes what `next` yields to a new file. Rejects as soon as `next` does. The end of the file is not synced. A piece
 * of BATCH_BYTES is written before the second one after it is asked for, so a caller can reuse two buffers in turn.
 * Without memory for a piece, it and those before it are written before the next one is asked for; when too much is
 * unsynced, the body's own bytes are synced before. So a body always goes on, piece by piece. What it holds of what is
 * shared in the end is the caller's to end.
 * Throws a {@link Refusal}: 413 over the limit, 507 when the disk is full.
 */
export async function writeBody(
  next: () => Promise<IteratorResult<Buffer>>,
  writing: Writing,
): Promise<Received> {
  const writer = new BodyWriter(await open(writing.path, 'wx', 0o600), writing)
  try {
    for (let piece = await next(); !piece.done; piece = await next()) {
      writer.add(piece.value)
      if (writer.isFull) await writer.flush()
    }
    return await writer.finish()
  } finally {
    await writer.close()
  }
}

/**
 * One body on its way to its file. Pieces are gathered into a batch. One batch is written while the next one is
 * gathered. A check of the free space runs beside each write, a sync beside some.
 */
class BodyWriter {
  /** The file, open for writing. {@link close} closes it. */
  readonly #file: FileHandle
  /** The file's path, the limit, and the room that is promised to the body. */
  readonly #target: Writing
  /** What it shares with other bodies. */
  readonly #sharing: Sharing
  /** The hash of all bytes so far. */
  readonly #hash = createHash('sha256')
  /** The number of all bytes so far. */
  #size = 0
  /** Pieces that were added since the last flush. */
  #batch: Buffer[] = []
  /** The bytes of the pieces in the batch. */
  #batchBytes = 0
  /** Memory that was taken for the batch. */
  #batchTaken = 0
  /** Whether there was no memory for the last piece of the batch. */
  #isShort = false
  /** The write of the last batch. It is awaited before the next write, and at the end. */
  #writing: Promise<void> = Promise.resolve()
  /** The check that the disk is not full. It is awaited before the next write, and at the end. */
  #fitting: Promise<void> = Promise.resolve()
  /** The last sync that was begun early. It is awaited before the next sync, and at the end. */
  #syncing: Promise<void> = Promise.resolve()
  /** Bytes that were flushed since the last sync was begun. */
  #unsynced = 0
  /** Those of them that were taken of what may be unsynced. */
  #unsyncedTaken = 0

  constructor(file: FileHandle, target: Writing) {
    this.#file = file
    this.#target = target
    this.#sharing = target.sharing ?? ALONE
  }

  /** Counts, hashes and keeps a piece. Throws a 413 when the body gets too large. */
  add(piece: Buffer): void {
    this.#hash.update(piece)
    this.#size += piece.length
    if (this.#size > this.#target.limit) throw tooLarge(this.#target.limit)
    this.#batch.push(piece)
    this.#batchBytes += piece.length
    const memory = piece.length + PIECE_OVERHEAD
    if (this.#sharing.memory.take(memory)) this.#batchTaken += memory
    else this.#isShort = true
  }

  /** Whether {@link flush} must be called before the next piece is added. */
  get isFull(): boolean {
    return this.#isShort || this.#batchBytes >= BATCH_BYTES || this.#batch.length >= BATCH_PIECES
  }

  /** Begins to write the batch. Waits until the batch before it is written, and for this one when memory is short. */
  async flush(): Promise<void> {
    const isShort = this.#isShort
    await Promise.all([this.#writing, this.#fitting])
    const [pieces, bytes, taken] = [this.#batch, this.#batchBytes, this.#batchTaken]
    this.#batch = []
    this.#batchBytes = this.#batchTaken = 0
    this.#isShort = false
    const { reservation } = this.#target
    const { turn, memory } = this.#sharing
    this.#writing = turn(() => writeAll(this.#file, pieces, bytes))
      .then(() => reservation.wrote(bytes))
      .finally(() => {
        memory.give(taken)
        doneWith(bytes, COLLECT_BYTES)
      })
    // The check runs beside the write and not before the next piece: its answer may have to wait for a processor.
    this.#fitting = reservation.extend()
    // A rejection is not unhandled: each promise is awaited later.
    for (const begun of [this.#writing, this.#fitting]) begun.catch(() => {})
    await this.#syncSome(bytes)
    if (isShort) await this.#writing
  }

  // An fsync that fails may be the only one that reports the error: nothing goes on after it.
  async #syncSome(flushed: number): Promise<void> {
    const { turn, unsynced } = this.#sharing
    this.#unsynced += flushed
    const fits = unsynced.take(flushed)
    if (fits) this.#unsyncedTaken += flushed
    const most = fits ? SYNC_BYTES : LEAST_SYNC_BYTES
    if (this.#unsynced < most) return
    if (!fits) await this.#writing
    await this.#syncing
    const taken = this.#unsyncedTaken
    this.#unsynced = this.#unsyncedTaken = 0
    this.#syncing = turn(() => syncHandle(this.#file, 'body')).then(() => unsynced.give(taken))
    this.#syncing.catch(() => {}) // it is awaited later
    if (!fits) await this.#syncing
  }

  /** Writes the last batch. Waits for all that was begun. */
  async finish(): Promise<Received> {
    await this.flush()
    await Promise.all([this.#writing, this.#fitting])
    await this.#syncing
    return { path: this.#target.path, size: this.#size, sha256: this.#hash.digest('hex') }
  }

  /** Closes the file when nothing uses it any more, whether the body was written or not. */
  async close(): Promise<void> {
    await this.#writing.catch(() => {})
    await this.#syncing.catch(() => {})
    await this.#file.close()
  }
}

/** Writes the pieces without copying them; `bytes` is the sum of their lengths. */
async function writeAll(file: FileHandle, pieces: Buffer[], bytes: number): Promise<void> {
  if (bytes === 0) return
  const { bytesWritten } = await file.writev(pieces)
  // A disk that is almost full takes a part. The rest is tried again, and its error is the error of the body.
  if (bytesWritten < bytes) await file.writeFile(Buffer.concat(pieces).subarray(bytesWritten))
}

/** An upload of so many `bytes`, 0 when not known. What no `account` sends has no share of the free space. */
type Announced = { bytes: number; account?: string }

/**
 * Runs `use` with a new folder for an upload and a reservation of its bytes. Gives both back when `use` has ended,
 * whatever happened. Throws a 507 when the bytes do not fit.
 */
export async function withUpload<T>(
  { store, freeSpace }: { store: Store; freeSpace: FreeSpace },
  { bytes, account }: Announced,
  use: (upload: UploadFolder, reservation: Reservation) => Promise<T>,
): Promise<T> {
  const reservation = await freeSpace.reserve(bytes, account)
  try {
    const upload = await store.newUpload()
    try {
      return await use(upload, reservation)
    } finally {
      await store.discard(upload)
    }
  } finally {
    reservation.end()
  }
}
