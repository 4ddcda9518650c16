// Takes the body of a request to the disk.

import { stat } from 'node:fs/promises'
import type { Config } from '../config.js'
import { Refusal } from '../errors.js'
import type { FreeSpace } from '../store/free-space.js'
import type { Store } from '../store/store.js'
import { withUpload, writeBody, tooLarge, type Received, type Writing } from '../store/write-body.js'
import type { Admission } from './admission.js'
import { withBodyClock } from './body-clock.js'
import { fileOfForm, MAX_FORM_OVERHEAD } from './form-body.js'
import { accountOf, type RequestContext } from './request-state.js'
import { statedSha256 } from './stated-sha256.js'

/** What receiving a body needs. */
export type Receiving = {
  config: Pick<Config, 'bodyIdleSeconds' | 'bodySeconds' | 'bodyMinRate'>
  store: Store
  freeSpace: FreeSpace
  admission: Admission
}

/**
 * What the headers say of a body. Everything but `multipart/form-data` is raw, whatever the Content-Type is: that of
 * curl's --data-binary is a form's. `length` is in bytes, 0 when it is not stated; `sha256` is in hex.
 */
type Stated = { isForm: boolean; length: number; sha256: string | undefined }

const statedOf = (ctx: RequestContext): Stated => ({
  isForm: ctx.is('multipart/form-data') === 'multipart/form-data',
  length: Number(ctx.get('Content-Length') || 0),
  sha256: sha256StatedIn(ctx),
})

/** The SHA-256 that the headers state, in hex. Throws a 400 for a malformed one. */
export const sha256StatedIn = (ctx: RequestContext): string | undefined =>
  statedSha256((name) => ctx.get(name))

/**
 * Takes the request's body into a folder of its own and calls `use` with it. Removes the folder when `use` has ended,
 * whatever happened. Of a form it takes the one file part. `limit` is in bytes.
 *
 * Throws a {@link Refusal}: 413 too large, 507 the disk is full, 503 too many uploads at once, 408 too slow, 400 for a
 * form without exactly one file or a SHA-256 that does not match.
 */
export async function receiveBody<T>(
  parts: Receiving,
  ctx: RequestContext,
  limit: number,
  use: (received: Received) => Promise<T>,
): Promise<T> {
  const stated = statedOf(ctx)
  if (stated.length > limit + (stated.isForm ? MAX_FORM_OVERHEAD : 0)) throw tooLarge(limit)
  const account = accountOf(ctx)
  return parts.admission.upload(account, (sharing) =>
    withUpload(parts, { bytes: stated.length, account }, async (upload, reservation) => {
      try {
        const writing = { path: upload.body, limit, reservation, sharing }
        const received = await withBodyClock(ctx.req, limitsOf(parts), (expired) =>
          receiveInTime(ctx, stated, writing, expired),
        )
        ctx.state.bytes = received.size
        await mustBeWhole(received, stated)
        return await use(received)
      } finally {
        ctx.req.resume() // the rest of the body is read and dropped, so that the answer gets through
      }
    }),
  )
}

const limitsOf = ({ config }: Receiving) => ({
  idleMs: config.bodyIdleSeconds * 1000,
  totalMs: config.bodySeconds * 1000,
  leastRate: config.bodyMinRate,
})

async function mustBeWhole({ path, size, sha256 }: Received, stated: Stated): Promise<void> {
  if (stated.sha256 !== undefined && stated.sha256 !== sha256) {
    throw new Refusal(
      400,
      `checksum mismatch: the request states sha256 ${stated.sha256}, its body has ${sha256}`,
    )
  }
  if ((await stat(path)).size !== size) throw new Error('the upload was not written whole')
}

// The end of the request, of its connection and of its time each settle the wait for the next chunk at once. Nothing
// else is waited for but the disk, whether the body is raw or a form.
async function receiveInTime(
  ctx: RequestContext,
  { isForm }: Stated,
  writing: Writing,
  expired: Promise<never>,
): Promise<Received> {
  // A refusal in the middle must not destroy the request, or it could not be answered.
  const chunks = (ctx.req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>)[
    Symbol.asyncIterator
  ]()
  // Promise.race is not used: `expired` would keep every chunk that it was raced with.
  let late = false
  let giveUp = (_error: unknown): void => {}
  expired.catch((error: unknown) => {
    late = true // no chunk may be waited for at this moment: then the next one is not
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
    return await writeBody(isForm ? fileOfForm(ctx, next) : next, writing)
  } finally {
    void chunks.return?.().catch(() => {}) // not awaited: it waits for a chunk that may never come
  }
}
