// The service as a process of its own: settings, signals, exit codes. `npm start` runs it beside nginx.

import { mkdirSync } from 'node:fs'
import { readConfig } from './config.js'
import { messageOf, StartProblem } from './errors.js'
import { makeLog } from './log.js'
import { endOnUncaught } from './service/crash.js'
import { lockDataFolder } from './service/lock-data-folder.js'
import { openMetrics } from './service/open-metrics.js'
import { Service } from './service/service.js'
import { complain } from './service/terminal.js'
import { becomeOwner } from './store/become-owner.js'
import { signLock } from './store/lock.js'

// Ignore EPIPE: a closed log must not stop the service.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
let log = makeLog((line) => process.stdout.write(line))

async function main(): Promise<void> {
  process.umask(0o022) // nginx's workers read the tree
  const config = readConfig()
  log = makeLog((line) => process.stdout.write(line), config.logLevel)
  becomeOwner(config.data)
  mkdirSync(config.data, { recursive: true })
  process.chdir(config.data)
  // `npm start` took the lock and gave it to this process as an open file, which lives as long as the process.
  if (process.argv[2] === 'locked') signLock(config.data)
  else await lockDataFolder(config, log)
  const metrics = await openMetrics(config, log)
  const service = new Service(config, metrics?.hear(log) ?? log, metrics)
  endOnUncaught(service, log)
  await service.start()

  let stopping = false
  const stop = async (reason: string): Promise<void> => {
    if (stopping) return
    stopping = true
    log('info', 'stopping', { reason })
    await service.close()
    log('info', 'stopped')
    process.exit(0)
  }
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void stop(signal))
  process.on('disconnect', () => void stop('the starting process ended'))
  log('info', 'ready', { pid: process.pid })
  process.send?.('ready')
}

main().catch((error: unknown) => {
  if (error instanceof StartProblem) complain(error.message)
  else log('error', 'cannot start', { reason: messageOf(error) })
  process.exit(1)
})
