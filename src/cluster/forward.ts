// The process of a machine whose service is not active: `forward.js SOCKET STOP_SECONDS LOG_LEVEL`, with the data
// folder as its working directory. It answers on SOCKET until SIGTERM, and loads nothing of the service.

import { unlink } from 'node:fs/promises'
import { whyNoConnection } from '../addresses/connection.js'
import { ignoring, messageOf, StartProblem } from '../errors.js'
import { LOG_LEVELS, makeLog } from '../log.js'
import { Forwarder } from './forwarder.js'
import { Peers } from './peers.js'

// Ignore EPIPE: a closed log must not stop what is passed on.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

const [socket = '', stopSeconds = '', level] = process.argv.slice(2)
const log = makeLog(
  (line) => process.stdout.write(line),
  LOG_LEVELS.find((each) => each === level),
)

// What the process holds in memory is not trusted any more. It holds nothing that is not sent again.
process.on('uncaughtException', (error: unknown) => {
  log('error', 'uncaught', {
    reason: messageOf(error),
    stack: error instanceof Error ? error.stack : undefined,
  })
  process.exit(1)
})

/** Tells the process that started this one, which may be gone. */
const tell = (word: string): void => void (process.connected && process.send?.(word, () => {}))

async function main(): Promise<void> {
  process.umask(0o022)
  if ((await whyNoConnection({ path: socket })) === undefined)
    throw new StartProblem(`somebody answers on ${socket} already`)
  await ignoring(['ENOENT'], () => unlink(socket)) // one that was killed left it
  const forwarder = new Forwarder(new Peers(process.cwd(), log), log)
  let stopping = false
  const stop = async (): Promise<void> => {
    if (stopping) return
    stopping = true
    const closed = forwarder.close(Number(stopSeconds) * 1000)
    tell('closed') // from here on another process may have the socket
    await closed
    process.exit(0)
  }
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void stop())
  process.on('disconnect', () => void stop())
  await forwarder.listen(socket)
  tell('ready')
}

main().catch((error: unknown) => {
  log('error', 'cannot start', { reason: messageOf(error) })
  process.exit(1)
})
