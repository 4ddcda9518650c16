// Reads bytes of an open file at any place.

import { readSync } from 'node:fs'

/**
 * Reads up to `length` bytes at `offset`, fewer only at the end of the file. With `passing` the next such read may
 * overwrite them.
 */
export type ReadAt = (offset: number, length: number, passing?: boolean) => Buffer

/** Bytes that are read at least. */
const LEAST_AHEAD = 4096

/**
 * Reads the open file `file`, which nobody writes to. Bytes that the next read may overwrite go to `scratch`, as far as
 * they fit: a buffer for each would be garbage faster than it is collected.
 *
 * More than what is asked for is read there, as long as one read begins where the one before has ended: a zip with many
 * small files costs a system call for each MiB, not three for each file. It is twice as much each time. So a zip whose
 * entries are in no order does not make us read much that nobody wants.
 */
export function readerOf(file: number, scratch: Buffer = Buffer.alloc(0)): ReadAt {
  let [start, end] = [0, 0] // what `scratch` has of the file
  let ahead = LEAST_AHEAD
  return (offset, length, passing = false) => {
    const isHeld = offset >= start && offset + length <= end
    if (!isHeld && (!passing || length > scratch.length))
      return readFully(file, offset, Buffer.allocUnsafe(length))
    if (!isHeld) {
      ahead = offset >= start && offset <= end ? Math.min(ahead * 2, scratch.length) : LEAST_AHEAD
      const wanted = Math.min(Math.max(length, ahead), scratch.length)
      start = offset
      end = offset // should the read fail, nothing is held
      end += readFully(file, offset, scratch.subarray(0, wanted)).length
    }
    const held = scratch.subarray(offset - start, Math.min(offset + length, end) - start)
    return passing ? held : Buffer.from(held)
  }
}

function readFully(file: number, offset: number, buffer: Buffer): Buffer {
  let done = 0
  while (done < buffer.length) {
    const read = readSync(file, buffer, done, buffer.length - done, offset + done)
    if (read === 0) break
    done += read
  }
  return buffer.subarray(0, done)
}
