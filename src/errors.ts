// The one error class for what a client may know. Koa's contract: an Error with `status` and `expose: true`
// is the answer; everything else is an opaque 500 that is logged.

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
