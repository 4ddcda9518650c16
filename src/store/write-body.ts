// Bytes on their way to the disk, wherever they come from: streamed, counted and hashed, in bounded memory whatever
// their number.

import { createHash } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'
import { Refusal } from '../errors.js'
import type { Reservation, Room } from './free-space.js'
import type { Store } from './store.js'
import type { Upload } from './temps.js'

/** Bytes gathered before a write, so that a body costs few system calls. Two batches exist at most. */
export const BATCH_BYTES = 2 ** 20
/** The same for a body that comes in tiny pieces. */
const BATCH_PIECES = 1024
/** Bytes after which what is written so far goes to the disk, while the body still comes: the end waits for less. */
const SYNC_BYTES = 64 * 2 ** 20

/** A body that is on the disk: `path` is absolute, `size` in bytes, `sha256` in hex. */
export type Received = { path: string; size: number; sha256: string }

/** The 413 of a body over `limit` bytes. */
export const tooLarge = (limit: number): Refusal =>
  new Refusal(413, `the upload is too large: at most ${limit} bytes are taken`)

/** Where to (`path` is absolute and new), how much at most (bytes), and the room for it. */
export type Writing = { path: string; limit: number; room: Room; reservation: Reservation }

/**
 * Writes what `next` gives until it is done; rejects as soon as `next` does. Not synced to its end. A piece of BATCH_BYTES is
 * written before the second one after it is asked for.
 * Throws a {@link Refusal}: 413 over the limit, 507 when there is no room any more.
 */
export async function writeBody(
  next: () => Promise<IteratorResult<Buffer>>,
  { path, limit, room, reservation }: Writing,
): Promise<Received> {
  const hash = createHash('sha256')
  const file = await open(path, 'wx', 0o600)
  let size = 0
  let batch: Buffer[] = []
  let batchBytes = 0
  let writing: Promise<void> = Promise.resolve()
  let syncing: Promise<void> = Promise.resolve()
  let fitting: Promise<void> = Promise.resolve()
  let unsynced = 0
  // An fsync that fails may be the only one that tells: nothing goes on after it.
  const syncEarly = async (): Promise<void> => {
    unsynced = 0
    await syncing
    syncing = file.datasync()
    syncing.catch(() => {}) // it is awaited before the next one, or at the end
  }
  const flush = async (): Promise<void> => {
    const [pieces, bytes] = [batch, batchBytes]
    batch = []
    batchBytes = 0
    await Promise.all([writing, fitting])
    writing = writeAll(file, pieces, bytes).then(() => reservation.wrote(bytes))
    // Asked beside the write, not before the next piece: its answer may have to wait for a processor.
    fitting = room.mustFit(0)
    for (const begun of [writing, fitting]) begun.catch(() => {}) // awaited before the next batch, or at the end
    unsynced += bytes
    if (unsynced >= SYNC_BYTES) await syncEarly()
  }
  try {
    for (;;) {
      const piece = await next()
      if (piece.done) break
      hash.update(piece.value)
      size += piece.value.length
      if (size > limit) throw tooLarge(limit)
      batch.push(piece.value)
      batchBytes += piece.value.length
      if (batchBytes >= BATCH_BYTES || batch.length >= BATCH_PIECES) await flush()
    }
    await flush()
    await Promise.all([writing, fitting])
    await syncing
  } finally {
    await writing.catch(() => {})
    await syncing.catch(() => {})
    await file.close()
  }
  return { path, size, sha256: hash.digest('hex') }
}

/** Writes the pieces as they lie in memory; `bytes` is what they hold together. */
async function writeAll(file: FileHandle, pieces: Buffer[], bytes: number): Promise<void> {
  if (bytes === 0) return
  const { bytesWritten } = await file.writev(pieces)
  // A disk that is about to be full takes a part: what is left is tried again, and its error is ours.
  if (bytesWritten < bytes) await file.writeFile(Buffer.concat(pieces).subarray(bytesWritten))
}

/**
 * Runs `use` with a folder of its own for an upload and the room for its `bytes` (0 when not known); gives both back,
 * whatever happened. Throws a 507 when they do not fit.
 */
export async function withUpload<T>(
  { store, room }: { store: Store; room: Room },
  bytes: number,
  use: (upload: Upload, reservation: Reservation) => Promise<T>,
): Promise<T> {
  const reservation = await room.reserve(bytes)
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
