// A whole Plinth for a test: the service and the real nginx with the shipped nginx.conf, on a data folder of its own
// and a free port of 127.0.0.1.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readConfig } from '../../src/config.js'
import { firstRun } from '../../src/access/first-run.js'
import { NODE_ENV, NODE_FLAGS } from '../../src/service/node-flags.js'
import { planNginx } from '../../src/nginx/configure.js'
import { untilListening } from '../../src/nginx/listen.js'
import { startNginx } from '../../src/nginx/process.js'
import { letWorkersRead } from '../../src/nginx/workers.js'
import { isOver, running } from './child.js'
import { runCli, type CliResult } from './cli.js'
import { ask, TOKEN, type Asking } from './http.js'
import { freePort } from './port.js'
import { memoryFolder, tempFolder } from './temp-folder.js'
import { until } from './until.js'

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url))

async function ended(child: ChildProcess): Promise<void> {
  if (!isOver(child)) await once(child, 'exit')
  running.delete(child)
}

/** Files below `data` that the process holds open, without the lock; none where the system does not tell. */
function openFiles(pid: number, data: string): string[] {
  const fds = `/proc/${pid}/fd`
  if (!existsSync(fds)) return []
  return readdirSync(fds).flatMap((fd) => {
    try {
      const path = readlinkSync(`${fds}/${fd}`)
      // the drop folder itself is looked into now and then
      return path.includes(`${data}/`) && !path.endsWith('/state/lock') && !path.endsWith('/data/inbox')
        ? [path]
        : []
    } catch {
      return [] // closed meanwhile
    }
  })
}

/**
 * Files that the process holds open when it has had time to close what it was busy with: some work goes on behind the
 * answers, as a look at all accounts. What is still open after 500 looks is not going to be closed.
 */
async function filesLeftOpen(pid: number, data: string): Promise<string[]> {
  let [open, looks] = [openFiles(pid, data), 1]
  await until(() => {
    if (open.length > 0) open = openFiles(pid, data)
    return open.length === 0 || ++looks === 500
  })
  return open
}

/**
 * Starts both; owners `admin` and `team` are declared. `env` holds further settings; the first address has a port.
 * `fast` puts the data folder into memory, for tests that no disk takes part in.
 */
export async function startPlinth(env: Record<string, string> = {}, { fast = false } = {}) {
  const data = join(fast ? memoryFolder() : tempFolder(), 'data')
  const settings = {
    PLINTH_DATA: data,
    PLINTH_LISTEN: `127.0.0.1:${await freePort()}`,
    PLINTH_ADMIN_TOKEN: TOKEN,
    PLINTH_FAILED_LOGINS: '100000', // tests are wrong often, and not to be slowed
    PLINTH_WRITE_RATE: '0',
    ...env,
  }
  const config = readConfig(settings)
  const [first] = config.listen
  const port = first && 'port' in first ? first.port : 0
  await firstRun(config)
  const cli = (...words: string[]): CliResult => runCli(settings, words)
  cli('owner', 'add', 'team')

  let log = ''
  let shim: ChildProcess | undefined
  async function startShim(): Promise<void> {
    shim = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, ...NODE_FLAGS, MAIN], {
      env: { ...NODE_ENV, ...process.env, ...settings },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    running.add(shim)
    for (const stream of [shim.stdout, shim.stderr]) stream?.on('data', (text: Buffer) => (log += text))
    const failed = once(shim, 'exit').then(([code]) => {
      throw new Error(`the service ended with code ${String(code)}: ${log}`)
    })
    failed.catch(() => {})
    await Promise.race([once(shim, 'message'), failed])
    if (plan.user && plan.user.uid !== 0)
      execFileSync('chown', [plan.user.name, join(data, 'state/shim.sock')])
  }
  async function stopShim(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    shim?.kill(signal)
    if (shim) await ended(shim)
  }

  const plan = await planNginx(config)
  if (plan.user) await letWorkersRead(config, plan.user)
  await startShim()
  const nginx = startNginx(config, plan, 'pipe')
  for (const stream of [nginx.stdout, nginx.stderr])
    stream?.on('data', (text: Buffer) => {
      log += text
      process.stderr.write(text)
    })
  running.add(nginx)
  const over = new AbortController()
  nginx.once('exit', () => over.abort())
  await untilListening(config, over.signal)
  if (over.signal.aborted) {
    await stopShim('SIGKILL') // a test that fails here must end, and takes nothing back
    throw new Error(`nginx ended: ${log}`)
  }

  return {
    data,
    port,
    url: `${config.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    /** `plinth` on this data folder; throws unless it succeeds. */
    cli: (...words: string[]): string => {
      const { code, stdout, stderr } = cli(...words)
      if (code !== 0) throw new Error(`plinth ${words.join(' ')}: ${stderr}`)
      return stdout
    },
    /** The same, whatever its exit code. */
    run: cli,
    shimPid: () => shim?.pid ?? 0,
    log: () => log,
    startShim,
    stopShim,
    ask: (method: string, path: string, asking?: Asking) => ask(port, method, path, asking),
    get: (path: string) => ask(port, 'GET', path),
    publish: (zip: Buffer, owner = 'admin') =>
      ask(port, 'PUT', `/api/packages/${owner}/go/upload`, { body: zip }),
    /** Resolves when the views have followed what was published. */
    viewsFollowed: () => until(() => readdirSync(join(data, 'state/due')).length === 0),
    filesLeftOpen: () => filesLeftOpen(shim?.pid ?? 0, data),
    /** What is left in the folders where uploads are on their way. */
    leftovers: () => ['tmp', 'journal'].flatMap((folder) => readdirSync(join(data, 'state', folder))),
    stop: async () => {
      await stopShim()
      nginx.kill('SIGTERM')
      await ended(nginx)
    },
  }
}

export type Plinth = Awaited<ReturnType<typeof startPlinth>>
