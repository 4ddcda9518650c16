// The data folder before anything is known to be in it.

import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { errno, StartProblem } from '../errors.js'

/** Makes the data folder (absolute). Throws a {@link StartProblem} when it cannot be made or written. */
export function mustBeWritable(data: string): void {
  const probe = join(data, `.plinth-write-test-${process.pid}`)
  try {
    // Node's recursive mkdir never returns when the parent exists and takes no new folder, as in /proc.
    if (!existsSync(data)) mkdirSync(data, { recursive: !existsSync(dirname(data)) })
    writeFileSync(probe, '')
    rmSync(probe)
  } catch (error) {
    const code = errno(error) ?? 'unknown error'
    const reason = code === 'ENOTDIR' ? 'it is not a directory' : code
    throw new StartProblem(`PLINTH_DATA=${data} cannot be written: ${reason}`)
  }
}

/** Whether the folder (absolute, or relative to the working directory) holds nothing. */
export const isEmptyFolder = (folder: string): boolean => readdirSync(folder).length === 0
