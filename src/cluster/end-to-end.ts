// Which headers go on with a message, and which are of one connection alone. Pure.

/**
 * The headers of a connection (RFC 9110, 7.6.1). What a client names in `Connection` is not among them: it would take
 * headers away that nginx has added.
 */
const OF_CONNECTION = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

// ['Host', 'x', 'Connection', 'close'] → ['Host', 'x']
/** The headers that go on, in order and as they are written: names and values take turns, as node has them. */
export const endToEnd = (raw: readonly string[]): string[] =>
  raw.filter((_, index) => !OF_CONNECTION.has(raw[index - (index % 2)]?.toLowerCase() ?? ''))

/** How the end of a request's body is found, or that there is none. */
type Framing = { 'content-length'?: string | undefined; 'transfer-encoding'?: string | undefined }

/**
 * The headers of a request as it is sent on, with those that say where its body ends; `undefined` for a transfer
 * encoding other than `chunked`. `isWrite` is for methods whose requests have a body, perhaps an empty one.
 */
export function headersSentOn(
  raw: readonly string[],
  { 'content-length': length, 'transfer-encoding': coding, host }: Framing & { host?: string | undefined },
  isWrite: boolean,
): string[] | undefined {
  const headers = endToEnd(raw)
  if (host === undefined) headers.push('Host', '') // only HTTP/1.0 has none
  if (coding !== undefined) {
    if (coding.toLowerCase() !== 'chunked') return undefined
    headers.push('Transfer-Encoding', 'chunked')
  } else if (length === undefined && isWrite) headers.push('Content-Length', '0')
  return headers
}
