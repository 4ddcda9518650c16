// The service that takes uploads and deletes: recovers, then listens on a socket, watches the inbox, runs jobs.

import { unlink } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import { AccessKeeper } from '../access/keeper.js'
import { listenAt } from '../addresses/listening.js'
import { auditLogOf } from '../audit/where.js'
import type { Config } from '../config.js'
import { ignoring, messageOf } from '../errors.js'
import { Admission } from '../http/admission.js'
import { createApp } from '../http/app.js'
import { Inbox } from '../inbox/inbox.js'
import { isOneOfSeveral, runtimeFiles } from '../settings/runtime-files.js'
import type { Log } from '../log.js'
import type { Metrics } from '../metrics/metrics.js'
import { inTime } from '../shares/in-time.js'
import { Store } from '../store/store.js'
import { commandsFor } from './commands-for-accounts.js'
import { CommandSocket } from './control.js'
import type { InternalListener } from './internal-listener.js'
import { wasCutOff } from './last-run.js'
import { Parts } from './parts.js'
import { noteAuditLog } from './note-audit-log.js'
import { writeSiteFiles } from './site-files.js'

/** nginx opens a connection for each request, so the service must not be the first to close one by age. */
const KEEP_ALIVE_MS = 75_000
/** Connections that wait to be accepted. One more is refused at once (EAGAIN), and nginx answers it with 503. */
const BACKLOG = 4096
const SWEEP_EVERY_MS = 10 * 60_000
/** How long a stop that takes too long waits for what is being written to the tree. Then the journal has it. */
const CUT_OFF_MS = 5000

export class Service {
  readonly #config: Config
  readonly #log: Log
  readonly #parts: Parts
  /** Counts requests and uploads, and refuses them when there are too many, or during the stop. */
  readonly #admission: Admission
  /** Derives what nginx reads of accounts and owners. */
  readonly #keeper: AccessKeeper
  /** Answers a request, whichever way it came. */
  readonly #handle: RequestListener
  /** Takes uploads and deletes from nginx. */
  readonly #server: Server
  /** Takes jobs from commands. */
  readonly #commands: CommandSocket
  /** Publishes what is dropped; absent without PLINTH_INBOX. */
  #inbox: Inbox | undefined
  #sweeping: NodeJS.Timeout | undefined
  /** Tells what happens here; absent without PLINTH_METRICS. */
  readonly #metrics: Metrics | undefined
  /** Takes requests from other machines; absent without PLINTH_INTERNAL_LISTEN. */
  #internal: InternalListener | undefined
  /** Whether what a crash left was looked at, and requests are taken. */
  #takesRequests = false

  /** `ownNginx`: the nginx in front is that of `npm start`, by these settings. */
  constructor(
    config: Config,
    log: Log,
    { metrics, ownNginx = false }: { metrics?: Metrics | undefined; ownNginx?: boolean } = {},
  ) {
    this.#metrics = metrics
    this.#config = config
    this.#log = log
    const store = new Store(config.data, { ownTemps: isOneOfSeveral(config) })
    this.#parts = new Parts(config, log, { store, ownNginx })
    this.#admission = new Admission(config.maxUploads)
    this.#keeper = new AccessKeeper(this.#parts)
    const runCommand = commandsFor(this.#parts)
    const app = createApp({
      ...this.#parts,
      admission: this.#admission,
      runCommand,
      observe: metrics?.observe,
    })
    app.on('error', (error: Error) => log('warn', 'connection', { reason: error.message }))
    this.#handle = app.callback()
    this.#server = createServer({ requestTimeout: 0, keepAliveTimeout: KEEP_ALIVE_MS }, this.#handle)
    // A connection that cannot be accepted (EMFILE) is an error of the server. It goes on.
    this.#server.on('error', (error) => log('error', 'connection', { reason: error.message }))
    this.#commands = new CommandSocket(this.#parts, log)
  }

  /**
   * Recovers what a crash left, then takes requests. The process must hold the data folder's lock and have the data
   * folder as its working directory: the path of a socket has at most 107 bytes, a data folder's path may have more.
   */
  async start(): Promise<void> {
    const [admission, keeper] = [this.#admission, this.#keeper]
    const followsCrash = wasCutOff(this.#log)
    await this.#metrics?.listen({
      ...this.#parts,
      admission,
      keeper,
      isRecovered: () => this.#takesRequests,
      followsCrash,
    })
    const { socket } = runtimeFiles(this.#config.runtime)
    await ignoring(['ENOENT'], () => unlink(socket)) // a service that was killed left it
    this.#parts.audit.mustOpen()
    this.#internal = await openInternal(this.#parts, this.#handle)
    await this.#internal?.begin()
    await this.#parts.recover()
    await noteAuditLog(this.#parts.store, auditLogOf(this.#config))
    await this.#keeper.start()
    await writeSiteFiles(this.#parts.store, this.#parts.site)
    // A connection that could not be accepted (EMFILE) is one that the client tries again.
    await listenAt(this.#server, { path: socket, backlog: BACKLOG }, () => {})
    await this.#internal?.listen()
    this.#takesRequests = true
    if (this.#config.inbox)
      this.#inbox = await Inbox.start(this.#parts, { settleMs: this.#config.inboxSettleSeconds * 1000 })
    await this.#commands.listen()
    this.#parts.clockWatch.start()
    this.#parts.certificateWatch.start()
    this.#parts.readiness.start()
    this.#sweeping = setInterval(() => void this.#sweep(), SWEEP_EVERY_MS).unref()
  }

  /** Takes nothing new, and lets what is under way finish, for as long as the settings and `mostMs` allow. */
  async close(mostMs = Infinity): Promise<void> {
    this.#takesRequests = false
    this.#admission.stop()
    clearInterval(this.#sweeping)
    this.#parts.clockWatch.stop()
    this.#parts.certificateWatch.stop()
    this.#parts.readiness.stop()
    const ended = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeIdleConnections()
    const others = Promise.all([this.#inbox?.stop(), this.#commands.stop(), this.#internal?.close()])
    await inTime(Math.min(mostMs, this.#config.stopSeconds * 1000), undefined, Promise.all([ended, others]))
    this.#server.closeAllConnections() // cuts off bodies that still come, as a client that goes away does
    this.#internal?.cutOff()
    await inTime(CUT_OFF_MS, undefined, this.#admission.idle())
    this.#commands.cutOff()
    const settled = this.#parts.ownerViews.settle().catch(() => {}) // what is due is marked
    await inTime(CUT_OFF_MS, undefined, settled)
    this.#parts.ownerViews.stop()
    await this.#parts.zips.close()
    await this.#keeper.stop()
    await this.#metrics?.close()
    await this.#parts.store.close()
  }

  async #sweep(): Promise<void> {
    try {
      await this.#parts.store.sweep(SWEEP_EVERY_MS)
    } catch (error) {
      this.#log('warn', 'sweep', { reason: messageOf(error) })
    }
  }
}

/** The door for other machines. Without PLINTH_INTERNAL_LISTEN not even its code is loaded. */
async function openInternal(parts: Parts, handle: RequestListener): Promise<InternalListener | undefined> {
  const { internalListen } = parts.config
  if (internalListen === undefined) return undefined
  const { InternalListener } = await import('./internal-listener.js')
  return new InternalListener(internalListen, handle, parts)
}
