// The log of refused reads, which nginx writes. It has one file of at most about 10 MiB, and one that is older.

import type { ChildProcess } from 'node:child_process'
import { closeSync, constants, fchmodSync, openSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { errno } from '../errors.js'
import { olderRefusedLogPath, refusedLogPath } from '../layout.js'

const MAX_BYTES = 10 * 2 ** 20
const LOOK_EVERY_MS = 10_000
/** It has addresses and paths, so other users of the machine do not read it. */
const MODE = 0o640

/** Makes the log that nginx opens: nginx by itself would make one that everybody reads. */
export function makeRefusedLog(data: string): void {
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = constants
  const fd = openSync(join(data, refusedLogPath), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, MODE)
  try {
    fchmodSync(fd, MODE)
  } finally {
    closeSync(fd)
  }
}

/** Looks at the log now and then, as long as `nginx` runs. */
export function keepRefusedLogSmall(data: string, nginx: ChildProcess): void {
  const timer = setInterval(() => {
    try {
      if (nginx.pid !== undefined) rotateRefusedLog(data, nginx.pid)
    } catch {
      // The disk is full, say. nginx goes on with the file that it has open, and the next look tries again.
    }
  }, LOOK_EVERY_MS)
  timer.unref()
  nginx.once('exit', () => clearInterval(timer))
}

/**
 * Renames a log of `most` bytes or more, and lets nginx (the master's `pid`) open a new one. A missing log is made
 * again: the process may have died, or the disk been full, after the renaming.
 */
export function rotateRefusedLog(data: string, pid: number, most = MAX_BYTES): void {
  const path = join(data, refusedLogPath)
  const size = sizeOf(path)
  if (size !== undefined && size < most) return
  if (size !== undefined) renameSync(path, join(data, olderRefusedLogPath))
  makeRefusedLog(data)
  process.kill(pid, 'SIGUSR1')
}

function sizeOf(path: string): number | undefined {
  try {
    return statSync(path).size
  } catch (error) {
    if (errno(error) === 'ENOENT') return undefined
    throw error
  }
}
