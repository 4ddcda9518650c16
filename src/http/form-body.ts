// Finds the content of an upload that comes as multipart/form-data, with koa-body and its formidable.
//
// formidable throws inside of events where nobody can catch it, opens files that it does not close, and never ends when
// the client goes away too early. So it gets neither the request nor a file. It reads from an emitter of ours, and a
// plugin of ours takes what its parser finds: its own code for fields, files and transfer encodings does not run. All
// that is waited for is the request's next piece and the event loop's next round.

import { EventEmitter } from 'node:events'
import { koaBody } from 'koa-body'
import { messageOf, Refusal } from '../errors.js'
import { FairTurns } from '../shares/fair-turns.js'
import { FormParts, type FormToken } from './form-parts.js'
import { accountOf, type RequestContext } from './request-state.js'

/** Bytes that a form may have beside the content of its file: boundaries, heads, fields. */
export const MAX_FORM_OVERHEAD = 128 * 1024
/** RFC 2046 5.1.1 */
const MAX_BOUNDARY_BYTES = 70
const BOUNDARY = /^[ -~]{1,70}$/
/** Bytes that the parser is given at once. Content made of CR takes it 0.3 µs a byte. */
const SLICE_BYTES = 16 * 1024
/** The parser may hold back what could be a boundary. */
const MAX_HELD_BYTES = MAX_BOUNDARY_BYTES + 6

/** The next piece of a body. */
type Next = () => Promise<IteratorResult<Buffer>>

/**
 * Forms take turns, so that however many come, a round of the event loop parses one slice. Accounts take turns first:
 * the forms of one delay those of another by one slice.
 */
const turns = new FairTurns(1)

/** Runs `work` in its turn. Resolves in the next round: what `work` began in ticks and promises is over then. */
const takeTurn = (account: string, work: () => void): Promise<void> =>
  turns.run(account, () => {
    work()
    return new Promise<void>((resolve) => void setImmediate(resolve))
  })

/** formidable's parser of multipart bodies. */
type Parser = EventEmitter & { initWithBoundary: (boundary: string) => void }

/** formidable as a plugin sees it. Its type definitions leave these out. */
type Form = {
  ended: boolean
  _parser: Parser
  _newParser: () => Parser
  _error: (error: unknown) => void
  _maybeEnd: () => void
}

/** What formidable reads instead of the request: it is pushed and never paused. */
class Source extends EventEmitter {
  readonly headers: RequestContext['headers']

  constructor(headers: RequestContext['headers']) {
    super()
    this.headers = headers
  }

  pause(): void {}
  resume(): void {}
}

function boundaryOf(contentType: string): string {
  const [, quoted, bare = ''] = /boundary=(?:"([^"]+)"|([^;]+))/i.exec(contentType) ?? []
  const boundary = quoted ?? bare.trim()
  if (BOUNDARY.test(boundary)) return boundary
  throw new Refusal(400, 'the form cannot be read: a boundary of 1 to 70 ASCII characters is needed')
}

// Takes the place of formidable's own plugins. The parser runs inside of events: what is thrown there ends the parse.
const readInto =
  (parts: FormParts, boundary: string) =>
  (form: Form): void => {
    const parser = form._newParser()
    parser.on('error', () => {}) // formidable listens once
    parser.on('data', (token: FormToken) => {
      try {
        parts.take(token)
        if (token.name !== 'end') return
        form.ended = true
        form._maybeEnd()
      } catch (error) {
        form._error(error)
      }
    })
    parser.initWithBoundary(boundary)
    form._parser = parser
  }

// Turns an error of the parse into the answer. Those of formidable carry a status: 500 is not the client's.
function asRefusal(error: unknown): unknown {
  if (!(error instanceof Error) || !('httpCode' in error) || error.httpCode === 500) return error
  return new Refusal(400, `the form cannot be read: ${messageOf(error)}`, { cause: error })
}

/** The content of a form's file, piece by piece. */
class FormFile {
  /** Whose form it is. */
  readonly #account: string
  /** The next piece of the form. */
  readonly #nextOfForm: Next
  /** What formidable reads. */
  readonly #source: Source
  /** Finds the file in what formidable's parser found. */
  readonly #parts = new FormParts(SLICE_BYTES + MAX_HELD_BYTES)
  /** Resolves when formidable listens to the source. */
  readonly #listening: Promise<void>
  /** Bytes of the form that were not given to the parser. */
  #rest: Buffer = Buffer.alloc(0)
  /** Bytes of the form that were given to the parser, without the content of the file. */
  #overhead = 0
  /** How the parse has ended. */
  #outcome: 'read' | { error: unknown } | undefined

  constructor(ctx: RequestContext, next: Next) {
    const boundary = boundaryOf(ctx.get('Content-Type'))
    this.#account = accountOf(ctx)
    this.#nextOfForm = next
    this.#source = new Source(ctx.headers)
    const parse = koaBody({
      multipart: true,
      json: false,
      text: false,
      urlencoded: false,
      formidable: { enabledPlugins: [readInto(this.#parts, boundary) as never] },
    })
    const asked = Object.create(ctx, { req: { value: this.#source } }) as never // the context with our source in it
    parse(asked, async () => {}).then(
      () => (this.#outcome ??= 'read'),
      (error: unknown) => (this.#outcome ??= { error: asRefusal(error) }),
    )
    this.#listening = takeTurn(this.#account, () => {})
  }

  /** The next piece of the content. It is `done` when the form has ended. Throws a {@link Refusal}: 400. */
  async next(): Promise<IteratorResult<Buffer>> {
    await this.#listening
    for (;;) {
      const content = this.#parts.takeContent()
      this.#overhead -= content?.length ?? 0
      this.#mustBeReadable()
      if (content) return { done: false, value: content }
      if (this.#rest.length === 0) {
        const piece = await this.#nextOfForm()
        if (piece.done) return this.#end()
        this.#rest = piece.value
      }
      await this.#parseSlice()
    }
  }

  async #parseSlice(): Promise<void> {
    const slice = this.#rest.subarray(0, SLICE_BYTES)
    this.#rest = this.#rest.subarray(slice.length)
    this.#overhead += slice.length
    await takeTurn(this.#account, () => this.#source.emit('data', slice))
  }

  #end(): IteratorResult<Buffer> {
    // formidable takes a form for whole that is cut off in its last boundary: its end is not asked for.
    if (this.#outcome !== 'read') throw new Refusal(400, 'the form cannot be read: it has no end')
    this.#parts.mustHaveFile()
    return { done: true, value: undefined }
  }

  #mustBeReadable(): void {
    if (typeof this.#outcome === 'object') throw this.#outcome.error
    if (this.#overhead > MAX_FORM_OVERHEAD)
      throw new Refusal(400, `the form cannot be read: over ${MAX_FORM_OVERHEAD} bytes of it are no file`)
  }
}

/**
 * Turns the pieces of a form into those of its one file part. They throw what `next` throws, and a {@link Refusal}: 400
 * for a form that cannot be read or does not hold exactly one file part.
 */
export function fileOfForm(ctx: RequestContext, next: Next): Next {
  const file = new FormFile(ctx, next)
  return () => file.next()
}
