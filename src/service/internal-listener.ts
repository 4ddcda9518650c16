// The door for the other machines of a cluster: the same requests as on the service's socket, over TLS with the key
// that is in the data folder. Whoever does not have the key gets no further than the handshake.

import { listenAt } from '../addresses/listening.js'
import { createServer, type Server } from 'node:https'
import type { RequestListener } from 'node:http'
import type { Socket } from 'node:net'
import { peerAddressText, type PeerAddress } from '../addresses/peer-address.js'
import { removeActive, writeActive } from '../cluster/active.js'
import { makeClusterKey } from '../cluster/key.js'
import { serverSecurity } from '../cluster/psk.js'
import { errno, messageOf, StartProblem } from '../errors.js'
import type { Log } from '../log.js'
import { holderOf } from '../store/lock.js'
import type { Store } from '../store/store.js'

/** As on the service's socket: the other machine closes a connection earlier. */
const KEEP_ALIVE_MS = 75_000
const HEAD_MS = 30_000
/** Connections of other machines, each with one request. */
const MOST_CONNECTIONS = 8192
const BACKLOG = 1024
/** Bounds for whoever has not shown the key, and for what is logged of them. */
const BOUNDS = { handshakeMs: 5000, handshakes: 64, logEveryMs: 60_000 }

export class InternalListener {
  readonly #address: PeerAddress
  readonly #store: Store
  readonly #log: Log
  readonly #handle: RequestListener
  readonly #bounds: typeof BOUNDS
  /** Takes the requests; `undefined` until {@link listen}. */
  #server: Server | undefined
  /** Connections that have not shown the key yet, the oldest first, under the address and port that they come from. */
  readonly #strangers = new Map<string, Socket>()
  /** Who was refused since the last line of the log said so, and when it did, on the clock of `performance`. */
  readonly #refused = { count: 0, toldAt: -Infinity }
  /** This process, as state/active names it. */
  #holder = ''

  /** `handle` takes the requests. */
  constructor(
    address: PeerAddress,
    handle: RequestListener,
    parts: { store: Store; log: Log },
    bounds = BOUNDS,
  ) {
    this.#address = address
    this.#handle = handle
    this.#store = parts.store
    this.#log = parts.log
    this.#bounds = bounds
  }

  /** Says that no service is active, while what the last one left is recovered. */
  async begin(): Promise<void> {
    await removeActive(this.#store)
  }

  /**
   * Listens, and then tells the other machines. Makes the key when there is none. Throws a {@link StartProblem} when
   * the address cannot be listened at, or the key is not good. The process must hold the data folder's lock.
   */
  async listen(): Promise<void> {
    const server = this.#makeServer(await makeClusterKey(this.#store))
    this.#server = server
    await listenAt(server, { ...this.#address, backlog: BACKLOG }, (error) =>
      this.#log('error', 'internal connection', { reason: error.message }),
    ).catch((error: unknown) => {
      const why = errno(error) === 'EADDRINUSE' ? 'another program listens there' : messageOf(error)
      throw new StartProblem(`PLINTH_INTERNAL_LISTEN=${peerAddressText(this.#address)}: ${why}`)
    })
    this.#holder = holderOf(this.#store.at('.'))
    await writeActive(this.#store, { holder: this.#holder, address: this.#address })
  }

  /**
   * Takes no new connection and tells the other machines. Resolves when no connection is left; {@link cutOff} ends
   * those that stay.
   */
  async close(): Promise<void> {
    const server = this.#server
    if (!server?.listening) return
    const ended = new Promise((resolve) => server.close(resolve))
    for (const stranger of this.#strangers.values()) stranger.destroy()
    server.closeIdleConnections()
    await removeActive(this.#store, this.#holder).catch((error: unknown) => {
      this.#log('warn', 'state/active is left', { reason: messageOf(error) })
    })
    await ended
  }

  /** Ends all connections. */
  cutOff(): void {
    this.#server?.closeAllConnections()
  }

  #makeServer(key: Buffer): Server {
    const { handshakeMs, handshakes } = this.#bounds
    const server = createServer(
      {
        ...serverSecurity(key),
        handshakeTimeout: handshakeMs,
        requestTimeout: 0, // the service bounds how long a body takes
        headersTimeout: HEAD_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
        noDelay: true,
        insecureHTTPParser: false,
      },
      this.#handle,
    )
    server.maxConnections = MOST_CONNECTIONS + handshakes
    server.maxHeadersCount = 0 // none is left out; their size is bounded
    server.prependListener('connection', (socket: Socket) => this.#meet(socket))
    server.on('secureConnection', (socket) => this.#strangers.delete(originOf(socket)))
    server.on('tlsClientError', (error, socket) => this.#tellRefused(error, socket))
    return server
  }

  /** Whoever connects last is heard: a crowd that sends nothing does not keep out who has the key. */
  #meet(socket: Socket): void {
    const origin = originOf(socket)
    this.#strangers.set(origin, socket)
    socket.once('close', () => {
      if (this.#strangers.get(origin) === socket) this.#strangers.delete(origin)
    })
    for (const [oldest, stranger] of this.#strangers) {
      if (this.#strangers.size <= this.#bounds.handshakes) return
      this.#strangers.delete(oldest)
      stranger.destroy()
    }
  }

  /** Anybody can make such a line: there is one in a while, with the number of those that were not told. */
  #tellRefused(error: Error, { remoteAddress: address }: Socket): void {
    if (!this.#server?.listening) return
    const refused = this.#refused
    const now = performance.now()
    if (now - refused.toldAt < this.#bounds.logEveryMs) return void refused.count++
    this.#log('warn', 'internal connection refused', {
      address,
      reason: whyRefused(error),
      others: refused.count,
    })
    refused.count = 0
    refused.toldAt = now
  }
}

// A connection over TLS has another object than the one below it, and the same origin.
const originOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`

function whyRefused(error: Error): string {
  const code = errno(error) ?? ''
  if (/BAD_RECORD_MAC|DECRYPTION_FAILED/.test(code)) return 'it has another key'
  return code || messageOf(error)
}
