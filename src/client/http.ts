// Requests to a Plinth. Redirects are never followed: the credentials would go to the other server.

import { createReadStream, createWriteStream } from 'node:fs'
import { Agent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { pipeline } from 'node:stream/promises'
import { errno, messageOf } from '../errors.js'
import { trustedCertificates } from './settings.js'

/** `body` may be cut, see {@link ask}. */
export type Answer = { status: number; headers: IncomingHttpHeaders; body: string }

const MOST_ANSWER_BYTES = 64 * 1024
/** How long the connection may be idle. The server checks the largest module in a minute at most. */
const IDLE_MS = 300_000
/** The least average rate, as a server that trickles is never idle. */
const LEAST_BYTES_A_SECOND = 1024

const LOOK_EVERY_MS = 10_000

type Upload = { path: string; bytes: number; onBytes?: (done: number) => void }
/**
 * `body` is a short text that is sent, `upload` a file. `idleMs` is for an answer that takes its time. `connections`
 * are those of {@link connectionsTo}. Without them the request has one of its own.
 */
type Request = {
  method: string
  url: string
  headers: Record<string, string>
  body?: string
  upload?: Upload
  idleMs?: number
  connections?: Agent
}

/** At most `most` connections to the server of `url`, for many requests in turn. They end with `destroy()`. */
export const connectionsTo = (url: string, most: number): Agent =>
  url.startsWith('https:')
    ? new HttpsAgent({ keepAlive: true, maxSockets: most, ca: trustedCertificates() })
    : new Agent({ keepAlive: true, maxSockets: most })

function explained(error: unknown, url: string, sent: string): Error {
  const { host } = new URL(url)
  const code = errno(error) ?? ''
  const tls = /CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO/.test(code)
  const more = tls ? ': SSL_CERT_FILE names a file with the certificates to trust' : ''
  return new Error(`${host} cannot be asked${sent}: ${messageOf(error) || code}${more}`, { cause: error })
}

/** Sends a request and passes its answer to `take`. */
function send<T>(request: Request, take: (res: IncomingMessage) => Promise<T>): Promise<T> {
  const { method, url, headers, body, upload, idleMs = IDLE_MS, connections } = request
  const secure = url.startsWith('https:')
  return new Promise((resolve, reject) => {
    let sent = 0
    let answer: IncomingMessage | undefined
    const fail = (error: unknown): void => {
      if (answer) return // the answer is complete, or `take` failed by itself
      const wasClosed = req.reusedSocket && errno(error) === 'ECONNRESET'
      // the server had ended a connection that nothing went over
      if (wasClosed && !upload)
        return resolve(send({ method, url, headers, idleMs, ...(body !== undefined && { body }) }, take))
      const progress = upload ? ` (${sent} of ${upload.bytes} bytes were sent)` : ''
      reject(explained(error, url, progress))
    }
    const length = upload ? { 'Content-Length': String(upload.bytes) } : {}
    const options = {
      method,
      headers: { ...headers, ...length },
      agent: connections ?? false,
      timeout: idleMs,
    }
    const req = secure
      ? httpsRequest(url, { ...options, ...(!connections && { ca: trustedCertificates() }) })
      : httpRequest(url, options)
    let readBefore = 0
    req.on('socket', (socket) => (readBefore = socket.bytesRead))
    const stop = (why: string): void => void (answer ?? req).destroy(new Error(why))
    req.on('timeout', () => stop(`nothing moved for ${idleMs / 1000} seconds`))
    let elapsed = 0
    const look = setInterval(() => {
      elapsed += LOOK_EVERY_MS
      const moved = sent + (req.socket?.bytesRead ?? 0) - readBefore // so far, both ways together
      if (elapsed > idleMs + (1000 * moved) / LEAST_BYTES_A_SECOND)
        stop(`it is slower than ${LEAST_BYTES_A_SECOND} bytes a second`)
    }, LOOK_EVERY_MS)
    req.on('close', () => clearInterval(look))
    req.on('error', fail)
    req.on('response', (res) => {
      answer = res
      // A refusal may come before the body is sent: nobody reads the rest.
      take(res)
        .finally(() => req.destroy())
        .then(resolve, (error: unknown) => reject(explained(error, url, '')))
    })
    if (!upload) return void req.end(body)
    const file = createReadStream(upload.path)
    file.on('data', (piece) => upload.onBytes?.((sent += piece.length)))
    file.on('error', (error) => req.destroy(error))
    req.on('close', () => file.destroy())
    file.pipe(req)
  })
}

/**
 * The answer with its text, which is cut at MOST_ANSWER_BYTES. With `most` it is whole, and one of more bytes is an
 * error. Throws without an answer: no connection, an untrusted certificate, a lost connection.
 */
export const ask = (request: Request, most?: number): Promise<Answer> =>
  send(request, async (res) => {
    const limit = most ?? MOST_ANSWER_BYTES
    const pieces: Buffer[] = []
    let bytes = 0
    for await (const piece of res as AsyncIterable<Buffer>) {
      pieces.push(piece)
      if ((bytes += piece.length) < limit) continue
      if (most !== undefined) throw new Error(`the answer is larger than ${most} bytes`)
      break
    }
    const text = Buffer.concat(pieces).subarray(0, limit).toString('utf8')
    return { status: res.statusCode ?? 0, headers: res.headers, body: text }
  })

/** The answer with its bytes, which are all there: more than `most` is an error. Throws as {@link ask} does. */
export const askBytes = (request: Request, most: number): Promise<Omit<Answer, 'body'> & { bytes: Buffer }> =>
  send(request, async (res) => {
    const pieces: Buffer[] = []
    let length = 0
    for await (const piece of res as AsyncIterable<Buffer>) {
      if ((length += piece.length) > most) throw new Error(`the answer is larger than ${most} bytes`)
      pieces.push(piece)
    }
    return { status: res.statusCode ?? 0, headers: res.headers, bytes: Buffer.concat(pieces) }
  })

/** Writes the answer's body, of at most `most` bytes, to the new file `path`. Returns the status. */
export const download = (request: Request, path: string, most: number): Promise<number> =>
  send(request, async (res) => {
    if (res.statusCode !== 200) return res.statusCode ?? 0
    let bytes = 0
    await pipeline(
      res,
      async function* (pieces: AsyncIterable<Buffer>) {
        for await (const piece of pieces) {
          if ((bytes += piece.length) > most) throw new Error(`the answer is larger than ${most} bytes`)
          yield piece
        }
      },
      createWriteStream(path, { flags: 'wx' }),
    )
    return 200
  })
