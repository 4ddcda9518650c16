// What a request says of where it came in. nginx sets these headers; nobody else reaches the service's socket.

import type { Context } from 'koa'
import type { Config } from '../config.js'

/** `http://host:port` as the client wrote it, for lines that people copy; never trusted for anything else. */
export function baseUrl(ctx: Context, config: Config): string {
  const host = ctx.get('Host')
  return `${ctx.protocol}://${/^[A-Za-z0-9.:[\]-]{1,255}$/.test(host) ? host : config.listen}`
}
