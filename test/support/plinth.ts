// A whole Plinth for a test: the service and the real nginx with the shipped nginx.conf, on a data folder of its own
// and a free port of 127.0.0.1. And the real go, with caches of its own and no way to the outside.

import { execFile, execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readConfig } from '../../src/config.js'
import { firstRun } from '../../src/access/first-run.js'
import { NODE_FLAGS } from '../../src/service/node-flags.js'
import { planNginx, startNginx, untilListening } from '../../src/nginx/nginx.js'

process.env['PATH'] = [process.env['PATH'], '/usr/sbin', '/usr/local/sbin', '/usr/local/go/bin'].join(
  delimiter,
)
process.umask(0o022)

const has = (program: string): boolean => {
  try {
    execFileSync('/bin/sh', ['-c', `command -v ${program}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** The command line of node without what tap would load into it: the processes that are tested are as people run them. */
export const plainNode = (script: string, ...args: string[]): [program: string, args: string[]] => [
  'env',
  ['-u', 'NODE_OPTIONS', process.execPath, script, ...args],
]

/** Resolves when `isSo` is; the test's own timeout is the limit. */
export async function until(isSo: () => boolean, everyMs = 10): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, everyMs))
}

/** Whether a process is gone, whatever of it is still to be read. */
export const isOver = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

/** `{}` where all programs are there, else what makes tap skip a test and say why. */
export const needs = (...programs: string[]): { skip?: string } => {
  const missing = programs.filter((program) => !has(program))
  return missing.length === 0 ? {} : { skip: `NOT TESTED: ${missing.join(', ')} is not on this machine` }
}

/** A folder for a test, which others may enter (nginx's workers do); removed when the process ends. */
export function tempFolder(name = 'plinth-test', base = tmpdir()): string {
  const folder = mkdtempSync(join(base, `${name}-`))
  chmodSync(folder, 0o755)
  tempFolders.push(folder)
  return folder
}

const tempFolders: string[] = []
/** Child processes that end with this one. */
export const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
  for (const folder of tempFolders) {
    if (!existsSync(folder)) continue // removed by its test, or inside of another one
    spawnSync('chmod', ['-R', 'u+w', folder])
    try {
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
    } catch (error) {
      process.stderr.write(`${folder} is left: ${String(error)}\n`)
    }
  }
})

// Below the range that systems take the ports of outgoing connections from (32768 on Linux): a port of that range is
// free now, and some test's connection has it when nginx wants to listen there.
// And a range for each process, as a port that was found free is listened to only later.
const PORTS = 100
const FIRST_PORT = 15_000 + (process.pid % 150) * PORTS

let given = 0

/** A port of 127.0.0.1 on which nobody listens, and which no connection takes by itself; another one each time. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + (given++ % PORTS)
    const free = await new Promise<boolean>((resolve) => {
      const probe = createServer()
      probe.once('error', () => resolve(false))
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
    })
    if (free) return port
  }
}

// Another one in each process: tests look for it in the list of all processes, and must find nobody else's.
export const TOKEN = `a-token-for-tests-${process.pid}-0123456789`
export const AUTH = `Basic ${Buffer.from(`admin:${TOKEN}`).toString('base64')}`

export type Answer = { status: number; headers: IncomingHttpHeaders; body: string; bytes: Buffer }
export type Asking = {
  body?: Buffer | string
  headers?: Record<string, string>
  auth?: string | false
  /** The certificate to trust: the request goes out over https. */
  ca?: Buffer
}

/** A request whose path goes out as it is written: nothing is normalised. */
export const ask = (port: number, method: string, path: string, asking: Asking = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const authorization =
      asking.auth === false ? undefined : (asking.auth ?? (method === 'GET' ? undefined : AUTH))
    const req = (asking.ca ? httpsRequest : httpRequest)({
      ...(asking.ca && { ca: asking.ca }),
      host: '127.0.0.1',
      port,
      method,
      path,
      agent: false,
      headers: { ...(authorization !== undefined && { authorization }), ...asking.headers },
    })
    req.on('response', (res) => {
      const chunks: Buffer[] = []
      res.on('data', (chunk: Buffer) => chunks.push(chunk))
      res.on('end', () => {
        const bytes = Buffer.concat(chunks)
        resolve({ status: res.statusCode ?? 0, headers: res.headers, body: bytes.toString(), bytes })
      })
      res.on('error', reject)
    })
    req.on('error', reject)
    req.end(asking.body)
  })

export type Plinth = Awaited<ReturnType<typeof startPlinth>>

export const CLI = fileURLToPath(new URL('../../src/cli.js', import.meta.url))
const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url))

export type CliResult = { code: number; stdout: string; stderr: string }

/** `npx plinth` with these words and settings. */
export function runCli(settings: Record<string, string>, words: string[]): CliResult {
  const [program, args] = plainNode(CLI, ...words)
  const ran = spawnSync(program, args, { env: { ...process.env, ...settings }, encoding: 'utf8' })
  return { code: ran.status ?? 1, stdout: ran.stdout, stderr: ran.stderr }
}

/** A self-signed certificate for 127.0.0.1: the settings that name it, and what a client trusts. */
export function makeCertificate(): { env: Record<string, string>; path: string; ca: Buffer } {
  const folder = tempFolder('plinth-tls')
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const subject = ['-subj', '/CN=plinth', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost']
  const how = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  execFileSync('openssl', [...how, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' })
  return { env: { PLINTH_TLS_CERT: cert, PLINTH_TLS_KEY: key }, path: cert, ca: readFileSync(cert) }
}

async function ended(child: ChildProcess): Promise<void> {
  if (!isOver(child)) await once(child, 'exit')
  running.delete(child)
}

/** Starts both; owners `admin` and `team` are declared. `env` holds further settings. */
export async function startPlinth(env: Record<string, string> = {}) {
  const data = join(tempFolder(), 'data')
  const port = await freePort()
  const settings = {
    PLINTH_DATA: data,
    PLINTH_LISTEN: `127.0.0.1:${port}`,
    PLINTH_ADMIN_TOKEN: TOKEN,
    PLINTH_FAILED_LOGINS: '100000', // tests are wrong often, and not to be slowed
    ...env,
  }
  const config = readConfig(settings)
  await firstRun(config)
  const cli = (...words: string[]): CliResult => runCli(settings, words)
  cli('owner', 'add', 'team')

  let log = ''
  let shim: ChildProcess | undefined
  async function startShim(): Promise<void> {
    shim = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, ...NODE_FLAGS, MAIN], {
      env: { ...process.env, ...settings },
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

  const plan = planNginx(config)
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
    /** `npx plinth` on this data folder; throws unless it succeeds. */
    cli: (...words: string[]): string => {
      const { code, stdout, stderr } = cli(...words)
      if (code !== 0) throw new Error(`plinth ${words.join(' ')}: ${stderr}`)
      return stdout
    },
    shimPid: () => shim?.pid ?? 0,
    log: () => log,
    startShim,
    stopShim,
    ask: (method: string, path: string, asking?: Asking) => ask(port, method, path, asking),
    get: (path: string) => ask(port, 'GET', path),
    publish: (zip: Buffer, owner = 'admin') =>
      ask(port, 'PUT', `/api/packages/${owner}/go/upload`, { body: zip }),
    /** Files below the data folder that the service holds open, its lock aside; none where the system does not tell. */
    openFiles: () => {
      const fds = `/proc/${shim?.pid ?? 0}/fd`
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
    },
    /** What is left in the folders where uploads are on their way. */
    leftovers: () => ['tmp', 'journal'].flatMap((folder) => readdirSync(join(data, 'state', folder))),
    stop: async () => {
      await stopShim()
      nginx.kill('SIGTERM')
      await ended(nginx)
    },
  }
}

/** go's compiled standard library, kept between runs; one for each user of the machine. */
export const GO_CACHE = join(tmpdir(), `plinth-test-gocache-${process.getuid?.() ?? 0}`)

export type GoResult = { code: number; stdout: string; stderr: string }

/** The real go: a folder, caches of its own, and only the proxies that are given. */
export function makeGo(proxies: string, env: Record<string, string> = {}) {
  const folder = tempFolder('plinth-go')
  const own = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    GOPATH: join(folder, 'gopath'),
    GOCACHE: GO_CACHE,
    GOMODCACHE: join(folder, 'modcache'),
    GOBIN: join(folder, 'bin'),
    GOPROXY: proxies,
    GONOSUMDB: 'example.com',
    GOTOOLCHAIN: 'local',
    GOFLAGS: '-modcacherw',
    GOENV: 'off',
    GOVCS: '*:off',
    CGO_ENABLED: '0',
  }
  let modules = 0
  const run = (args: string[], cwd = folder, more: Record<string, string> = {}): Promise<GoResult> =>
    new Promise((resolve) => {
      execFile('go', args, { cwd, env: { ...own, ...env, ...more } }, (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr }),
      )
    })
  return {
    run,
    bin: own.GOBIN,
    env: { ...own, ...env },
    /** A new main module to `go get` into; returns its folder. */
    newModule: (source = 'package main\n\nfunc main() {}\n'): string => {
      const at = join(folder, `main${++modules}`)
      mkdirSync(at)
      writeFileSync(join(at, 'go.mod'), 'module example.org/main\n\ngo 1.19\n')
      writeFileSync(join(at, 'main.go'), source)
      return at
    },
  }
}
