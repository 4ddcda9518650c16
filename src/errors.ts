// Errors and their messages. A client may read the message of a Refusal: koa sends an Error with `status` and
// `expose: true` as the answer. Any other error is logged, and answered with an opaque 500.

/** Options of a {@link Refusal}: extra response headers, and the error that led to it (logged, never sent). */
type RefusalOptions = { headers?: Record<string, string>; cause?: unknown }

/**
 * An answer that is not 2xx. The client reads `message`: it is in lower case without a full stop, quotes the offending
 * value and states the rule. It must not contain a server path or a secret.
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

/** A 409 for a name that is taken. What has it may have the same content, for who asks in this way. */
export class NameTaken extends Refusal {
  constructor(message: string) {
    super(409, message)
  }
}

/** A problem of the person who starts the program: printed as one line, without a stack trace. */
export class StartProblem extends Error {
  override readonly name = 'StartProblem'
}

/**
 * An operation failed, and undoing it failed, too. It is undone or completed before the next answer about its package,
 * or at the next start. `cause` is the first failure.
 */
export class Unsettled extends Error {
  override readonly name = 'Unsettled'
}

/** The code of an error, such as `ENOENT` of a failed system call; `undefined` for any other value. */
export const errno = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

/** The message of a thrown value. It has the lines that its author gave it: the system's has one, which names paths. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return errno(error) === undefined ? error.message : visible(error.message)
}

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

/** A 503 that says when to come again. */
export const tryLater = (seconds: number, why: string): Refusal =>
  new Refusal(503, `${why}: try again in ${seconds} s`, { headers: { 'Retry-After': String(seconds) } })

/**
 * How messages name the command: as it is typed in a clone of Plinth, where a bare name may be a stranger's program, or
 * where the npm package is installed.
 */
export const PLINTH = import.meta.url.includes('/node_modules/') ? 'plinth' : 'scripts/plinth'

/**
 * What a terminal obeys instead of showing it, C1 included; what reorders or hides the text around it; what ends a line
 * for some programs; half a character. In Unicode: control, format, surrogate, line separator, paragraph separator.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

const escapeUnits = (char: string): string =>
  Array.from({ length: char.length }, (_, at) => {
    const unit = char.charCodeAt(at)
    return `\\u${unit.toString(16).padStart(4, '0')}`
  }).join('')

// 'a\x1b[2J' → a\u001b[2J
/**
 * One line that shows all of a text, for a terminal, a report or the log. The escapes are those of JSON: a JSON text on
 * one line keeps its value. Whoever joins lines calls this on each of them, so that a name cannot make another line.
 */
export const visible = (text: string): string => text.replace(UNSEEN, escapeUnits)

const MAX_QUOTED_CHARS = 100

// 'a"b' → "a\"b"
/** Quotes a value for a message, and cuts a long one. Every value that came from outside is quoted by this. */
export const quote = (text: string): string =>
  visible(JSON.stringify(text.length > MAX_QUOTED_CHARS ? `${text.slice(0, MAX_QUOTED_CHARS)}…` : text))
