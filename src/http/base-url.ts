// The URL under which a client reached the server. nginx sets the headers that it comes from; no other program can
// reach the service's socket.

import { firstUrl } from '../addresses/listen-address.js'
import type { Config } from '../config.js'
import type { RequestContext } from './request-state.js'

/**
 * The public URL, else `http://host:port` as the client wrote it. Only for lines that people copy: a client can write
 * anything.
 */
export function baseUrl(ctx: RequestContext, config: Config): string {
  const host = ctx.get('Host')
  const seen = `${ctx.protocol}://${host}`
  const isHost = /^[A-Za-z0-9.:[\]-]{1,255}$/.test(host) && URL.canParse(seen)
  return config.publicUrl ?? (isHost ? seen : firstUrl(config.listen, ctx.protocol))
}

/** The value of the header Location. The public URL may put a prefix before the path. */
export const locationOf = (path: string, { publicUrl = '' }: Config): string => `${publicUrl}${path}`
