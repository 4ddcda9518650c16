// An address that only this machine reaches. Pure.

/** A port of a loopback address, or the absolute path of a socket. */
export type LocalAddress = { host: string; port: number } | { path: string }

/** The bytes of a socket's path on Linux, without the NUL at its end (unix(7)). */
export const MAX_SOCKET_PATH_BYTES = 107

const LOOPBACK = /^(?:127(?:\.(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}|localhost|\[::1\])$/i

/** Whether a Host header, with a port or without, names this machine by a loopback address or as localhost. */
export const isLoopbackHost = (host: string): boolean => LOOPBACK.test(host.replace(/:\d{1,5}$/, ''))

// '*:80' → 80
const portOf = (listen: string): number | undefined => {
  const digits = /:(\d{1,5})$/.exec(listen)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/**
 * '127.0.0.1:9464' → {host: '127.0.0.1', port: 9464}; 'unix:/run/x.sock' → {path: '/run/x.sock'}. Returns the rule that
 * a text breaks. `taken` are public addresses, whose ports are not taken a second time.
 */
export function parseLocalAddress(text: string, taken: readonly string[] = []): LocalAddress | string {
  if (text.startsWith('unix:')) return parseSocket(text.slice('unix:'.length))
  const port = portOf(text)
  if (port === undefined || port < 1 || port > 65535)
    return 'an address of this machine alone is expected, as 127.0.0.1:9464 or unix:/run/plinth/metrics.sock'
  const host = text.slice(0, text.lastIndexOf(':'))
  if (!LOOPBACK.test(host))
    return 'others could reach it: only 127.0.0.1, [::1], localhost or a socket (unix:/path) is taken'
  const listener = taken.find((listen) => portOf(listen) === port)
  if (listener !== undefined)
    return `nginx listens on this port for everybody (${listener}): another port is expected`
  if (host === '[::1]') return { host: '::1', port }
  return { host: host.toLowerCase() === 'localhost' ? '127.0.0.1' : host, port }
}

function parseSocket(path: string): LocalAddress | string {
  if (!path.startsWith('/') || path.endsWith('/') || /\p{Cc}/u.test(path))
    return 'the absolute path of a socket is expected after unix:'
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES)
    return `the path of a socket has at most ${MAX_SOCKET_PATH_BYTES} bytes`
  return { path }
}

/** {host: '::1', port: 9464} → '[::1]:9464' */
export const localAddressText = (address: LocalAddress): string =>
  'path' in address
    ? `unix:${address.path}`
    : `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`
