// What stands on the service's socket on a machine whose service is not active: it passes each request on to the active
// service, whichever machine that is, so that clients see one service. nginx is in front of it.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { listenAt } from '../addresses/listening.js'
import type { Log } from '../log.js'
import { inTime } from '../shares/in-time.js'
import { asksWhetherReady, refused, unavailable, type OwnAnswer } from './answers.js'
import { headersSentOn } from './end-to-end.js'
import { Exchange, takeRest, type Outcome, type Sent } from './exchange.js'
import type { Peer, Peers } from './peers.js'

/** nginx opens a connection for each request. More of them are closed at once, and nginx answers with 503. */
const MOST_CONNECTIONS = 4096
/** Connections that wait to be accepted, as at the service's own socket. */
const BACKLOG = 4096
/** Requests that are passed on at once: each has a connection to the active service. */
const MOST_UNDER_WAY = 2048
/** In bytes: node's own limit, which the service has, too. */
const MAX_HEAD_BYTES = 16 * 1024
const HEAD_MS = 30_000
const KEEP_ALIVE_MS = 75_000
/** How long "ready?" may take from here: the active service, or the network, may hang. */
const READY_MS = 2000
/**
 * How often it is looked, while requests are under way, whether another service has become active. A request to the one
 * before has this long and twice as long at most for an answer that is on its way.
 */
const LOOK_EVERY_MS = 3000

/** How many active services a request is offered to, one after the other, before a connection is made. */
const MOST_ATTEMPTS = 2

const WITH_BODY = ['PUT', 'POST', 'PATCH']
/** What node does not send in a path. */
// oxlint-disable-next-line no-control-regex
const UNSENDABLE = /[^\u0021-\u00ff]/

/** A request that is under way, and the service that it was sent to. */
type UnderWay = { exchange: Exchange; peer: Peer; isLate: boolean }

export class Forwarder {
  readonly #peers: Peers
  readonly #log: Log
  readonly #server: Server
  readonly #readyMs: number
  /** What was sent and has no answer yet. */
  readonly #underWay = new Set<UnderWay>()
  /** Requests that were not answered yet. */
  #count = 0
  /** Looks for another active service; runs while requests are under way. */
  #looking: NodeJS.Timeout | undefined
  readonly #lookEveryMs: number

  constructor(peers: Peers, log: Log, { readyMs = READY_MS, lookEveryMs = LOOK_EVERY_MS } = {}) {
    this.#peers = peers
    this.#log = log
    this.#readyMs = readyMs
    this.#lookEveryMs = lookEveryMs
    const server = createServer({
      requestTimeout: 0, // how long a body may take, the active service knows
      headersTimeout: HEAD_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEAD_BYTES,
      insecureHTTPParser: false, // a request with two ends is refused
    })
    server.maxConnections = MOST_CONNECTIONS
    server.maxHeadersCount = 0 // none is left out; their size is bounded
    server.on('request', (req, res) => void this.#take(req, res, false))
    server.on('checkContinue', (req, res) => void this.#take(req, res, true))
    this.#server = server
  }

  /** Listens on the socket `path`. A file of that name must not be there. Rejects when it cannot. */
  async listen(path: string): Promise<void> {
    await listenAt(this.#server, { path, backlog: BACKLOG }, (error) =>
      this.#log('error', 'connection', { reason: error.message }),
    )
  }

  /** Takes nothing new; the socket is gone at once. Resolves when what is under way has ended, at most after `ms`. */
  async close(ms: number): Promise<void> {
    const ended = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeIdleConnections()
    const cut = setTimeout(() => this.#server.closeAllConnections(), ms)
    await ended
    clearTimeout(cut)
    clearInterval(this.#looking)
    this.#peers.retire()
  }

  async #take(req: IncomingMessage, res: ServerResponse, waits: boolean): Promise<void> {
    for (const end of [req, res]) end.on('error', () => {}) // it may break when nobody listens
    this.#count++
    try {
      const own = await this.#pass(req, res, waits)
      if (own) answerWith(own, req, res, waits)
    } catch (error) {
      this.#log('error', 'internal error', { reason: String(error) })
      res.destroy()
    } finally {
      this.#count--
    }
  }

  /** Passes the request on. Resolves with the answer to give when there is none of the active service. */
  async #pass(req: IncomingMessage, res: ServerResponse, waits: boolean): Promise<OwnAnswer | undefined> {
    const { method = '', url = '' } = req
    if (UNSENDABLE.test(url)) return refused(400, 'the path is malformed')
    const headers = headersSentOn(req.rawHeaders, req.headers, WITH_BODY.includes(method))
    if (!headers) return refused(501, 'no transfer encoding but chunked is taken')
    const why = await this.#whyNot(new Exchange(req, res, waits), { method, path: url, headers })
    return why === undefined ? undefined : unavailable(method, url, why)
  }

  /** Passes the request on. Resolves with the reason why the client has no answer, if so. */
  async #whyNot(exchange: Exchange, sent: Sent): Promise<string | undefined> {
    if (this.#count > MOST_UNDER_WAY) return 'too many requests are under way'
    const sending = this.#send(exchange, sent)
    const outcome = asksWhetherReady(sent.method, sent.path)
      ? await this.#inTime(exchange, sending)
      : await sending
    if ('why' in outcome) return outcome.why
    if (outcome.how !== 'lost') return undefined
    return 'the service has ended, and it is not known what was done of this request: look again after a while'
  }

  async #inTime(exchange: Exchange, sending: Promise<Outcome>): Promise<Outcome> {
    const outcome = await inTime(this.#readyMs, 'late', sending)
    if (outcome !== 'late') return outcome
    exchange.drop()
    return {
      how: 'not connected',
      why: `the active service does not answer within ${this.#readyMs / 1000} s`,
    }
  }

  /** Sends the request to the active service. When there was no connection, and another one is active, to that. */
  async #send(exchange: Exchange, sent: Sent): Promise<Outcome> {
    let { peer, why } = await this.#peers.find()
    for (let attempt = 1; peer; attempt++) {
      const outcome: Outcome = await this.#sendTo(peer, exchange, sent)
      if (outcome.how !== 'not connected') {
        if (outcome.how === 'answered') this.#peers.tellReached(peer)
        return outcome
      }
      this.#peers.tellUnreachable(peer, outcome.why)
      const next = await this.#peers.find(true)
      if (next.peer === peer || attempt === MOST_ATTEMPTS)
        return { how: 'not connected', why: 'the active service cannot be reached' }
      ;({ peer, why } = next)
    }
    return { how: 'not connected', why }
  }

  async #sendTo(peer: Peer, exchange: Exchange, sent: Sent): Promise<Outcome> {
    const entry = { exchange, peer, isLate: false }
    this.#underWay.add(entry)
    this.#looking ??= setInterval(() => void this.#look(), this.#lookEveryMs)
    try {
      return await exchange.pass(peer, sent)
    } finally {
      this.#underWay.delete(entry)
      if (this.#underWay.size === 0) {
        clearInterval(this.#looking)
        this.#looking = undefined
      }
    }
  }

  /** Gives up what was sent to a service that is not the active one any more: its machine may never answer. */
  async #look(): Promise<void> {
    const { peer } = await this.#peers.find(true)
    if (!peer) return // a service that ends in order finishes what it has
    for (const entry of this.#underWay) {
      if (entry.peer.holder === peer.holder) continue
      if (entry.isLate) entry.exchange.drop()
      entry.isLate = true
    }
  }
}

function answerWith(
  { status, headers, body }: OwnAnswer,
  req: IncomingMessage,
  res: ServerResponse,
  waits: boolean,
) {
  if (res.headersSent || res.destroyed) return
  if (waits) res.shouldKeepAlive = false // whether the body still comes, nobody knows
  res.writeHead(status, headers)
  res.end(body) // node leaves it out for HEAD
  takeRest(req)
}
