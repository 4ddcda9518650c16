// One request that is passed on to the active service, and its answer. Both stream: no more than some pieces of a body
// are in memory. A request is sent once: whatever breaks, nothing is tried a second time that may have arrived.

import { request, type ClientRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { endToEnd } from './end-to-end.js'
import { NotConnected } from './peer-agent.js'
import type { Peer } from './peers.js'

/** How long the rest of a body may come after its request was answered. Then the connection is closed. */
const REST_MS = 30_000

/**
 * `answered`: the client has the answer, or as much of it as there was and then the end of its connection. `gone`: the
 * client went away. `not connected`: nothing was sent, for the reason `why`. `lost`: it was sent at least in part, and
 * there is no answer.
 */
export type Outcome = { how: 'answered' | 'gone' | 'lost' } | { how: 'not connected'; why: string }

const NOTHING = Buffer.alloc(0)

/** How a method and a path are sent, with which headers; see {@link headersSentOn}. */
export type Sent = { method: string; path: string; headers: string[] }

export class Exchange {
  readonly #req: IncomingMessage
  readonly #res: ServerResponse
  /** Whether the client waits with the body until it is told to send it. */
  readonly #waits: boolean
  /** The request to the active service. */
  #upstream: ClientRequest | undefined
  /** Whether the body of the client is asked for. */
  #isTold = false
  /** Whether the head of the answer came. */
  #hasAnswer = false
  /** Set by {@link drop}. */
  #isDropped = false

  /** `waits`: the client has sent `Expect: 100-continue`. */
  constructor(req: IncomingMessage, res: ServerResponse, waits: boolean) {
    this.#req = req
    this.#res = res
    this.#waits = waits
  }

  /** Sends the request to `peer`, and its answer to the client. */
  async pass({ agent }: Peer, { method, path, headers }: Sent): Promise<Outcome> {
    if (this.#isDropped) return { how: 'lost' }
    const [req, res] = [this.#req, this.#res]
    const upstream = request({ agent, method, path, headers, insecureHTTPParser: false })
    this.#upstream = upstream
    return new Promise((resolve) => {
      const end = (outcome: Outcome): void => {
        res.off('close', onClosed)
        resolve(outcome)
      }
      const onClosed = (): void => {
        if (!res.writableFinished) upstream.destroy() // a client that gives up gives its request up
        end({ how: res.writableFinished ? 'answered' : 'gone' })
      }
      res.once('close', onClosed)
      upstream.on('continue', () => this.#askForBody())
      upstream.once('response', (answer) => this.#answer(answer, upstream))
      upstream.on('error', (error) => {
        if (!this.#hasAnswer && error instanceof NotConnected)
          end({ how: 'not connected', why: error.message })
      })
      upstream.once('close', () => {
        if (!this.#hasAnswer) end({ how: 'lost' })
      })
      upstream.once('socket', () => req.pipe(upstream)) // there is a connection: nothing is taken of the body before
      upstream.write(NOTHING) // the head, whose bytes flushHeaders would change
      if (res.destroyed) onClosed()
    })
  }

  /** Gives the request up. The client sees a 503, or the end of its connection. */
  drop(): void {
    this.#isDropped = true
    this.#upstream?.destroy()
  }

  #askForBody(): void {
    if (this.#isTold || !this.#waits || this.#res.headersSent) return
    this.#isTold = true
    this.#res.writeContinue()
  }

  #answer(answer: IncomingMessage, upstream: ClientRequest): void {
    const [req, res] = [this.#req, this.#res]
    this.#hasAnswer = true
    answer.on('error', () => {}) // its 'close' follows
    answer.once('close', () => {
      if (!answer.complete) res.destroy() // the client must not take it for whole
    })
    // A refusal may come before the body has. Then the rest of the body is of no use to the active service.
    answer.once('end', () => {
      if (req.complete) return
      req.unpipe(upstream)
      upstream.destroy()
      takeRest(req)
    })
    if (answer.headers.date !== undefined) res.sendDate = false
    if (this.#waits && !this.#isTold) res.shouldKeepAlive = false // whether the body still comes, nobody knows
    try {
      res.writeHead(answer.statusCode ?? 502, answer.statusMessage, endToEnd(answer.rawHeaders))
    } catch {
      res.destroy() // a status line that node does not write
      return
    }
    res.write(NOTHING) // the head
    answer.pipe(res)
  }
}

/**
 * Reads the rest of a body and drops it, after the request was answered: a client that still sends may not read the
 * answer of a connection that is closed. A client that goes on and on is cut off.
 */
export function takeRest(req: IncomingMessage): void {
  if (req.complete || req.destroyed) return
  const timer = setTimeout(() => req.socket.destroy(), REST_MS).unref()
  req.once('close', () => clearTimeout(timer))
  req.resume()
}
