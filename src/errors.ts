// Errors and their messages. A Refusal is what a client may know: koa answers with an Error that has `status` and
// `expose: true`, and logs everything else as an opaque 500.

/** Options of a {@link Refusal}: extra response headers, and the error that led to it (logged, never sent). */
export type RefusalOptions = { headers?: Record<string, string>; cause?: unknown }

/**
 * An answer that is not 2xx. `message` is what the client reads: lower case, no full stop, the offending value
 * quoted, the rule said. It must hold no server path and no secret.
 */
export class Refusal extends Error {
  readonly status: number
  readonly expose = true
  readonly headers: Record<string, string>

  constructor(status: number, message: string, { headers = {}, cause }: RefusalOptions = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'Refusal'
    this.status = status
    this.headers = headers
  }
}

/** A problem of the person who starts the program: printed as one line, without a stack trace. */
export class StartProblem extends Error {
  override readonly name = 'StartProblem'
}

/**
 * An operation failed, and so did undoing it: whether it happened is settled before the next answer about its
 * package, or at the next start. `cause` is what made it fail.
 */
export class Unsettled extends Error {
  override readonly name = 'Unsettled'
}

/** `ENOENT` and friends of a failed system call, or `undefined` for any other value. */
export const errno = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

/** The message of whatever was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Awaits `action` and ignores exactly the given errno codes: `await ignoring(['ENOENT'], () => unlink(path))`. */
export async function ignoring(codes: readonly string[], action: () => Promise<unknown>): Promise<boolean> {
  try {
    await action()
    return true
  } catch (error) {
    const code = errno(error)
    if (code !== undefined && codes.includes(code)) return false
    throw error
  }
}

const MAX_QUOTED_CHARS = 100

// 'a"b' → "a\"b"
/** Quotes a value for a message. Every value that came from outside is quoted by this. A long value is cut. */
export const quote = (text: string): string =>
  JSON.stringify(text.length > MAX_QUOTED_CHARS ? `${text.slice(0, MAX_QUOTED_CHARS)}…` : text)
