// What the handling of one request notes: for its log line, and whose request it is. Has koa's types with it.

import { requestId } from './request-id.js'
import type { Middleware, ParameterizedContext } from 'koa'

/** ctx.state. */
export type RequestState = {
  /** The id of the request, in its lines of the log. */
  id?: string
  /** The account whose credentials these are. Its shares count for the request. */
  account?: string
  /** The account that the request names without proof. */
  claimed?: string
  /** The path for the log line, where it is not that of the request. */
  path?: string
  /** The request has a line in the log at the level debug only. */
  isQuiet?: boolean
  /** Bytes of the upload. */
  bytes?: number
  /** The change of a package that is asked for. */
  change?: { kind: 'publish' | 'delete'; owner: string; what?: string }
  /** Why the request was refused. */
  reason?: string
  /** The address of the API that the request is for. Its refusals are told in JSON. */
  apiUrl?: string
}

export type RequestContext = ParameterizedContext<RequestState>
export type RequestMiddleware = Middleware<RequestState>

/** The id of a request, which its answer has in X-Request-Id, too. */
export const idOf = (ctx: RequestContext): string => (ctx.state.id ??= requestId(ctx.get('X-Request-Id')))

/** The account of a request that has passed the check of its credentials. */
export const accountOf = (ctx: RequestContext): string => ctx.state.account ?? ''
