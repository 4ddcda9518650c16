// What the handling of one request notes for its log line, and koa's types with it.

import type { Middleware, ParameterizedContext } from 'koa'

/** ctx.state. Nothing but the log line reads it. */
export type RequestState = {
  /** The account whose credentials these are. */
  account?: string
  /** The account that the request names without proof. */
  claimed?: string
  /** Bytes of the upload. */
  bytes?: number
  /** Why the request was refused. */
  reason?: string
}

export type RequestContext = ParameterizedContext<RequestState>
export type RequestMiddleware = Middleware<RequestState>
