// A request's body on its way to the disk.

import { stat } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import type { Context } from 'koa'
import { withBodyClock } from './body-clock.js'
import { statedSha256 } from './stated-sha256.js'
import type { Config } from '../config.js'
import { Refusal } from '../errors.js'
import { receiveForm } from './form-body.js'
import type { Gate } from './admission.js'
import type { FreeSpace, Reservation } from '../store/free-space.js'
import type { Store } from '../store/store.js'
import type { Upload } from '../store/temps.js'
import { withUpload, writeBody, tooLarge, type Received } from '../store/write-body.js'

/** What receiving works with; one of each exists. */
export type Receiving = { config: Config; store: Store; freeSpace: FreeSpace; gate: Gate }

export type Receive = ReturnType<typeof makeReceive>

type Way = {
  upload: Upload
  limit: number
  freeSpace: FreeSpace
  reservation: Reservation
  expired: Promise<never>
}

async function receiveRaw(req: IncomingMessage, { upload, expired, ...way }: Way): Promise<Received> {
  // A refusal in the middle must leave the request alive, or it could not be answered.
  const chunks = (req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>)[Symbol.asyncIterator]()
  // Not Promise.race: `expired` would keep every chunk that it ever raced with.
  let late = false
  let giveUp = (_error: unknown): void => {}
  expired.catch((error: unknown) => {
    late = true // nobody may be waiting for a chunk just now: then the next one is not waited for
    giveUp(error)
  })
  const next = (): Promise<IteratorResult<Buffer>> =>
    late
      ? expired
      : new Promise((resolve, reject) => {
          giveUp = reject
          chunks.next().then(resolve, reject)
        })
  try {
    return await writeBody(next, { path: upload.body, ...way })
  } finally {
    void chunks.return?.().catch(() => {}) // not awaited: it waits for a chunk that may never come
  }
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

export const makeReceive = ({ config, store, freeSpace, gate }: Receiving) => {
  const clock = { idleMs: config.bodyIdleSeconds * 1000, totalMs: config.bodySeconds * 1000 }

  async function take<T>(
    ctx: Context,
    limit: number,
    stated: string | undefined,
    use: (received: Received) => Promise<T>,
  ): Promise<T> {
    return withUpload(
      { store, freeSpace },
      Number(ctx.get('Content-Length') || 0),
      async (upload, reservation) => {
        try {
          const isForm = ctx.is('multipart/form-data') === 'multipart/form-data'
          const received = await withBodyClock(ctx.req, clock, (expired) => {
            const way = { upload, limit, freeSpace, reservation, expired }
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
        }
      },
    )
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
