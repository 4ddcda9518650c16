// The URL under which a client reached the server. nginx sets the headers that it comes from; no other program can
// reach the service's socket, and only nginx of another machine its internal address.

import { firstUrl } from '../addresses/listen-address.js'
import type { Config } from '../config.js'
import type { RequestContext } from './request-state.js'

// koa's own `ctx.protocol` says https of each request that another machine has passed on: its connection is encrypted.
const schemeOf = (ctx: RequestContext): string =>
  ctx.get('X-Forwarded-Proto') === 'https' ? 'https' : 'http'

/**
 * The public URL, else `http://host:port` as the client wrote it. Only for lines that people copy: a client can write
 * anything.
 */
export function baseUrl(ctx: RequestContext, config: Config): string {
  const host = ctx.get('Host')
  const scheme = schemeOf(ctx)
  const seen = `${scheme}://${host}`
  const isHost = /^[A-Za-z0-9.:[\]-]{1,255}$/.test(host) && URL.canParse(seen)
  return config.publicUrl ?? (isHost ? seen : firstUrl(config.listen, scheme))
}

/** The value of the header Location. The public URL may put a prefix before the path. */
export const locationOf = (path: string, { publicUrl = '' }: Config): string => `${publicUrl}${path}`
