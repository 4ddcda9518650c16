// A file with the pid of this process, for those who send it a signal.

import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'

/** Writes the file `path` anew. Whoever reads it meanwhile finds the old one or the new one, whole. */
export function writePidFile(path: string): void {
  const temp = `${path}.${process.pid}`
  rmSync(temp, { force: true })
  try {
    writeFileSync(temp, `${process.pid}\n`, { flag: 'wx', mode: 0o644 })
    renameSync(temp, path)
  } catch (error) {
    rmSync(temp, { force: true }) // a full disk takes an empty file
    throw error
  }
}

/** Removes the file `path`, unless another process has written it since. */
export function removePidFile(path: string): void {
  try {
    if (Number(readFileSync(path, 'utf8')) === process.pid) rmSync(path)
  } catch {
    // It is gone, or nobody can read it: then nothing names this process.
  }
}
