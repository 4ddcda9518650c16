// The service as a process of its own: settings, signals, exit codes. `npm start` runs it beside nginx.

import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { readConfig, type Config } from './config.js'
import { messageOf, StartProblem } from './errors.js'
import { makeLog } from './log.js'
import { planNginx } from './nginx/configure.js'
import { letWorkersConnect, letWorkersRead, workersElsewhere, type WorkerUser } from './nginx/workers.js'
import { endOnUncaught } from './service/crash.js'
import { beginRun, endRun } from './service/last-run.js'
import { lockDataFolder } from './service/lock-data-folder.js'
import { openMetrics } from './service/open-metrics.js'
import { ServiceManager } from './service/service-manager.js'
import { Service } from './service/service.js'
import { complain } from './service/terminal.js'
import { startWatchdog } from './service/watchdog.js'
import { isOneOfSeveral } from './settings/runtime-files.js'
import { becomeOwner } from './store/become-owner.js'
import { keepFormat } from './store/format.js'
import { signLock } from './store/lock.js'
import { claimRuntimeFolder, makeRuntimeFolder } from './store/runtime-folder.js'
import { Store } from './store/store.js'

// Ignore EPIPE: a closed log must not stop the service.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
/** How long the starting process may take to hear of an end. */
const SAY_MS = 1000
let log = makeLog((line) => process.stdout.write(line))

/** Lets the workers of an nginx read what is private, before anything is derived for them. */
async function letWorkersIn(config: Config, workers: WorkerUser): Promise<void> {
  await new Store(config.data).prepare()
  await letWorkersRead(config, workers)
}

/** Ends the process when the data folder is no longer its own: nothing can be undone then, and the journal has it. */
async function lease(config: Config): Promise<() => Promise<void>> {
  return (await import('./service/keep-lease.js')).keepLease(config, (reason) => {
    log('error', 'fenced', { reason })
    // An exit would wait for the calls that hang.
    const end = (): void => void process.kill(process.pid, 'SIGKILL')
    setTimeout(end, SAY_MS)
    if (process.send) process.send('fenced', end)
    else end()
  })
}

/** Waits until the starting process has the lock, which is this process's, too. The program is loaded then. */
async function toldToStart(): Promise<void> {
  const end = (): never => process.exit(0)
  process.once('disconnect', end)
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, end)
  await once(process, 'message')
  process.off('disconnect', end)
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.off(signal, end)
}

async function main(): Promise<void> {
  process.umask(0o022) // nginx's workers read the tree
  const config = readConfig()
  log = makeLog((line) => process.stdout.write(line), config.logLevel)
  becomeOwner(config.data, config.runtime)
  mkdirSync(config.data, { recursive: true })
  process.chdir(config.data)
  makeRuntimeFolder(config.runtime)
  // `npm start` took the lock and gave it to this process as an open file, which lives as long as the process.
  const isAlone = process.argv[2] !== 'locked'
  if (process.argv[3] === 'waits') await toldToStart()
  if (isAlone) {
    await claimRuntimeFolder(config.runtime)
    await lockDataFolder(config, log)
  } else {
    keepFormat(config.data) // after an upgrade or a rollback `npm start` may be of another version than this
    signLock(config.data)
  }
  const metrics = await openMetrics(config, log)
  const endLease = isOneOfSeveral(config) ? await lease(config) : undefined
  const service = new Service(config, metrics?.hear(log) ?? log, { metrics, ownNginx: !isAlone })
  endOnUncaught(service, log)
  // `npm start` has an nginx of its own. In front of a service that runs alone is somebody else's.
  const workers = isAlone ? await workersElsewhere(config) : undefined
  if (workers) await letWorkersIn(config, workers)
  await service.start()
  // It was started anew beside an nginx that another version configured.
  if (process.argv[3] === 'writes-nginx') await planNginx(config)
  if (workers) letWorkersConnect(config, workers)
  const manager = new ServiceManager()

  const endWatchdog = startWatchdog(manager, []) // that its timer runs is what it says
  let stopping = false
  const stop = async (reason: string): Promise<void> => {
    if (stopping) return
    stopping = true
    log('info', 'stopping', { reason })
    endWatchdog()
    void manager.stopping()
    await service.close()
    await endLease?.()
    endRun()
    log('info', 'stopped')
    process.exit(0)
  }
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void stop(signal))
  process.on('disconnect', () => void stop('the starting process ended'))
  beginRun(log) // from here on it ends in order, or is killed
  log('info', 'ready', { pid: process.pid })
  process.send?.('ready')
  void manager.ready('taking requests')
}

main().catch((error: unknown) => {
  if (error instanceof StartProblem) complain(error.message)
  else log('error', 'cannot start', { reason: messageOf(error) })
  process.exit(1)
})
