// The service that takes uploads and deletes, put together: parts, recovery, a socket to listen on.

import { createServer, type Server } from 'node:http'
import { unlink } from 'node:fs/promises'
import { keepAccessDerived } from '../access/keeper.js'
import { createApp } from '../http/app.js'
import type { Config } from '../config.js'
import { ignoring, messageOf } from '../errors.js'
import { makeGate } from '../http/admission.js'
import { listenForCommands } from './control.js'
import { openInbox } from '../inbox/inbox.js'
import { makeModuleIntake } from '../go/intake.js'
import { importVersions } from '../import/import.js'
import { parseImport } from '../import/request.js'
import { inspectTree } from '../inspection/inspect.js'
import { parseInspection } from '../inspection/request.js'
import { socketPath } from '../layout.js'
import type { Log } from '../log.js'
import { openParts } from './parts.js'
import { parseOwnerToRemove, removeOwner } from './remove-owner.js'
import { makeReceive } from '../http/request-body.js'
import { openWayIn } from './way-in.js'

export type Service = { close: () => Promise<void> }

/** nginx opens a connection for each request, so none of ours may be closed first by age. */
const KEEP_ALIVE_MS = 75_000
/** Connections that wait to be accepted. One more is refused at once (EAGAIN), and nginx answers it with 503. */
const BACKLOG = 4096
const SWEEP_EVERY_MS = 10 * 60_000
/** What is being written to the tree when a stop has lasted too long gets this much more; then the journal has it. */
const CUT_OFF_MS = 5000

/**
 * Recovers what a crash left, then listens on the data folder's socket. The process must hold the data folder's lock
 * and stand in it: a socket's path may have 107 bytes, and a data folder's may have more.
 */
export async function startService(config: Config, log: Log): Promise<Service> {
  await ignoring(['ENOENT'], () => unlink(socketPath)) // left by one that was killed
  const parts = openParts(config.data, log)
  const { store, zips } = parts
  await parts.recover()
  const keeper = await keepAccessDerived(store, log)

  const gate = makeGate(config.maxUploads)
  const wayIn = openWayIn(config, parts)
  const receive = makeReceive({ ...wayIn, gate })
  const app = createApp({ ...wayIn, intake: makeModuleIntake({ config, ...parts }), gate, receive, log })
  app.on('error', (error: Error) => log('warn', 'connection', { reason: error.message }))
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: KEEP_ALIVE_MS }, app.callback())
  await listen(server)
  const inbox = config.inbox
    ? await openInbox({ ...wayIn, log }, { settleMs: config.inboxSettleSeconds * 1000 })
    : undefined
  const commands = await listenForCommands(
    {
      inspection: (asked) => inspectTree(parts, parseInspection(asked)),
      removal: (asked) => removeOwner(parts, parseOwnerToRemove(asked)),
      import: (asked, signal) => importVersions(wayIn, parseImport(asked), signal),
    },
    log,
  )
  const sweeping = setInterval(
    () =>
      void store
        .sweep(SWEEP_EVERY_MS)
        .catch((error: unknown) => log('warn', 'sweep', { reason: messageOf(error) })),
    SWEEP_EVERY_MS,
  ).unref()
  return {
    /** Takes nothing new, lets what is under way finish, for as long as it may. */
    close: async () => {
      gate.stop()
      clearInterval(sweeping)
      const ended = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeIdleConnections()
      const others = Promise.all([inbox?.stop(), commands.stop()])
      await within(config.stopSeconds * 1000, Promise.all([ended, others]))
      server.closeAllConnections() // bodies that still come are cut off, as by a client that goes away
      await within(CUT_OFF_MS, gate.idle())
      commands.cutOff()
      await zips.close()
      await keeper.stop()
    },
  }
}

const listen = (server: Server): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ path: socketPath, backlog: BACKLOG }, resolve)
  })

/** Resolves with `promise`, or when `ms` have passed. */
async function within(ms: number, promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  await Promise.race([promise, new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))])
  clearTimeout(timer)
}
