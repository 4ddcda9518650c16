// Where nginx listens: what the settings say, and what nginx is told.

import { isIPv6 } from 'node:net'
import { resolve } from 'node:path'
import { pathProblem } from './path-in-conf.js'

/**
 * A place to listen at. `text` is how it is written in messages. The host `*` is every address of the machine, in both
 * families; an address of IPv6 has no brackets.
 */
export type ListenAddress = { text: string; host: string; port: number } | { text: string; socket: string }

/** The bytes of a socket's path on Linux, without the NUL at its end (unix(7)). */
const MAX_SOCKET_PATH_BYTES = 107
/** nginx opens each of them. */
const MAX_ADDRESSES = 32

const EXPECTED = 'host:port is expected, as 127.0.0.1:8080, [::1]:8080 or *:80, or unix:/path'

/**
 * '127.0.0.1:80, [::1]:80' → two addresses. One that stands there twice is taken once. Else returns the wrong text, and
 * the rule that it breaks.
 */
export function parseListenAddresses(text: string): ListenAddress[] | { text: string; rule: string } {
  const found = new Map<string, ListenAddress>()
  for (const item of text.split(',').flatMap((each) => each.trim() || [])) {
    const address = item.startsWith('unix:') ? parseSocket(item.slice('unix:'.length)) : parsePort(item)
    if (typeof address === 'string') return { text: item, rule: address }
    found.set(address.text, address)
  }
  if (found.size === 0) return { text, rule: EXPECTED }
  if (found.size > MAX_ADDRESSES) return { text, rule: `at most ${MAX_ADDRESSES} addresses are expected` }
  return [...found.values()]
}

function parsePort(text: string): ListenAddress | string {
  const [, name, v6 = '', digits] =
    /^(?:([A-Za-z0-9.-]+|\*)|\[([0-9A-Fa-f:.]+)\]):([0-9]{1,5})$/.exec(text) ?? []
  const port = Number(digits ?? NaN)
  if (!(port >= 1 && port <= 65535) || (name === undefined && !isIPv6(v6))) return EXPECTED
  return { text, host: name ?? v6, port }
}

function parseSocket(text: string): ListenAddress | string {
  if (text === '' || text.endsWith('/')) return 'the path of a socket is expected after unix:'
  const socket = resolve(text)
  const bytes = Buffer.byteLength(socket)
  if (bytes > MAX_SOCKET_PATH_BYTES)
    return `the path of a socket has at most ${MAX_SOCKET_PATH_BYTES} bytes, and ${socket} has ${bytes}`
  return pathProblem(socket) ?? { text: `unix:${socket}`, socket }
}

/**
 * The addresses as nginx takes them, each once. nginx's own `*` has no IPv6, which it would not start with on a machine
 * without: `ipv6` says whether this one has it. Its `[::]` is IPv6 alone.
 */
export function nginxAddresses(addresses: readonly ListenAddress[], ipv6: boolean): string[] {
  const texts = addresses.flatMap((address) => {
    if ('socket' in address) return [`"${address.text}"`]
    if (address.host !== '*') return [address.text]
    return [`0.0.0.0:${address.port}`, ...(ipv6 ? [`[::]:${address.port}`] : [])]
  })
  return [...new Set(texts)]
}

// 0.0.0.0 and :: are reached by this machine's own name.
const hostInUrl = (host: string): string => {
  if (['*', '0.0.0.0', '::'].includes(host)) return 'localhost'
  return isIPv6(host) ? `[${host}]` : host
}

/** ('*:8080', 'http') → 'http://localhost:8080'; `undefined` for a socket. */
export const urlOfAddress = (address: ListenAddress, scheme: string): string | undefined =>
  'socket' in address ? undefined : `${scheme}://${hostInUrl(address.host)}:${address.port}`

/** The first address that has a URL. Sockets alone are `localhost`, as curl has it with --unix-socket. */
export const firstUrl = (addresses: readonly ListenAddress[], scheme: string): string =>
  addresses.flatMap((address) => urlOfAddress(address, scheme) ?? [])[0] ?? `${scheme}://localhost`
