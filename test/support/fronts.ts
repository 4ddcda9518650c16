// The proxies of the manual in front of a Plinth, each as its section has it, for https://corp.example.com/plinth.

import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { readConfig } from '../../src/config.js'
import { untilListening } from '../../src/nginx/listen.js'
import type { makeCertificate } from './certificate.js'
import { watch } from './child.js'
import { block, MANUAL, table } from './documents.js'
import { freePort } from './port.js'
import { settingsOfStarts } from './start.js'
import { tempFolder } from './temp-folder.js'

export const FRONTS = ['nginx', 'caddy', 'haproxy'] as const

/** The name that the certificate must have. */
export const FRONT_HOST = 'corp.example.com'

type Certificate = ReturnType<typeof makeCertificate>
type Front = { folder: string; listen: string; conf: string }

/** The settings of the manual for a Plinth behind a proxy, without its address. */
export const settingsBehindProxy = (): Record<string, string> =>
  Object.fromEntries(
    settingsOfStarts(block(MANUAL, 'Behind another proxy', 0, '')).flatMap((settings) =>
      Object.entries(settings)
        .filter(([name]) => name !== 'PLINTH_LISTEN')
        .map(([name, value]) => [name, value.replace('corp.example', FRONT_HOST)]),
    ),
  )

/** Where the Plinth is that a proxy stands in front of: a port, or the path of a socket. */
type Behind = { port: number } | { socket: string }

// The manual's table has what each proxy writes for a socket.
function addressOf(kind: string, behind: Behind): string {
  if ('port' in behind) return `127.0.0.1:${behind.port}`
  const [, way = ''] =
    table(MANUAL, 'Behind another proxy').find(([name = '']) => name.toLowerCase() === kind) ?? []
  if (!way.includes('/run/plinth/http.sock'))
    throw new Error(`the manual does not say how ${kind} connects to a socket`)
  return way.replaceAll('`', '').replace('/run/plinth/http.sock', behind.socket)
}

/** The lines of the manual with another address of the Plinth, the test's certificate and its host. */
function confOf(
  kind: (typeof FRONTS)[number],
  behind: Behind,
  files: { cert: string; key: string; both: string },
): string {
  const lines = {
    nginx: block(MANUAL, 'Behind another proxy', 0, 'nginx'),
    caddy: block(MANUAL, 'Behind another proxy', 0, 'caddy'),
    haproxy: block(MANUAL, 'Behind another proxy', 0, 'haproxy'),
  }[kind]
  const changed = lines.replace('127.0.0.1:8080', addressOf(kind, behind))
  if (changed === lines) throw new Error(`no address of a Plinth in ${lines}`)
  return changed
    .replace('/etc/ssl/corp.example.both.pem', files.both)
    .replace('/etc/ssl/corp.example.pem', files.cert)
    .replace('/etc/ssl/corp.example.key', files.key)
    .replaceAll('corp.example', FRONT_HOST)
}

const spawnNginx = ({ folder, listen, conf }: Front): ChildProcess => {
  const temps = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${name};`,
  )
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; pid nginx.pid; error_log stderr; worker_processes 1; events { }
http { access_log off; port_in_redirect off; ${temps.join(' ')}
${conf.replace('listen 443', `listen ${listen}`)} }
`,
  )
  return spawn('nginx', ['-p', folder, '-c', 'nginx.conf'], { stdio: ['ignore', 'ignore', 'pipe'] })
}

const spawnCaddy = ({ folder, listen, conf }: Front): ChildProcess => {
  const [host, port] = listen.split(':')
  const options = `{\n admin off\n auto_https disable_redirects\n default_bind ${host}\n}\n`
  const file = join(folder, 'Caddyfile')
  writeFileSync(file, options + conf.replace(`${FRONT_HOST} {`, `${FRONT_HOST}:${port} {`))
  return spawn('caddy', ['run', '--config', file, '--adapter', 'caddyfile'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
  })
}

const spawnHaproxy = ({ folder, listen, conf }: Front): ChildProcess => {
  const file = join(folder, 'haproxy.cfg')
  writeFileSync(file, conf.replace('bind :443', `bind ${listen}`))
  return spawn('haproxy', ['-db', '-f', file], { stdio: ['ignore', 'ignore', 'pipe'] })
}

const SPAWN = { nginx: spawnNginx, caddy: spawnCaddy, haproxy: spawnHaproxy }

/**
 * Starts the proxy of the manual in front of a Plinth; it ends with the test. `more` are lines of its own for
 * the proxy, `LISTEN` in them is its address. Returns the port of the proxy.
 */
export async function startFront(
  t: Test,
  kind: (typeof FRONTS)[number],
  certificate: Certificate,
  behind: Behind,
  more = '',
): Promise<number> {
  const folder = tempFolder('plinth-front')
  const listen = `127.0.0.1:${await freePort()}`
  const { PLINTH_TLS_CERT: cert = '', PLINTH_TLS_KEY: key = '' } = certificate.env
  const both = join(folder, 'both.pem')
  writeFileSync(both, readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'), { mode: 0o600 })
  const conf = confOf(kind, behind, { cert, key, both })
  const child = SPAWN[kind]({ folder, listen, conf: conf + more.replaceAll('LISTEN', listen) })
  const { ended, output } = watch(child)
  t.teardown(async () => {
    child.kill('SIGTERM')
    await ended
  })
  const over = new AbortController()
  child.once('exit', () => over.abort())
  await untilListening(readConfig({ PLINTH_LISTEN: listen }), over.signal)
  if (over.signal.aborted) throw new Error(`${kind} ended: ${output()}`)
  return Number(listen.split(':')[1])
}
