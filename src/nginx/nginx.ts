// How nginx is started: the shipped nginx.conf, unedited, linked into the data folder beside two small files that say
// what is set from outside.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Config } from '../config.js'
import { errno, StartProblem } from '../errors.js'
import { folders, nginxPidPath, socketPath } from '../layout.js'
import { nginxParts } from './conf-parts.js'

const SHIPPED_CONF = fileURLToPath(new URL('../../../nginx.conf', import.meta.url))

/** Whom nginx's workers run as; `undefined` when nginx is not started by root and has no choice. */
export type WorkerUser = { name: string; group: string; uid: number; gid: number }

const idOf = (flag: string, name: string): string =>
  execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()

function lookUp(name: string): WorkerUser | undefined {
  try {
    return { name, group: idOf('-gn', name), uid: Number(idOf('-u', name)), gid: Number(idOf('-g', name)) }
  } catch {
    return undefined
  }
}

const othersMayEnter = (folder: string): boolean =>
  (statSync(folder).mode & 0o001) !== 0 && (dirname(folder) === folder || othersMayEnter(dirname(folder)))

/**
 * The user for nginx's workers when root starts it: PLINTH_NGINX_USER, else the first of the usual ones that can get
 * to the data folder, else root itself, with a warning that says what would be better.
 */
function chooseUser(config: Config): { user: WorkerUser | undefined; warning?: string } {
  if (process.getuid?.() !== 0) return { user: undefined }
  if (config.nginxUser !== undefined) {
    const user = lookUp(config.nginxUser)
    if (!user) throw new StartProblem(`PLINTH_NGINX_USER=${config.nginxUser}: there is no such user`)
    return { user }
  }
  const user = ['www-data', 'nginx', 'nobody'].map(lookUp).find((found) => found !== undefined)
  if (user && othersMayEnter(join(config.data, folders.tree))) return { user }
  return {
    user: { name: 'root', group: idOf('-gn', 'root'), uid: 0, gid: 0 },
    warning: `nginx's workers run as root, since no other user can enter ${config.data}; set PLINTH_DATA to a folder that others may enter, such as /srv/plinth`,
  }
}

// The group of the workers may read what they check credentials against, and nobody else; what is derived later
// follows the folder.
function letWorkersRead(config: Config, user: WorkerUser): void {
  const folder = join(config.data, folders.readers)
  const there = statSync(folder)
  for (const name of ['.', ...readdirSync(folder)]) {
    chownSync(join(folder, name), there.uid, user.gid)
    chmodSync(join(folder, name), name === '.' ? 0o750 : 0o640)
  }
}

/** nginx ready to be started in the data folder. */
export type NginxPlan = { program: string; args: string[]; user: WorkerUser | undefined; warning?: string }

/** Writes what nginx reads and says how to start it. Throws a {@link StartProblem} when there is no nginx. */
export function planNginx(config: Config): NginxPlan {
  const folder = join(config.data, folders.nginx)
  mkdirSync(folder, { recursive: true })
  const choice = chooseUser(config)
  const conf = join(folder, 'nginx.conf')
  rmSync(conf, { force: true })
  symlinkSync(SHIPPED_CONF, conf)
  const version = nginxVersion(config.nginx)
  for (const [name, text] of Object.entries(nginxParts(config, version, choice.user)))
    writeFileSync(join(folder, name), text)
  if (choice.user) letWorkersRead(config, choice.user)
  // Until the configuration is read, nginx would write to a log of its own; older ones cannot be told not to.
  const early = version >= 1_019_005 ? ['-e', 'stderr'] : []
  const args = ['-p', `${config.data}/`, '-c', `${folders.nginx}/nginx.conf`, ...early, '-g', 'daemon off;']
  return { program: config.nginx, args, ...choice }
}

// 'nginx version: nginx/1.22.1' → 1022001
function nginxVersion(program: string): number {
  try {
    execFileSync('/bin/sh', ['-c', '"$0" -v 2>&1', program], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  } catch {
    throw new StartProblem(
      `there is no nginx at ${JSON.stringify(program)}: install it, or set PLINTH_NGINX to its path`,
    )
  }
  const text = execFileSync('/bin/sh', ['-c', '"$0" -v 2>&1', program], { encoding: 'utf8' })
  const [, major, minor, patch] = /\/(\d+)\.(\d+)\.(\d+)/.exec(text) ?? []
  return Number(major ?? 0) * 1_000_000 + Number(minor ?? 0) * 1000 + Number(patch ?? 0)
}

/** Lets nginx's workers in to the socket of a service that made it as root. */
export function letWorkersWrite(config: Config, { user }: NginxPlan): void {
  if (user && user.uid !== 0) chownSync(join(config.data, socketPath), user.uid, user.gid)
}

/** Starts nginx in a process group of its own: a Ctrl-C of the terminal reaches it through us, in order. */
export function startNginx(
  config: Config,
  plan: NginxPlan,
  output: 'inherit' | 'pipe' = 'inherit',
): ChildProcess {
  letWorkersWrite(config, plan)
  const { PLINTH_ADMIN_TOKEN: _secret, ...env } = process.env
  return spawn(plan.program, plan.args, {
    cwd: config.data,
    env,
    stdio: ['ignore', output, output],
    detached: true,
  })
}

// '[::1]:8080' → ['::1', 8080]; '*:80' → listens everywhere, is reached at 127.0.0.1
export function hostAndPort(listen: string): { host: string | undefined; port: number } {
  const colon = listen.lastIndexOf(':')
  const host = listen.slice(0, colon).replace(/^\[|\]$/g, '')
  return { host: host === '*' ? undefined : host, port: Number(listen.slice(colon + 1)) }
}

/** Throws a {@link StartProblem} when nginx could not listen there; nginx would say so in five lines, after a while. */
export async function mustBeListenable(config: Config): Promise<void> {
  await mustBeFree('PLINTH_LISTEN', config.listen)
  if (config.httpListen !== undefined) await mustBeFree('PLINTH_HTTP_LISTEN', config.httpListen)
}

async function mustBeFree(setting: string, listen: string): Promise<void> {
  const { host, port } = hostAndPort(listen)
  const failure = await new Promise<string | undefined>((resolve) => {
    const probe = createServer()
    probe.once('error', (error) => resolve(errno(error) ?? error.message))
    probe.listen({ port, ...(host !== undefined && { host }), exclusive: true }, () =>
      probe.close(() => resolve(undefined)),
    )
  })
  const reasons: Record<string, string> = {
    EADDRINUSE: `another program listens there; stop it, or set ${setting} to another port`,
    EACCES: `only root may listen on ports below 1024; set ${setting} to a higher one`,
    EADDRNOTAVAIL: 'this machine has no such address',
    ENOTFOUND: 'this name has no address',
  }
  if (failure) throw new StartProblem(`cannot listen on ${setting}=${listen}: ${reasons[failure] ?? failure}`)
}

/** Resolves when something accepts connections where nginx should. */
export async function untilListening(config: Config, ended: AbortSignal): Promise<void> {
  const { host = '127.0.0.1', port } = hostAndPort(config.listen)
  while (!ended.aborted) {
    const accepted = await new Promise<boolean>((resolve) => {
      const probe = createConnection({ host: host === '0.0.0.0' || host === '::' ? 'localhost' : host, port })
      probe.once('connect', () => resolve(true)).once('error', () => resolve(false))
      probe.once('connect', () => probe.destroy())
    })
    if (accepted) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** How long the nginx of an earlier run may finish what is being read from it, in ms. */
const LEFT_NGINX_GRACE_MS = 5000

/**
 * Ends the nginx that an earlier run left on this data folder when it was killed itself; `say` is told before.
 * Does nothing where there is none, or where it cannot be told to be ours.
 */
export async function endLeftNginx(config: Config, say: (text: string) => void): Promise<void> {
  const pid = leftNginx(config)
  if (pid === undefined) return
  say(`ending nginx (pid ${pid}), which an earlier run left`)
  for (const signal of ['SIGQUIT', 'SIGTERM', 'SIGKILL'] as const) {
    signalGroup(pid, signal)
    const end = Date.now() + LEFT_NGINX_GRACE_MS
    while (isThere(pid) && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20))
    if (!isThere(pid)) return
  }
}

function leftNginx(config: Config): number | undefined {
  try {
    const pid = Number(readFileSync(join(config.data, nginxPidPath), 'utf8'))
    const ours = Number.isInteger(pid) && pid > 1 && commandOf(pid).includes(`-p ${config.data}/`)
    return ours && isThere(pid) ? pid : undefined
  } catch {
    return undefined
  }
}

/** Sends a signal to an nginx and its workers, which outlive a master that was killed; to nobody when they are gone. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch {
    // nobody is left
  }
}

// Linux tells without a program's help, which not every system has in this form.
function commandOf(pid: number): string {
  const path = `/proc/${pid}/cmdline`
  if (existsSync(path)) return readFileSync(path, 'utf8').replaceAll('\0', ' ')
  return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    const command = commandOf(pid) // empty, or marked as such, for one that has ended and was not waited for
    return command.trim() !== '' && !command.includes('<defunct>')
  } catch {
    return false
  }
}

/** Throws a {@link StartProblem} when the data folder cannot be made or written. */
export function mustBeWritable(config: Config): void {
  const probe = join(config.data, `.plinth-write-test-${process.pid}`)
  try {
    // mkdir -p of Node never returns where a folder cannot be made in a parent that is there, as in /proc
    if (!existsSync(config.data)) mkdirSync(config.data, { recursive: !existsSync(dirname(config.data)) })
    writeFileSync(probe, '')
    rmSync(probe)
  } catch (error) {
    const code = errno(error) ?? 'unknown error'
    const reason = code === 'ENOTDIR' ? 'it is no folder' : code
    throw new StartProblem(`PLINTH_DATA=${config.data} cannot be written: ${reason}`)
  }
}
