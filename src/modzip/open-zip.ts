// Opens any zip, not only that of a module.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { Readable } from 'node:stream'
import { bodyOffset, contents, type LocatedEntry } from './zip-content.js'
import { locateDirectory, type ReadAt } from './zip-directory.js'
import { readEntries } from './zip-entries.js'

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

/** An open zip: its entries, and their contents as streams until it is closed. */
export class OpenZip {
  /** In the order of the central directory. */
  readonly entries: readonly LocatedEntry[]
  /** The file descriptor. */
  readonly #file: number

  private constructor(file: number, entries: readonly LocatedEntry[]) {
    this.#file = file
    this.entries = entries
  }

  /** Opens the zip at `path`. Throws {@link NotAZip} and what the file system throws. */
  static async open(path: string): Promise<OpenZip> {
    const file = openSync(path, 'r')
    try {
      const read = readerOf(file)
      return new OpenZip(file, await readEntries(read, locateDirectory(read, fstatSync(file).size)))
    } catch (error) {
      closeSync(file)
      throw error
    }
  }

  stream(entry: LocatedEntry): Readable {
    const read = readerOf(this.#file)
    return Readable.from(contents(read, bodyOffset(read, entry), entry))
  }

  close(): void {
    closeSync(this.#file)
  }
}
