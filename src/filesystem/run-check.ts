// Makes a check of a file system, and tells what it says of the file system from what is only so at the moment.

import { join } from 'node:path'
import { errno } from '../errors.js'
import type { Calls } from './calls.js'
import type { LocalNeed } from './needs.js'

/** Says what it found that should not be. `at('x')` is a path in the check's folder, which is empty. */
export type Check = (calls: Calls, at: (name: string) => string) => Promise<string | undefined>

export type Checks = Partial<Record<LocalNeed, Check>>

/** The checks, each with the name of its need. */
export const checksOf = (checks: Checks): [LocalNeed, Check][] =>
  Object.entries(checks) as [LocalNeed, Check][]

/** Errors that say how things are at the moment, and nothing of what the file system can do. */
const PASSING = [
  'ENOSPC',
  'EDQUOT',
  'EROFS',
  'EIO',
  'ENOMEM',
  'EMFILE',
  'ENFILE',
  'ESTALE',
  'ETIMEDOUT',
  'EAGAIN',
  'ENOTCONN',
  'ESHUTDOWN',
]

/** Whether an error with this code says nothing of what the file system can do. */
export const isPassing = (code: string): boolean => PASSING.includes(code)

/** Thrown when the file system cannot be probed now, a full one for example. */
export class CannotProbe extends Error {}

/**
 * Makes one check in the folder `at` (absolute), which it makes and leaves to the caller. Resolves with what it found;
 * throws a {@link CannotProbe} when it could not be made.
 */
export async function runCheck(calls: Calls, check: Check, at: string): Promise<string | undefined> {
  try {
    await calls.makeFolder(at)
    return await check(calls, (name) => join(at, name))
  } catch (error) {
    const code = errno(error)
    if (code === undefined) throw error
    if (isPassing(code)) throw new CannotProbe(`it cannot be probed now: ${code}`, { cause: error })
    const { syscall = 'a call' } = error as NodeJS.ErrnoException
    return `${syscall} fails: ${code}`
  }
}
