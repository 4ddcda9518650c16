// The listener for Prometheus: one page, at an address that only this machine reaches. What asks for it is not trusted:
// any user of the machine can, and so can a page in a browser that runs there.

import { chmod, lstat, unlink } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { whyNoConnection } from '../addresses/connection.js'
import { isLoopbackHost, localAddressText, type LocalAddress } from '../addresses/local-address.js'
import { errno, messageOf } from '../errors.js'
import type { Log } from '../log.js'
import { unlessAbsent } from '../store/reading.js'

const PAGE = '/metrics'
/** Prometheus needs one. */
const MOST_CONNECTIONS = 16
/** How long nothing may move on a connection: a reader must take what it asked for. */
const STILL_MS = 10_000
/**
 * In ms: how long a request may take to come, and a connection without one stays; from an attempt to listen that failed
 * to the next.
 */
const TIMES = { requestMs: 5000, retryMs: 5000 }
/** A proxy of another user may be in the group of the socket. */
const SOCKET_MODE = 0o660

/** The text of all metrics, and its type. */
type Told = { text: () => Promise<string>; type: string }

export class MetricsListener {
  readonly #address: LocalAddress
  readonly #log: Log
  readonly #told: Told
  readonly #server: Server
  /** The scrape that is under way: whoever asks meanwhile gets the same. */
  #scrape: Promise<string> | undefined
  readonly #retryMs: number
  #retry: NodeJS.Timeout | undefined
  #closed = false

  constructor(address: LocalAddress, log: Log, told: Told, { requestMs, retryMs } = TIMES) {
    this.#retryMs = retryMs
    this.#address = address
    this.#log = log
    this.#told = told
    this.#server = createServer(
      {
        headersTimeout: requestMs,
        requestTimeout: requestMs,
        keepAliveTimeout: requestMs,
        connectionsCheckingInterval: requestMs / 5,
        maxHeaderSize: 8192,
      },
      (req, res) => void this.#answer(req, res),
    )
    this.#server.maxConnections = MOST_CONNECTIONS
    this.#server.setTimeout(STILL_MS)
  }

  /**
   * Listens from now on. Where that fails, the log says why and it is tried again: uploads do not depend on it.
   * Resolves after the first attempt.
   */
  async listen(): Promise<void> {
    try {
      await this.#listen()
    } catch (error) {
      const reason = `cannot listen on ${localAddressText(this.#address)}: ${reasonOf(error)}`
      this.#log('error', 'metrics', { reason })
      if (!this.#closed) this.#retry = setTimeout(() => void this.listen(), this.#retryMs).unref()
    }
  }

  /** Answers nobody any more. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#retry)
    const ended = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await ended
  }

  async #listen(): Promise<void> {
    const address = this.#address
    if ('path' in address) await removeLeftSocket(address.path)
    if (this.#closed) return
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ ...address, exclusive: true }, () => {
        // From now on an error is that of a connection which could not be accepted.
        this.#server.off('error', reject)
        this.#server.on('error', (error) => this.#log('error', 'metrics', { reason: error.message }))
        resolve()
      })
    })
    if ('path' in address) await chmod(address.path, SOCKET_MODE)
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    for (const end of [req, res]) end.on('error', () => {}) // it may break when nobody listens
    res.setHeader('X-Content-Type-Options', 'nosniff')
    res.setHeader('Cache-Control', 'no-store')
    const refusal = this.#refusal(req)
    if (refusal) {
      if (refusal.status === 405) res.setHeader('Allow', 'GET, HEAD')
      return send(res, refusal.status, 'text/plain; charset=utf-8', `${refusal.why}\n`)
    }
    try {
      this.#scrape ??= this.#told.text().finally(() => (this.#scrape = undefined))
      send(res, 200, this.#told.type, await this.#scrape)
    } catch (error) {
      this.#log('error', 'metrics', { reason: messageOf(error) })
      send(
        res,
        500,
        'text/plain; charset=utf-8',
        'the metrics cannot be told at the moment; the log has more\n',
      )
    }
  }

  /** Why a request is refused, if it is. */
  #refusal({ method = '', url = '', headers }: IncomingMessage): { status: number; why: string } | undefined {
    // The page of another site can make its own name lead here (DNS rebinding), but not send another name. No browser
    // asks a socket.
    if (!('path' in this.#address) && !isLoopbackHost(headers.host ?? ''))
      return { status: 403, why: 'metrics are for this machine: ask with its own name, as 127.0.0.1' }
    if (url.split('?', 1)[0] !== PAGE) return { status: 404, why: `not found: the metrics are at ${PAGE}` }
    if (method !== 'GET' && method !== 'HEAD') return { status: 405, why: 'this method is not allowed here' }
    return undefined
  }
}

function send(res: ServerResponse, status: number, type: string, body: string): void {
  res.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) })
  res.end(body) // node leaves it out for HEAD
}

function reasonOf(error: unknown): string {
  if (errno(error) === 'EADDRINUSE') return 'another program listens there, or a file has this name'
  return messageOf(error)
}

/** Removes the socket of a service that was killed. */
async function removeLeftSocket(path: string): Promise<void> {
  const status = await unlessAbsent(lstat(path))
  if (status?.isSocket() && (await whyNoConnection({ path })) !== undefined) await unlessAbsent(unlink(path))
}
