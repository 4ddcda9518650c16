// The format number of a data folder. It goes up when a change of what is in the folder would make a program of before
// misread or damage it. A program works on formats up to its own, and refuses a newer one before it changes anything.

import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { errno, quote, StartProblem } from '../errors.js'
import { formatPath } from '../layout.js'

/** The format of a new folder, and of one without a number: the first programs work on it, too. */
export const FIRST_FORMAT = 1
/**
 * The format of a folder that has, or had, an immutable owner or a checksum database: promises that a program of before
 * would not keep. It would let a deleted version come back as another one, and publish without a record.
 */
export const PROMISE_FORMAT = 2
/** The highest format that this program works on. */
export const FORMAT = PROMISE_FORMAT
/** In the place of the number while a restore fills the folder. */
const RESTORING = 'restoring'
/** The name of the file until it is written, beside its own. */
export const NEW_FORMAT = `${basename(formatPath)}.new`

function textOf(data: string): string | undefined {
  try {
    return readFileSync(join(data, formatPath), 'utf8').trim()
  } catch (error) {
    if (errno(error) === 'ENOENT' || errno(error) === 'ENOTDIR') return undefined
    throw new StartProblem(`${join(data, formatPath)} cannot be read: ${errno(error) ?? String(error)}`)
  }
}

/**
 * The format of the data folder `data` (absolute); `undefined` for one without a number, a new one say. Throws a
 * {@link StartProblem} that says what to do when this program cannot work on the folder. It costs one read.
 */
export function readFormat(data: string): number | undefined {
  const text = textOf(data)
  if (text === undefined) return undefined
  if (text === RESTORING)
    throw new StartProblem(
      `${data} was not restored whole: run the same restore again, or empty the folder to begin anew`,
    )
  const format = /^[1-9][0-9]{0,8}$/.test(text) ? Number(text) : NaN
  if (Number.isNaN(format))
    throw new StartProblem(
      `${join(data, formatPath)} is damaged: it has ${quote(text)} in the place of a number; ` +
        'write the number of another backup of this folder into it',
    )
  if (format > FORMAT)
    throw new StartProblem(
      `the data folder ${data} has format ${format}, and this plinth knows formats up to ${FORMAT}: ` +
        'run the newer plinth that wrote it, or restore a backup that was made before',
    )
  return format
}

/** {@link readFormat}, and gives a folder without a number the first one, durably. The caller holds the lock. */
export function keepFormat(data: string): void {
  if (readFormat(data) === undefined) writeFormat(data, FIRST_FORMAT)
}

/**
 * Gives the folder the number `format`, durably, when it has a lower one: from then on programs of before refuse it.
 * It costs one read when there is nothing to do. The caller holds a lock that keeps others from doing the same.
 */
export function raiseFormat(data: string, format: number): void {
  if ((readFormat(data) ?? 0) < format) writeFormat(data, format)
}

/** Whether a restore has begun to fill the folder and was not finished. */
export const isHalfRestored = (data: string): boolean => textOf(data) === RESTORING

/** Writes the number, or that the folder is being restored, durably. The folder of the file must be there. */
export function writeFormat(data: string, format: number | 'restoring'): void {
  const path = join(data, formatPath)
  const temp = join(dirname(path), NEW_FORMAT) // one that a crash left is written over
  const file = openSync(temp, 'w', 0o644)
  try {
    writeSync(file, `${format}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(temp, path)
  const folder = openSync(dirname(path), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
