// The logs that nginx writes: refused reads, and all requests where a setting says so. Each has one file up to a bound,
// and one that is older.

import type { ChildProcess } from 'node:child_process'
import { closeSync, constants, fchmodSync, fstatSync, openSync, renameSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Config } from '../config.js'
import { errno, messageOf, StartProblem } from '../errors.js'
import { runtimeFiles } from '../settings/runtime-files.js'
import { accessLogOf } from './log-parts.js'

/** One log: its file (absolute), and the bytes from which it is renamed. */
type LogFile = { path: string; most: number }

const MOST_REFUSED = 10 * 2 ** 20
const MOST_ACCESS = 100 * 2 ** 20
const LOOK_EVERY_MS = 10_000
/** They have addresses and paths, so other users of the machine do not read them. */
const MODE = 0o640

function logFiles(config: Pick<Config, 'data' | 'runtime' | 'accessLog'>): LogFile[] {
  const access = accessLogOf(config)
  return [
    { path: resolve(config.data, runtimeFiles(config.runtime).refusedLog), most: MOST_REFUSED },
    ...(access === undefined ? [] : [{ path: access, most: MOST_ACCESS }]),
  ]
}

/**
 * Makes the logs that nginx opens: nginx by itself would make some that everybody reads. Throws a {@link StartProblem}
 * when the access log cannot be made.
 */
export function makeLogFiles(config: Config): void {
  for (const { path } of logFiles(config))
    try {
      makeLogFile(path)
    } catch (error) {
      if (path !== accessLogOf(config)) throw error
      throw new StartProblem(`PLINTH_ACCESS_LOG: ${path} cannot be made: ${errno(error) ?? messageOf(error)}`)
    }
}

/** Makes a log, unless it is there, that other users of the machine do not read. Throws for what is no file. */
export function makeLogFile(path: string): void {
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants
  const fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, MODE)
  try {
    if (!fstatSync(fd).isFile()) throw new Error('it is not a file')
    fchmodSync(fd, MODE)
  } finally {
    closeSync(fd)
  }
}

/** Looks at the logs now and then, as long as `nginx` runs. */
export function keepLogFilesSmall(config: Config, nginx: ChildProcess): void {
  const timer = setInterval(() => {
    try {
      if (nginx.pid !== undefined) rotateLogFiles(logFiles(config), nginx.pid)
    } catch {
      // The disk is full, say. nginx goes on with the files that it has open, and the next look tries again.
    }
  }, LOOK_EVERY_MS)
  timer.unref()
  nginx.once('exit', () => clearInterval(timer))
}

/**
 * Renames logs of `most` bytes or more, and lets nginx (the master's `pid`) open new ones. A missing log is made again:
 * somebody else rotates it, or the process died, or the disk was full, after the renaming. All are there before nginx
 * is told: it opens each anew, and makes one that is missing readable for everybody.
 */
export function rotateLogFiles(files: readonly LogFile[], pid: number): void {
  const due = files.filter(({ path, most }) => {
    const size = sizeOf(path)
    if (size !== undefined && size >= most) renameSync(path, `${path}.1`)
    return size === undefined || size >= most
  })
  for (const { path } of due) makeLogFile(path)
  if (due.length > 0) process.kill(pid, 'SIGUSR1')
}

function sizeOf(path: string): number | undefined {
  try {
    return statSync(path).size
  } catch (error) {
    if (errno(error) === 'ENOENT') return undefined
    throw error
  }
}
