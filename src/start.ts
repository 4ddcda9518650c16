// `npm start`: the service and nginx in the foreground. Ends when it is told to, and when either of the two ends;
// SIGUSR2 restarts the service alone.

import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { environment, readConfig, unknownSettings, type Config } from './config.js'
import { messageOf, StartProblem } from './errors.js'
import { FIRST_NAME, firstRun } from './access/first-run.js'
import { checkTls } from './nginx/certificate.js'
import { takeLock, type Lock } from './store/lock.js'
import { NODE_FLAGS } from './service/node-flags.js'
import { planNginx } from './nginx/configure.js'
import { mustBeListenable, untilListening } from './nginx/listen.js'
import { endLeftNginx, letWorkersWrite, signalGroup, startNginx } from './nginx/process.js'
import { mustBeWritable } from './store/data-folder.js'

// Whoever read our output may be gone: no reason to end.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

const say = (text: string): void => void process.stdout.write(`plinth: ${text}\n`)
const complain = (text: string): void => void process.stderr.write(`plinth: ${text}\n`)

/** How long the service may take beyond PLINTH_STOP_SECONDS, and nginx with what is being read, before it is ended. */
const SERVICE_GRACE_MS = 15_000
const NGINX_GRACE_MS = 10_000

type Ending = { code: number; reason: string }

/** Resolves with how the process ended. */
const ended = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`))
    child.once('exit', (code, signal) =>
      resolve(signal ? `was ended by ${signal}` : `ended with code ${code}`),
    )
  })

async function stopChild(child: ChildProcess, signal: NodeJS.Signals, graceMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill(signal)
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
  await gone
  clearTimeout(timer)
}

/** The service's process; `ready` resolves when it takes requests, `ended` with how it went. */
type Running = { child: ChildProcess; ready: Promise<'ready'>; ended: Promise<Ending> }

// The service gets the lock as an open file, and ours is closed: the lock lives exactly as long as the service.
function startService(config: Config, lock: Lock): Running {
  const held = lock.fd === undefined ? [] : [lock.fd]
  const child = fork(fileURLToPath(new URL('./main.js', import.meta.url)), ['locked'], {
    env: { ...environment(), PLINTH_DATA: config.data },
    execArgv: [...process.execArgv, ...NODE_FLAGS],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...held],
    detached: true,
  })
  lock.release()
  return {
    child,
    ready: new Promise((resolve) => child.once('message', () => resolve('ready'))),
    ended: ended(child).then((how) => ({ code: 1, reason: `the service ${how}` })),
  }
}

const urlOf = (config: Config): string =>
  `${config.tls ? 'https' : 'http'}://${config.listen.replace(/^(\*|0\.0\.0\.0|\[::\]):/, 'localhost:')}`

// Told at once: whatever happens after this line, the token was seen.
function tellFirstRun(token: string, config: Config): void {
  const url = `${urlOf(config)}/api/packages/${FIRST_NAME}`
  const lines = [
    `This is the first run. Account "${FIRST_NAME}" may publish and delete everywhere. Its token, shown this once:`,
    '',
    `  ${token}`,
    '',
    'Publish a module, publish a file, install:',
    '',
    `  curl --user ${FIRST_NAME}:${token} --upload-file m.zip ${url}/go/upload`,
    `  curl --user ${FIRST_NAME}:${token} --upload-file tool.tar.gz ${url}/generic/tool/1.0.0/tool.tar.gz`,
    `  GOPROXY=${url}/go GONOSUMDB=example.com/m go get example.com/m@latest`,
    '',
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}

async function main(): Promise<Ending> {
  process.umask(0o022) // nginx's workers read the tree
  const stopped = new Promise<Ending>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.on(signal, () => resolve({ code: 0, reason: `stopping on ${signal}` }))
    }
  })
  const wish = { restart: false, heard: (): void => {} } // one that comes during a restart is kept for its end
  process.on('SIGUSR2', () => {
    wish.restart = true
    wish.heard()
  })
  const config = readConfig()
  for (const name of unknownSettings()) complain(`warning: ${name} is not a setting of plinth`)
  const tlsWarning = checkTls(config)
  if (tlsWarning !== undefined) complain(`warning: ${tlsWarning}`)
  mustBeWritable(config.data)
  process.chdir(config.data)
  const locked = (): Promise<Lock> =>
    takeLock(config.data, {
      standby: config.standby,
      onWait: (holder) => say(`standing by: another plinth is running on this data folder (${holder})`),
      onWarning: (warning) => complain(`warning: ${warning}`),
    })
  const lock = await Promise.race([locked(), stopped])
  if ('code' in lock) return lock
  await Promise.race([endLeftNginx(config, say), stopped])
  await mustBeListenable(config)
  const first = await firstRun(config)
  if (first.token !== undefined) tellFirstRun(first.token, config)
  if (first.warning !== undefined) complain(`warning: ${first.warning}`)

  const stopService = ({ child }: Running): Promise<void> =>
    stopChild(child, 'SIGTERM', config.stopSeconds * 1000 + SERVICE_GRACE_MS)
  let service = startService(config, lock)
  const early = await Promise.race([service.ready, service.ended, stopped])
  if (early !== 'ready') {
    await stopService(service)
    return early
  }
  const plan = planNginx(config)
  if (plan.warning !== undefined) complain(`warning: ${plan.warning}`)
  const nginx = startNginx(config, plan)
  const over = new AbortController()
  const nginxEnded = ended(nginx).then((how) => ({ code: 1, reason: `nginx ${how}` }))
  void Promise.race([stopped, service.ended, nginxEnded]).then(() => over.abort())
  await untilListening(config, over.signal)
  if (!over.signal.aborted) say(`serving ${config.data} at ${urlOf(config)}`)

  /** Ends the service and starts it anew, as it is on the disk now; nginx serves meanwhile. */
  async function restart(): Promise<Ending | undefined> {
    wish.restart = false
    say('restarting the service; nginx goes on serving')
    await stopService(service)
    const again = await Promise.race([locked(), stopped])
    if ('code' in again) return again
    service = startService(config, again)
    const how = await Promise.race([service.ready, service.ended, stopped])
    if (how !== 'ready') return how
    letWorkersWrite(config, plan)
    say('the service runs again')
    return undefined
  }

  let how: Ending | undefined
  while (!how) {
    const restartAsked = new Promise<'restart'>((resolve) => {
      wish.heard = () => resolve('restart')
      if (wish.restart) wish.heard()
    })
    const next = await Promise.race([stopped, service.ended, nginxEnded, restartAsked])
    how = next === 'restart' ? await restart() : next
  }
  if (how.code === 0) say(how.reason)
  else complain(how.reason)
  await stopService(service) // reads go on until the last write is done
  await stopChild(nginx, 'SIGQUIT', NGINX_GRACE_MS)
  if (nginx.pid !== undefined) signalGroup(nginx.pid, 'SIGTERM')
  return how
}

main().then(
  ({ code }) => process.exit(code),
  (error: unknown) => {
    complain(error instanceof StartProblem ? error.message : `cannot start: ${messageOf(error)}`)
    process.exit(1)
  },
)
