// An upload that comes as multipart/form-data, through koa-body and its formidable.
//
// formidable's own files leak when a form breaks at the wrong moment: it opens them after it has cleaned up. So the
// streams it writes to are ours, and all of them are closed before we go on, whatever happened. It also gathers the
// head of a part without a bound: we count what is no content.

import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import type { Context } from 'koa'
import { koaBody } from 'koa-body'
import { messageOf, Refusal } from '../errors.js'
import { tooLarge, type Received } from '../store/write-body.js'

/** Bytes that a form may have beside the content of its parts: boundaries and heads. */
const MAX_OVERHEAD_BYTES = 64 * 1024
const MAX_FIELD_BYTES = 64 * 1024

const closed = (stream: Writable): Promise<void> =>
  new Promise((resolve) => {
    if (stream.closed) return resolve()
    stream.once('close', resolve)
    stream.destroy()
  })

/** The streams of one form's file parts. After `end` there are no more: a late one writes to nowhere. */
function makeSinks(folder: string) {
  const sinks: Writable[] = []
  const pathOf = (index: number): string => join(folder, `part-${index}`)
  let ended = false
  return {
    first: pathOf(0),
    open: (): Writable => {
      if (ended) return new Writable({ write: (_chunk, _encoding, done) => done() })
      const sink = createWriteStream(pathOf(sinks.length), { flags: 'wx', mode: 0o600 })
      sink.on('error', () => {}) // formidable listens too; this one is for errors after it has given up
      sinks.push(sink)
      return sink
    },
    end: async (): Promise<void> => {
      ended = true
      await Promise.all(sinks.map(closed))
    },
  }
}

const wrongCount = (found: string): Refusal =>
  new Refusal(400, `a multipart upload holds exactly one file part, this one holds ${found}`)

// formidable's errors carry the status that fits.
function refuse(error: Error, ctx: Context, limit: number): never {
  if (ctx.req.errored) throw error // the client went away
  const status = 'httpCode' in error && typeof error.httpCode === 'number' ? error.httpCode : 500
  if (status === 413 && /FileSize/.test(error.message)) throw tooLarge(limit)
  if (/maxFiles/.test(error.message)) throw wrongCount('more')
  if (status >= 500 && !/multipart|Multipart|parser/.test(error.message)) throw error
  throw new Refusal(400, `the form cannot be read: ${messageOf(error)}`, { cause: error })
}

/** What formidable knows of a part when its head has been read. */
type Part = NodeJS.EventEmitter & { originalFilename?: string | null; mimetype?: string | null }

/** Rejects when the form holds too much that is no content; otherwise never settles. */
function watchOverhead(ctx: Context) {
  let overhead = 0
  let fail: (error: Error) => void = () => {}
  const exceeded = new Promise<never>((_resolve, reject) => (fail = reject))
  exceeded.catch(() => {}) // it may fail when nobody waits any more
  ctx.req.on('data', (chunk: Buffer) => {
    overhead += chunk.length
    // a chunk is counted before its content is taken off: leave room for one
    if (overhead > MAX_OVERHEAD_BYTES + chunk.length) {
      fail(new Refusal(400, `the form cannot be read: over ${MAX_OVERHEAD_BYTES} bytes of it are no content`))
    }
  })
  return {
    exceeded,
    onPart: (part: Part, handle: (part: Part) => void): void => {
      // RFC 7578 makes a part's Content-Type optional; formidable takes a part without one for a field
      if (typeof part.originalFilename === 'string') part.mimetype ||= 'application/octet-stream'
      part.on('data', (content: Buffer) => (overhead -= content.length))
      handle(part)
    },
  }
}

/**
 * Takes a form's one file part into `folder`. Throws a {@link Refusal}: 413 when it has over `limit` bytes, 400 for
 * a form that cannot be read or does not hold exactly one file part.
 */
export async function receiveForm(ctx: Context, folder: string, limit: number): Promise<Received> {
  const most = limit + MAX_OVERHEAD_BYTES + MAX_FIELD_BYTES
  if (Number(ctx.get('Content-Length') || 0) > most) throw tooLarge(limit)
  const sinks = makeSinks(folder)
  const overhead = watchOverhead(ctx)
  const parse = koaBody({
    multipart: true,
    json: false,
    text: false,
    urlencoded: false,
    formidable: {
      onPart: overhead.onPart as never, // koa-body's type of it leaves the part's own fields out
      fileWriteStreamHandler: sinks.open,
      hashAlgorithm: 'sha256',
      maxFileSize: limit,
      maxTotalFileSize: limit,
      allowEmptyFiles: true,
      minFileSize: 0,
      maxFiles: 1,
      maxFields: 100,
      maxFieldsSize: MAX_FIELD_BYTES,
    },
    onError: (error) => refuse(error, ctx, limit),
  })
  try {
    await Promise.race([parse(ctx, async () => {}), overhead.exceeded])
  } finally {
    ctx.req.removeAllListeners('data') // a parser that was given up must gather no more
    await sinks.end()
  }
  const files = Object.values(ctx.request.files ?? {}).flat()
  const [file] = files
  if (typeof file?.hash !== 'string') throw wrongCount('none')
  return { path: sinks.first, size: file.size, sha256: file.hash }
}
