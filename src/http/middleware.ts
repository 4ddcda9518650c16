// The middleware around every request: one log line, errors as answers, and a check that the path can be decoded.

import type { Config } from '../config.js'
import { errno, messageOf, quote, Refusal, Unsettled } from '../errors.js'
import type { Log } from '../log.js'
import { baseUrl } from './base-url.js'
import { sentId } from './request-id.js'
import { idOf, type RequestContext, type RequestMiddleware } from './request-state.js'

/**
 * Gives a request and its answer a listener for errors that stays. A connection may break at a moment when no other
 * code listens, and an error that nobody listens to ends the process. Who waits for the connection hears of it, too.
 */
export const hearErrors: RequestMiddleware = (ctx, next) => {
  for (const end of [ctx.req, ctx.res]) end.on('error', () => {})
  return next()
}

/**
 * Logs one line for each request: its id, the account (`claimed` when it is not proven), what was asked, the result.
 * `sentId` is the id that it came with, a proxy's perhaps.
 */
export const logWrites =
  (log: Log): RequestMiddleware =>
  async (ctx, next) => {
    const start = performance.now()
    await next()
    log(ctx.state.isQuiet ? 'debug' : 'info', 'request', {
      id: idOf(ctx),
      sentId: sentId(ctx.get('X-Plinth-Sent-Id')),
      method: ctx.method,
      path: ctx.state.path ?? ctx.path,
      status: ctx.status,
      account: ctx.state.account,
      claimed: ctx.state.claimed,
      address: ctx.ip,
      owner: ctx.state.change?.owner,
      what: ctx.state.change?.what,
      bytes: ctx.state.bytes,
      reason: ctx.state.reason,
      ms: Math.round(performance.now() - start),
    })
  }

/**
 * Refuses a write that a page of another site makes: a browser adds the credentials that it keeps of this server. It
 * always names the site, in `Origin` or `Sec-Fetch-Site` (fetch.spec.whatwg.org); other clients send neither.
 */
export const refuseOtherSites =
  (config: Config): RequestMiddleware =>
  (ctx, next) => {
    const [origin, site] = [ctx.get('Origin'), ctx.get('Sec-Fetch-Site')]
    const isOther =
      ['cross-site', 'same-site'].includes(site) ||
      (origin !== '' && site !== 'same-origin' && origin !== new URL(baseUrl(ctx, config)).origin)
    if (isOther && WRITES.includes(ctx.method))
      throw new Refusal(403, 'a page of another site may not write here with what your browser keeps')
    return next()
  }

const DISK_FULL = ['ENOSPC', 'EDQUOT']
const NOT_WRITABLE = ['EROFS', 'EACCES', 'EPERM']

// A Refusal is an answer, a full disk is a 507, and any other error is a 500 with an id that the log has, too.
function toRefusal(error: unknown, ctx: RequestContext, log: Log): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof Unsettled) return unsettledAnswer(error, ctx, log)
  const code = errno(error) ?? ''
  if (ctx.req.errored) return new Refusal(499, 'the client went away') // nginx's status for it; the answer is not read
  if (DISK_FULL.includes(code)) {
    log('error', 'no room', { id: idOf(ctx), path: ctx.path, reason: messageOf(error) })
    return new Refusal(507, 'there is no room left on the server: nothing was changed', { cause: error })
  }
  if (NOT_WRITABLE.includes(code)) {
    const id = idOf(ctx)
    log('error', 'not writable', { id, path: ctx.path, reason: messageOf(error) })
    return new Refusal(
      500,
      'the server cannot write to its disk at the moment, nothing was changed; ' +
        `its log has more under ${id}`,
      { cause: error },
    )
  }
  const id = idOf(ctx)
  log('error', 'internal error', { id, path: ctx.path, reason: messageOf(error), stack: stackOf(error) })
  return new Refusal(500, `internal error; the log has more under ${id}`, { cause: error })
}

// Undoing has failed, too: the answer does not say whether anything was changed.
function unsettledAnswer(error: Unsettled, ctx: RequestContext, log: Log): Refusal {
  const id = idOf(ctx)
  log('error', 'not settled', { id, path: ctx.path, reason: error.message, stack: stackOf(error.cause) })
  return new Refusal(
    500,
    'internal error, and it is not known yet whether anything was changed: look again after a while; ' +
      `the log has more under ${id}`,
    { cause: error },
  )
}

const stackOf = (error: unknown): string | undefined => (error instanceof Error ? error.stack : undefined)

/** Turns what is thrown into a short answer, text/plain or Gitea's JSON. It holds no stack and no path of ours. */
export const answerErrors =
  (log: Log): RequestMiddleware =>
  async (ctx, next) => {
    ctx.set('X-Content-Type-Options', 'nosniff')
    try {
      await next()
    } catch (error) {
      const refusal = toRefusal(error, ctx, log)
      ctx.set({ 'Cache-Control': 'no-store', ...refusal.headers })
      ctx.status = refusal.status
      if (ctx.state.apiUrl !== undefined) {
        ctx.body = { message: refusal.message, url: ctx.state.apiUrl }
      } else {
        ctx.type = 'text/plain; charset=utf-8'
        ctx.body = `${refusal.message}\n`
      }
      ctx.state.reason = refusal.message
    }
  }

/** Reads are nginx's. On any path they are allowed, and find something or not. */
const READS = ['GET', 'HEAD']
const WRITES = ['PUT', 'POST', 'DELETE']

/**
 * Refuses a request that no route took: with 405 when the path has routes of other methods (`methods`), and when no
 * path has a route of this method (OPTIONS, PATCH). nginx answers the latter by itself, with the same `Allow`.
 */
export function refuseUnrouted({ method }: RequestContext, methods: readonly string[]): never {
  if (READS.includes(method) || (WRITES.includes(method) && methods.length === 0))
    throw new Refusal(404, 'not found: no package is written at this path')
  const headers = { Allow: [...new Set([...READS, ...methods])].join(', ') }
  throw new Refusal(405, `method ${quote(method)} is not allowed here`, { headers })
}

/**
 * Refuses a path that is not percent-encoded UTF-8. The router takes such a parameter without decoding it, and nginx
 * would not find the file.
 */
export function mustDecode(ctx: RequestContext): void {
  try {
    decodeURIComponent(ctx.path)
  } catch {
    throw new Refusal(ctx.method === 'DELETE' ? 404 : 400, 'the path is not percent-encoded UTF-8')
  }
}
