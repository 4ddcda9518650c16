// The middleware around every request: one log line, errors as answers, a path that decodes.

import { randomUUID } from 'node:crypto'
import type { Context, Middleware, Next } from 'koa'
import { errno, messageOf, Refusal, Unsettled } from '../errors.js'
import type { Log } from '../log.js'

/** One line a request: who (`claimed` when it was not proven), what, from where, result and why, bytes, ms. */
export const logWrites =
  (log: Log): Middleware =>
  async (ctx: Context, next: Next) => {
    const start = performance.now()
    await next()
    log('info', 'request', {
      method: ctx.method,
      path: ctx.path,
      status: ctx.status,
      account: ctx.state['account'] as string | undefined,
      claimed: ctx.state['claimed'] as string | undefined,
      address: ctx.ip,
      bytes: ctx.state['bytes'] as number | undefined,
      reason: ctx.state['reason'] as string | undefined,
      ms: Math.round(performance.now() - start),
    })
  }

const NO_ROOM = ['ENOSPC', 'EDQUOT']
const NOT_WRITABLE = ['EROFS', 'EACCES', 'EPERM']

// An error with a status is an answer; a full disk is a 507; all else is a 500 with an id that is in the log.
function toRefusal(error: unknown, ctx: Context, log: Log): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof Unsettled) return notKnown(error, ctx, log)
  const code = errno(error) ?? ''
  if (ctx.req.errored) return new Refusal(499, 'the client went away') // nginx's number; nobody reads the answer
  if (NO_ROOM.includes(code)) {
    log('error', 'no room', { path: ctx.path, reason: messageOf(error) })
    return new Refusal(507, 'there is no room left on the server: nothing was stored', { cause: error })
  }
  if (NOT_WRITABLE.includes(code)) {
    const id = randomUUID()
    log('error', 'not writable', { id, path: ctx.path, reason: messageOf(error) })
    const message = `the server cannot write to its disk at the moment, nothing was changed; its log has more under ${id}`
    return new Refusal(500, message, { cause: error })
  }
  const id = randomUUID()
  log('error', 'internal error', { id, path: ctx.path, reason: messageOf(error), stack: stackOf(error) })
  return new Refusal(500, `internal error; the log has more under ${id}`, { cause: error })
}

// Undoing failed, too: to say that nothing was stored would be a guess.
function notKnown(error: Unsettled, ctx: Context, log: Log): Refusal {
  const id = randomUUID()
  log('error', 'not settled', { id, path: ctx.path, reason: error.message, stack: stackOf(error.cause) })
  return new Refusal(
    500,
    `internal error, and it is not known yet whether anything was changed: look again after a while; the log has more under ${id}`,
    { cause: error },
  )
}

const stackOf = (error: unknown): string | undefined => (error instanceof Error ? error.stack : undefined)

/** Turns what is thrown into a short text/plain answer: what is wrong, where, what to do; never a stack or a path. */
export const answerErrors =
  (log: Log): Middleware =>
  async (ctx: Context, next: Next) => {
    ctx.set('X-Content-Type-Options', 'nosniff')
    try {
      await next()
      if (ctx.body === undefined || ctx.body === null) noRoute(ctx)
    } catch (error) {
      const refusal = toRefusal(error, ctx, log)
      ctx.set(refusal.headers)
      ctx.status = refusal.status
      ctx.type = 'text/plain; charset=utf-8'
      ctx.body = `${refusal.message}\n`
      ctx.state['reason'] = refusal.message
    }
  }

// What the router leaves: a path that no route has, or one whose routes have other methods (`Allow` is set then).
function noRoute(ctx: Context): void {
  if (ctx.status === 404) throw new Refusal(404, 'not found: no package is written at this path')
  if (ctx.status === 405 || ctx.status === 501)
    throw new Refusal(405, `method ${ctx.method} is not allowed here`)
}

/** Refuses a path that is no percent-encoded UTF-8: the router takes it undecoded, and nginx would not find it. */
export function mustDecode(ctx: Context): void {
  try {
    decodeURIComponent(ctx.path)
  } catch {
    throw new Refusal(ctx.method === 'DELETE' ? 404 : 400, 'the path is not percent-encoded UTF-8')
  }
}
