// What the handling of one request notes: for its log line, and whose request it is. Has koa's types with it.

import type { Middleware, ParameterizedContext } from 'koa'

/** ctx.state. */
export type RequestState = {
  /** The account whose credentials these are. Its shares count for the request. */
  account?: string
  /** The account that the request names without proof. */
  claimed?: string
  /** The path for the log line, where it is not that of the request. */
  path?: string
  /** The request gets no line in the log. */
  isQuiet?: boolean
  /** Bytes of the upload. */
  bytes?: number
  /** Why the request was refused. */
  reason?: string
  /** The address of the API that the request is for. Its refusals are told in JSON. */
  apiUrl?: string
}

export type RequestContext = ParameterizedContext<RequestState>
export type RequestMiddleware = Middleware<RequestState>

/** The account of a request that has passed the check of its credentials. */
export const accountOf = (ctx: RequestContext): string => ctx.state.account ?? ''
