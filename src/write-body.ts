// Bytes on their way to the disk, wherever they come from: streamed, counted and hashed, in bounded memory whatever
// their number.

import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { tooLarge, type Received } from './received.js'
import type { Reservation, Room } from './room.js'
import type { Store } from './store.js'
import type { Upload } from './temps.js'

/** Bytes gathered before a write, so that a body costs few system calls. Two batches exist at most. */
export const BATCH_BYTES = 2 ** 20

/** Where to (`path` is absolute and new), how much at most (bytes), and the room for it. */
export type Writing = { path: string; limit: number; room: Room; reservation: Reservation }

/**
 * Writes what `next` gives until it is done; rejects as soon as `next` does. Not synced. A piece of BATCH_BYTES is
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
  const flush = async (): Promise<void> => {
    const bytes = batch.length === 1 && batch[0] ? batch[0] : Buffer.concat(batch)
    batch = []
    batchBytes = 0
    await writing
    writing = file.writeFile(bytes).then(() => reservation.wrote(bytes.length))
    writing.catch(() => {}) // it is awaited before the next batch, or at the end
    await room.mustFit(0)
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
      if (batchBytes >= BATCH_BYTES) await flush()
    }
    await flush()
    await writing
  } finally {
    await writing.catch(() => {})
    await file.close()
  }
  return { path, size, sha256: hash.digest('hex') }
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
