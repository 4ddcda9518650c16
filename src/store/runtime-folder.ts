// The folder of what belongs to one machine's processes, where PLINTH_RUNTIME names one. One `npm start` uses it.

import { closeSync, mkdirSync, openSync, statSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { errno, messageOf, StartProblem } from '../errors.js'
import { flock } from './flock.js'

/** Whoever may write there puts a socket of his own in the place of the service's. */
const OTHERS_MAY_WRITE = 0o022

/**
 * Makes the folder, when it is absolute. Any other is in the data folder, where nothing is made without the lock.
 * Throws a {@link StartProblem} when it is not fit for use.
 */
export function makeRuntimeFolder(folder: string): void {
  if (!isAbsolute(folder)) return
  try {
    mkdirSync(join(folder, 'nginx'), { recursive: true, mode: 0o755 })
    mustBeOurs(folder)
  } catch (error) {
    const code = errno(error)
    const reason =
      code === 'ENOTDIR' || code === 'EEXIST' ? 'it is not a directory' : (code ?? messageOf(error))
    throw new StartProblem(`PLINTH_RUNTIME=${folder} cannot be used: ${reason}`)
  }
}

function mustBeOurs(folder: string): void {
  const { mode, uid } = statSync(folder)
  if ((mode & OTHERS_MAY_WRITE) !== 0)
    throw new Error('others may write there, and could take the place of the service (chmod go-w)')
  if (uid !== process.getuid?.() && uid !== 0) throw new Error('it belongs to another user')
}

/**
 * Makes this process the only one that uses `folder`, when it is absolute, for as long as it lives: another one would
 * take its sockets, for another data folder even. Throws a {@link StartProblem} when another one does. One in the data
 * folder is its lock's holder's.
 */
export async function claimRuntimeFolder(folder: string): Promise<void> {
  if (!isAbsolute(folder)) return
  const fd = openSync(join(folder, 'start.lock'), 'a', 0o600)
  if ((await flock(fd, 'try')) !== 'held') return // open until this process ends
  closeSync(fd)
  throw new StartProblem(
    `another plinth of this machine uses PLINTH_RUNTIME=${folder}: give each a folder of its own`,
  )
}
