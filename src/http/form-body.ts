// Receives an upload that comes as multipart/form-data, through koa-body and its formidable.
//
// formidable's own files leak when a form breaks at the wrong moment: it opens them after it has cleaned up. So this
// file makes the streams that formidable writes to, and closes all of them before it returns, whatever happened.
// formidable also gathers the head of a part without a bound: so the bytes that are not content are counted here.

import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { koaBody } from 'koa-body'
import { messageOf, Refusal } from '../errors.js'
import { tooLarge, type Received } from '../store/write-body.js'
import type { RequestContext } from './request-state.js'

/** Bytes that a form may have beside the content of its parts: boundaries and heads. */
const MAX_OVERHEAD_BYTES = 64 * 1024
const MAX_FIELD_BYTES = 64 * 1024

const close = (stream: Writable): Promise<void> =>
  new Promise((resolve) => {
    if (stream.closed) return resolve()
    stream.once('close', resolve)
    stream.destroy()
  })

/** The files of one form's file parts, `part-0` and so on in the upload's folder. */
class PartFiles {
  /** The upload's folder, absolute. */
  readonly #folder: string
  /** The streams that were opened. */
  readonly #streams: Writable[] = []
  /** Whether the form is over: no more files are made then. */
  #ended = false

  constructor(folder: string) {
    this.#folder = folder
  }

  /** The file of one part, absolute. */
  pathOf(index: number): string {
    return join(this.#folder, `part-${index}`)
  }

  /** Opens the file of the next part. After {@link end} it is a stream that drops everything. */
  readonly open = (): Writable => {
    if (this.#ended) return new Writable({ write: (_chunk, _encoding, done) => done() })
    const stream = createWriteStream(this.pathOf(this.#streams.length), { flags: 'wx', mode: 0o600 })
    stream.on('error', () => {}) // formidable listens, too; this listener is for errors after it has given up
    this.#streams.push(stream)
    return stream
  }

  /** Closes all files. */
  async end(): Promise<void> {
    this.#ended = true
    await Promise.all(this.#streams.map(close))
  }
}

const wrongCount = (found: string): Refusal =>
  new Refusal(400, `a multipart upload holds exactly one file part, this one holds ${found}`)

// Turns an error of formidable into the answer. It carries the status that fits.
function refuse(error: Error, ctx: RequestContext, limit: number): never {
  if (ctx.req.errored) throw error // the client went away
  const status = 'httpCode' in error && typeof error.httpCode === 'number' ? error.httpCode : 500
  if (status === 413 && /FileSize/.test(error.message)) throw tooLarge(limit)
  if (/maxFiles/.test(error.message)) throw wrongCount('more')
  if (status >= 500 && !/multipart|Multipart|parser/.test(error.message)) throw error
  throw new Refusal(400, `the form cannot be read: ${messageOf(error)}`, { cause: error })
}

/** A part as formidable has it when its head has been read. */
type Part = NodeJS.EventEmitter & { originalFilename?: string | null; mimetype?: string | null }

/** Counts the bytes of a form that are not the content of its parts. */
class Overhead {
  /** Bytes of the form so far, without the content of its parts. */
  #bytes = 0
  /** Rejects with a 400 when the form has too many such bytes; otherwise it never settles. */
  readonly exceeded: Promise<never>

  constructor(ctx: RequestContext) {
    this.exceeded = new Promise<never>((_resolve, reject) => {
      ctx.req.on('data', (chunk: Buffer) => {
        this.#bytes += chunk.length
        // A chunk is counted before its content is taken off: one chunk more is allowed.
        if (this.#bytes > MAX_OVERHEAD_BYTES + chunk.length) reject(tooMuchOverhead())
      })
    })
    this.exceeded.catch(() => {}) // it may reject when nothing waits for it any more
  }

  /** formidable calls this for each part. */
  readonly onPart = (part: Part, handle: (part: Part) => void): void => {
    // RFC 7578 makes a part's Content-Type optional. formidable takes a part without one for a field.
    if (typeof part.originalFilename === 'string') part.mimetype ||= 'application/octet-stream'
    part.on('data', (content: Buffer) => (this.#bytes -= content.length))
    handle(part)
  }
}

const tooMuchOverhead = (): Refusal =>
  new Refusal(400, `the form cannot be read: over ${MAX_OVERHEAD_BYTES} bytes of it are not content`)

/** Where the file of a form goes, its bytes at most, and the Content-Length of the whole form (0 when not stated). */
type FormUpload = { folder: string; limit: number; length: number }

/**
 * Takes the one file part of a form into `folder`. Throws a {@link Refusal}: 413 when it has over `limit` bytes, 400
 * for a form that cannot be read or does not hold exactly one file part.
 */
export async function receiveForm(
  ctx: RequestContext,
  { folder, limit, length }: FormUpload,
): Promise<Received> {
  if (length > limit + MAX_OVERHEAD_BYTES + MAX_FIELD_BYTES) throw tooLarge(limit)
  const files = new PartFiles(folder)
  const overhead = new Overhead(ctx)
  const parse = koaBody({
    multipart: true,
    json: false,
    text: false,
    urlencoded: false,
    formidable: {
      onPart: overhead.onPart as never, // koa-body's type leaves out the fields of a part
      fileWriteStreamHandler: files.open,
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
    ctx.req.removeAllListeners('data') // a parser that was given up must not gather more
    await files.end()
  }
  const [file] = Object.values(ctx.request.files ?? {}).flat()
  if (typeof file?.hash !== 'string') throw wrongCount('none')
  return { path: files.pathOf(0), size: file.size, sha256: file.hash }
}
