// A request's body on its way to the disk: streamed, counted and hashed, in bounded memory whatever its size.

import { createHash } from 'node:crypto'
import { open, stat, type FileHandle } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import type { Context } from 'koa'
import { withBodyClock } from './body-clock.js'
import { statedSha256 } from './checksum.js'
import type { Config } from './config.js'
import { Refusal } from './errors.js'
import { receiveForm } from './form.js'
import type { Gate } from './gate.js'
import { tooLarge, type Received } from './received.js'
import type { Reservation, Room } from './room.js'
import type { Store } from './store.js'
import type { Upload } from './temps.js'

/** Bytes gathered before a write, so that a body costs few system calls. Two batches exist at most. */
const BATCH_BYTES = 2 ** 20
/** The same for a body that comes in tiny pieces. */
const BATCH_PIECES = 1024
/** Bytes after which what is written so far goes to the disk, while the body still comes: the end waits for less. */
const SYNC_BYTES = 64 * 2 ** 20

/** What receiving works with; one of each exists. */
export type Receiving = { config: Config; store: Store; room: Room; gate: Gate }

export type Receive = ReturnType<typeof makeReceive>

type Way = { upload: Upload; limit: number; room: Room; reservation: Reservation; expired: Promise<never> }

async function receiveRaw(req: IncomingMessage, way: Way): Promise<Received> {
  const { upload, limit, room, reservation, expired } = way
  const hash = createHash('sha256')
  const file = await open(upload.body, 'wx', 0o600)
  let size = 0
  let batch: Buffer[] = []
  let batchBytes = 0
  let writing: Promise<void> = Promise.resolve()
  let syncing: Promise<void> = Promise.resolve()
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
    await writing
    writing = writeAll(file, pieces, bytes).then(() => reservation.wrote(bytes))
    writing.catch(() => {}) // it is awaited before the next batch, or at the end
    unsynced += bytes
    if (unsynced >= SYNC_BYTES) await syncEarly()
    await room.mustFit(0)
  }
  // A refusal in the middle must leave the request alive, or it could not be answered.
  const chunks = (req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>)[Symbol.asyncIterator]()
  // Not Promise.race: `expired` would keep every chunk that it ever raced with.
  let giveUp = (_error: unknown): void => {}
  expired.catch((error: unknown) => giveUp(error))
  try {
    for (;;) {
      const next = await new Promise<IteratorResult<Buffer>>((resolve, reject) => {
        giveUp = reject
        chunks.next().then(resolve, reject)
      })
      if (next.done) break
      hash.update(next.value)
      size += next.value.length
      if (size > limit) throw tooLarge(limit)
      batch.push(next.value)
      batchBytes += next.value.length
      if (batchBytes >= BATCH_BYTES || batch.length >= BATCH_PIECES) await flush()
    }
    await flush()
    await writing
    await syncing
  } finally {
    void chunks.return?.().catch(() => {}) // not awaited: it waits for a chunk that may never come
    await writing.catch(() => {})
    await syncing.catch(() => {})
    await file.close()
  }
  return { path: upload.body, size, sha256: hash.digest('hex') }
}

/** Writes the pieces as they lie in memory; `bytes` is what they hold together. */
async function writeAll(file: FileHandle, pieces: Buffer[], bytes: number): Promise<void> {
  if (bytes === 0) return
  const { bytesWritten } = await file.writev(pieces)
  // A disk that is about to be full takes a part: what is left is tried again, and its error is ours.
  if (bytesWritten < bytes) await file.writeFile(Buffer.concat(pieces).subarray(bytesWritten))
}

// A parser cannot be stopped but by its connection.
async function receiveFormInTime(ctx: Context, { upload, limit, expired }: Way): Promise<Received> {
  const receiving = receiveForm(ctx, upload.folder, limit)
  try {
    return await Promise.race([receiving, expired])
  } catch (error) {
    if (error instanceof Refusal && error.status === 408) ctx.req.destroy()
    await receiving.catch(() => {})
    throw error
  }
}

export const makeReceive = ({ config, store, room, gate }: Receiving) => {
  const clock = { idleMs: config.bodyIdleSeconds * 1000, totalMs: config.bodySeconds * 1000 }

  async function take<T>(
    ctx: Context,
    limit: number,
    stated: string | undefined,
    use: (received: Received) => Promise<T>,
  ): Promise<T> {
    const reservation = await room.reserve(Number(ctx.get('Content-Length') || 0))
    try {
      const upload = await store.newUpload()
      try {
        const isForm = ctx.is('multipart/form-data') === 'multipart/form-data'
        const received = await withBodyClock(ctx.req, clock, (expired) => {
          const way = { upload, limit, room, reservation, expired }
          return isForm ? receiveFormInTime(ctx, way) : receiveRaw(ctx.req, way)
        })
        ctx.state['bytes'] = received.size
        if (stated !== undefined && stated !== received.sha256) {
          throw new Refusal(
            400,
            `checksum mismatch: the request states sha256 ${stated}, its body has ${received.sha256}`,
          )
        }
        if ((await stat(received.path)).size !== received.size)
          throw new Error('the upload was not written whole')
        return await use(received)
      } finally {
        ctx.req.resume() // what is still coming is read and dropped, so that the answer gets through
        await store.discard(upload)
      }
    } finally {
      reservation.end()
    }
  }

  /**
   * Takes the request's body into a folder of its own, hands it to `use`, and removes what is left of it, whatever
   * happened. Raw whatever the Content-Type says (curl's --data-binary says a form), except `multipart/form-data`,
   * whose one file part is the upload. `limit` is in bytes.
   *
   * Throws a {@link Refusal}: 413 too large, 507 no room, 503 too many at once, 408 too slow, 400 for a form without
   * exactly one file or a SHA-256 that does not match.
   */
  return async <T>(ctx: Context, limit: number, use: (received: Received) => Promise<T>): Promise<T> => {
    const stated = statedSha256((name) => ctx.get(name))
    const form = ctx.is('multipart/form-data') === 'multipart/form-data'
    if (!form && Number(ctx.get('Content-Length') || 0) > limit) throw tooLarge(limit)
    return gate.upload(() => take(ctx, limit, stated, use))
  }
}
