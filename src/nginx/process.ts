// nginx as a process: it is started, signalled and ended. An nginx that an earlier run left is found by its pid file.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { environment, type Config } from '../config.js'
import { runtimeFiles } from '../settings/runtime-files.js'
import type { NginxPlan } from './configure.js'
import { keepLogFilesSmall, makeLogFiles } from './log-files.js'

/** How long the nginx of an earlier run may take after each signal, in ms. */
const LEFT_NGINX_GRACE_MS = 5000
const POLL_MS = 20

// nginx does not start where a socket has its name already, and one that was killed leaves its own. The socket of one
// that runs must stay: it would not make another.
function makeRoomForStatus({ data, runtime }: Config): void {
  const { control, nginxStatus } = runtimeFiles(runtime)
  mkdirSync(resolve(data, control), { recursive: true, mode: 0o700 })
  rmSync(resolve(data, nginxStatus), { force: true })
}

/** Starts nginx in a process group of its own: a Ctrl-C of the terminal reaches it through us, in order. */
export function startNginx(
  config: Config,
  plan: NginxPlan,
  output: 'inherit' | 'pipe' = 'inherit',
): ChildProcess {
  if (config.metrics !== undefined) makeRoomForStatus(config)
  makeLogFiles(config) // one may have gone since the configuration was written
  const nginx = spawn(plan.program, plan.args, {
    cwd: config.data,
    env: environment(),
    stdio: ['ignore', output, output],
    detached: true,
  })
  keepLogFilesSmall(config, nginx)
  return nginx
}

/** Gives nginx's workers the socket of a service that runs as root, when there is one. */
export function letWorkersWrite(config: Config, { user }: NginxPlan): void {
  const socket = resolve(config.data, runtimeFiles(config.runtime).socket)
  if (user && user.uid !== 0 && existsSync(socket)) chownSync(socket, user.uid, user.gid)
}

/** Sends a signal to an nginx and its workers, which outlive a killed master. Does nothing when all are gone. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch {
    // no process of the group is left
  }
}

/**
 * Ends the nginx that an earlier run left on this data folder when that run was killed. `say` is called before.
 * Does nothing when there is no such nginx, or when it is not certain that it is ours.
 */
export async function endLeftNginx(config: Config, say: (text: string) => void): Promise<void> {
  const pid = leftNginx(config)
  if (pid === undefined) return
  say(`ending nginx (pid ${pid}), which an earlier run left`)
  for (const signal of ['SIGQUIT', 'SIGTERM', 'SIGKILL'] as const) {
    signalGroup(pid, signal)
    const end = Date.now() + LEFT_NGINX_GRACE_MS
    while (isRunning(pid) && Date.now() < end) await new Promise((done) => setTimeout(done, POLL_MS))
    if (!isRunning(pid)) return
  }
}

function leftNginx(config: Config): number | undefined {
  try {
    const pid = Number(readFileSync(resolve(config.data, runtimeFiles(config.runtime).nginxPid), 'utf8'))
    const ours = Number.isInteger(pid) && pid > 1 && commandOf(pid).includes(`-p ${config.data}/`)
    return ours && isRunning(pid) ? pid : undefined
  } catch {
    return undefined
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // A process that ended and was not waited for has an empty command or one that is marked as defunct.
    const command = commandOf(pid)
    return command.trim() !== '' && !command.includes('<defunct>')
  } catch {
    return false
  }
}

// Linux tells it in a file. Not every system has a `ps` that knows these options.
function commandOf(pid: number): string {
  const path = `/proc/${pid}/cmdline`
  if (existsSync(path)) return readFileSync(path, 'utf8').replaceAll('\0', ' ')
  return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
}
