// The edge of the manual: a second nginx, with edge.conf, in front of a Plinth.

import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readConfig } from '../../src/config.js'
import { untilListening } from '../../src/nginx/listen.js'
import { watch } from './child.js'
import { block, MANUAL, read } from './documents.js'
import { freePort } from './port.js'
import { settingsOfStarts } from './start.js'
import { tempFolder } from './temp-folder.js'
import { until } from './until.js'

/** The settings of the manual for a Plinth behind an edge on this machine, without its address, with so many seconds. */
export const settingsBehindEdge = (seconds: number): Record<string, string> => {
  const [settings = {}] = settingsOfStarts(block(MANUAL, 'Edges', 0, ''))
  const { PLINTH_LISTEN: _listen, PLINTH_SHARED_CACHE_SECONDS: manual, ...others } = settings
  if (manual === undefined) throw new Error('the manual sets no PLINTH_SHARED_CACHE_SECONDS for edges')
  return {
    ...others,
    PLINTH_TRUSTED_PROXIES: '127.0.0.0/8',
    PLINTH_SHARED_CACHE_SECONDS: String(seconds),
  }
}

function replaced(text: string, from: string | RegExp, to: string): string {
  const changed = text.replaceAll(from, to)
  if (changed === text) throw new Error(`edge.conf has no ${String(from)}`)
  return changed
}

/** The shipped edge.conf with another address and folder. */
const shipped = (port: number, cache: string): string => {
  const ownPort = replaced(
    read('scripts/deploy/nginx/edge.conf'),
    /^ *listen 80;$/gm,
    `listen 127.0.0.1:${port};`,
  )
  const ownFamily = replaced(ownPort, /^ *listen \[::\]:80;$/gm, '')
  return replaced(ownFamily, '/var/cache/plinth-edge', cache)
}

/** The processes that a process has started; none where the system does not tell. */
function childrenOf(pid: number | undefined): string[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
  } catch {
    return []
  }
}

/**
 * Starts an nginx without sites, and makes it the edge of the Plinth at `origin` (host:port) by the lines of the
 * manual. Its log is `output`.
 */
export async function startEdge(origin: string) {
  const folder = tempFolder('plinth-edge')
  const port = await freePort()
  const cache = join(folder, 'cache')
  mkdirSync(join(folder, 'conf.d'))
  writeFileSync(join(folder, 'edge.conf'), shipped(port, cache))
  const user = process.getuid?.() === 0 ? 'user root; ' : '' // the folder is for one user
  const temps = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${name};`,
  )
  const idle = join(folder, 'idle')
  writeFileSync(
    join(folder, 'nginx.conf'),
    `${user}daemon off; pid nginx.pid; error_log stderr; worker_processes auto; events { worker_connections 4096; }
http { access_log off; ${temps.join(' ')}
server { listen unix:${idle}; }
include conf.d/*.conf; }
`,
  )
  const nginx = ['-p', folder, '-c', 'nginx.conf', '-e', 'stderr']
  const child = spawn('nginx', nginx, { stdio: ['ignore', 'ignore', 'pipe'] })
  const { ended, output } = watch(child)
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await ended
  }
  const over = new AbortController()
  child.once('exit', () => over.abort())
  await until(() => readdirSync(folder).includes('nginx.pid') || over.signal.aborted)
  const idleWorkers = childrenOf(child.pid)
  const lines = block(MANUAL, 'Edges')
    .replaceAll('10.0.0.11:8080', origin)
    .replaceAll('/etc/nginx/', `${folder}/`)
    .replaceAll('nginx -', `nginx ${nginx.join(' ')} -`)
  try {
    execFileSync('sh', ['-euc', lines], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  } catch (error) {
    await stop()
    throw error
  }
  await untilListening(readConfig({ PLINTH_LISTEN: `127.0.0.1:${port}` }), over.signal)
  await until(() => !childrenOf(child.pid).some((pid) => idleWorkers.includes(pid)) || over.signal.aborted)
  if (over.signal.aborted) throw new Error(`the edge ended: ${output()}`)
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    output,
    stop,
    /** The files that the edge keeps, each with its head and its key. */
    kept: (): string[] =>
      readdirSync(cache, { recursive: true, encoding: 'utf8' })
        .filter((name) => /\/[0-9a-f]{32}$/.test(name))
        .map((name) => readFileSync(join(cache, name), 'latin1')),
  }
}
