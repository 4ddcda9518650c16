// Reads bytes of an open file at any place.

import { readSync } from 'node:fs'

/**
 * Reads up to `length` bytes at `offset`, fewer only at the end of the file. With `passing` the next such read may
 * overwrite them.
 */
export type ReadAt = (offset: number, length: number, passing?: boolean) => Buffer

/**
 * Reads the open file `file`. Bytes that the next read may overwrite go to `scratch`, as far as they fit: a buffer for
 * each would be garbage faster than it is collected.
 */
export const readerOf =
  (file: number, scratch: Buffer = Buffer.alloc(0)): ReadAt =>
  (offset, length, passing = false) =>
    readFully(
      file,
      offset,
      passing && length <= scratch.length ? scratch.subarray(0, length) : Buffer.allocUnsafe(length),
    )

function readFully(file: number, offset: number, buffer: Buffer): Buffer {
  let done = 0
  while (done < buffer.length) {
    const read = readSync(file, buffer, done, buffer.length - done, offset + done)
    if (read === 0) break
    done += read
  }
  return buffer.subarray(0, done)
}
