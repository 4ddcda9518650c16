// Lets one process write to a data folder: a lock on state/lock. The kernel frees it when the last process that holds
// it has ended, however that happened, and keeps it while such a process is frozen.

import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { whyNoConnection } from '../addresses/connection.js'
import { messageOf, StartProblem } from '../errors.js'
import { lockPath } from '../layout.js'
import { DEFAULT_RUNTIME, runtimeFiles } from '../settings/runtime-files.js'
import { flock, type FlockOutcome } from './flock.js'
import { keepFormat, readFormat } from './format.js'

/** How long a process that is just ending may keep the folder before a second one gives up. */
const PATIENCE_MS = 3000
const RETRY_MS = 200

/** A held lock. A child that gets `fd` holds it, too. `fd` is `undefined` on a machine without the program flock. */
export type Lock = { fd: number | undefined; release: () => void }

/** Thrown when another process holds the data folder and the wait for it is over. */
export class FolderIsHeld extends StartProblem {}

/** Which holders of the lock are waited for as long as it takes. For others the wait is short. */
export type Patience = 'for nobody' | 'for commands' | 'for everybody'

type Locking = {
  patience?: Patience
  /** The command that takes the lock, when it is not a service. Whoever finds the lock taken is told. */
  command?: string
  /** Called once when another process, which `holder` names, has the folder and we wait. */
  onWait?: (holder: string) => void
  onWarning?: (warning: string) => void
  /** Where the service of this machine has its socket. */
  runtime?: string
}

const tryLock = (fd: number): Promise<FlockOutcome> =>
  flock(fd, 'try').catch((error: unknown) => {
    throw new StartProblem(`the data folder cannot be locked: ${messageOf(error)}`)
  })

// The descriptor is a plain number: garbage collection would close a FileHandle, and the lock would be lost.
function openLockFile(data: string): number {
  const path = join(data, lockPath)
  mkdirSync(dirname(path), { recursive: true })
  return openSync(path, 'a+', 0o600)
}

// A network file system may grant the lock to everybody.
async function mustHold(data: string): Promise<void> {
  const second = openLockFile(data)
  try {
    if ((await tryLock(second)) === 'locked')
      throw new StartProblem('PLINTH_DATA is on a file system whose locks do not hold: choose another')
  } finally {
    closeSync(second)
  }
}

/** Who holds the folder, as its holder wrote it: `pid 123 on host`, `pid 123 on host, plinth rebuild`. */
export function holderOf(data: string): string {
  return readFileSync(join(data, lockPath), 'utf8').trim() || 'pid unknown'
}

// `pid 123 on host`
const isElsewhere = (holder: string): boolean =>
  / on (?<host>[^,]+)/.exec(holder)?.groups?.['host'] !== hostname()

const isCommand = (holder: string): boolean => holder.includes(', plinth ')

const signature = (command?: string): string =>
  `pid ${process.pid} on ${hostname()}${command === undefined ? '' : `, plinth ${command}`}`

/** What this process wrote last: the name of the machine may change. */
let signed: string | undefined

/** Whether the lock file still has what this process has signed it with. */
export const isSigned = async (data: string): Promise<boolean> =>
  (await readFile(join(data, lockPath), 'utf8')).trim() === signed

/** Writes this process into the lock file, for another one that finds the lock taken. */
export function signLock(data: string, command?: string): void {
  const fd = openSync(join(data, lockPath), 'r+')
  try {
    ftruncateSync(fd)
    signed = signature(command)
    writeSync(fd, `${signed}\n`, 0)
  } finally {
    closeSync(fd)
  }
}

const running = (holder: string): FolderIsHeld =>
  new FolderIsHeld(
    `another plinth is running on this data folder (${holder}): ${
      isElsewhere(holder) ? 'do it on that machine, or stop it there' : 'stop it'
    }, set PLINTH_DATA, or set PLINTH_STANDBY=1 to wait for its end`,
  )

/**
 * Makes this process the only writer to the data folder `data` (absolute), which is its working directory.
 * Throws a {@link FolderIsHeld} that names the process which holds the folder, and a StartProblem for a folder of a
 * newer format, which is left as it is.
 */
export async function takeLock(data: string, locking: Locking = {}): Promise<Lock> {
  const { patience = 'for nobody', command, onWait } = locking
  const waitsFor = (holder: string): boolean =>
    patience === 'for everybody' || (patience === 'for commands' && isCommand(holder))
  const fd = openLockFile(data)
  try {
    const begun = performance.now()
    for (let told = false; ;) {
      const outcome = await tryLock(fd)
      if (outcome === 'locked') break
      if (outcome === 'no flock') return await withoutFlock(fd, data, locking)
      const holder = holderOf(data)
      if (!waitsFor(holder) && performance.now() - begun > PATIENCE_MS) throw running(holder)
      if (waitsFor(holder) && !told) {
        onWait?.(holder)
        told = true
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
    await mustHold(data)
    lookAtFormat(data, command)
    signLock(data, command)
    return { fd, release: () => closeSync(fd) }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

// A command may only look, so it writes no number.
function lookAtFormat(data: string, command: string | undefined): void {
  if (command === undefined) keepFormat(data)
  else readFormat(data)
}

// macOS without util-linux can only see whether a service answers. Two services that start at once both pass.
async function withoutFlock(fd: number, data: string, locking: Locking): Promise<Lock> {
  if (locking.patience === 'for everybody')
    throw new StartProblem('PLINTH_STANDBY needs the program flock: install util-linux (brew install flock)')
  locking.onWarning?.(
    'there is no flock on this machine: only a look at its socket keeps two services from one data folder; ' +
      'install util-linux',
  )
  if (await answers(locking.runtime)) throw running('pid unknown')
  lookAtFormat(data, locking.command)
  closeSync(fd)
  signLock(data, locking.command)
  return { fd: undefined, release: () => {} }
}

const answers = async (runtime = DEFAULT_RUNTIME): Promise<boolean> =>
  (await whyNoConnection({ path: runtimeFiles(runtime).socket })) === undefined
