// Compares a file with a copy of it.

import { lstat, open, type FileHandle } from 'node:fs/promises'
import type { Stats } from 'node:fs'
import { sumOf } from '../digest.js'
import { errno, messageOf } from '../errors.js'
import { unlessAbsent } from '../store/reading.js'

const PIECE_BYTES = 2 ** 20
/** A time that is set through a double is not exact: it may be this wrong, in ms. */
const INEXACT_MS = 0.01

/** lstat(2) of an absolute path; `undefined` when nothing has this name. */
export const look = (path: string): Promise<Stats | undefined> => unlessAbsent(lstat(path))

/** Whether two files have one size, time and mode. */
export const looksSame = (a: Stats, b: Stats): boolean =>
  a.isFile() &&
  b.isFile() &&
  a.size === b.size &&
  Math.abs(a.mtimeMs - b.mtimeMs) <= INEXACT_MS &&
  (a.mode & 0o777) === (b.mode & 0o777)

async function fill(file: FileHandle, buffer: Buffer): Promise<Buffer> {
  let filled = 0
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}

/** Whether two files (absolute) of `size` bytes have the same bytes. */
export async function hasSameBytes(a: string, b: string, size: number): Promise<boolean> {
  const files: FileHandle[] = []
  try {
    for (const path of [a, b]) files.push(await open(path, 'r'))
    const length = Math.min(size + 1, PIECE_BYTES)
    const buffers = files.map(() => Buffer.allocUnsafe(length))
    for (;;) {
      const [x, y] = await Promise.all(files.map((file, at) => fill(file, buffers[at] as Buffer)))
      if (!x || !y || !x.equals(y)) return false
      if (x.length < length) return true
    }
  } finally {
    for (const file of files) await file.close()
  }
}

/** Says why a file cannot be read, when it is this file's fault: a bad sector, say. */
export async function whyUnreadable(path: string, error: unknown): Promise<string | undefined> {
  if (!['EIO', 'EACCES', 'EPERM', 'EUCLEAN', 'EBADMSG'].includes(errno(error) ?? '')) return undefined
  return sumOf(path).then(
    () => undefined,
    (failure: unknown) => `it cannot be read: ${messageOf(failure)}`,
  )
}
