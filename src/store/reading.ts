// Reads below the data folder. Paths are those of layout.ts, relative to the data folder. A missing file is not an
// error.

import type { Stats } from 'node:fs'
import { lstat, open, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { sumOf, type Sum } from '../digest.js'
import { errno } from '../errors.js'

/** `undefined` when `action` finds no such file. */
export async function unlessAbsent<T>(action: Promise<T>): Promise<T | undefined> {
  try {
    return await action
  } catch (error) {
    if (errno(error) === 'ENOENT' || errno(error) === 'ENOTDIR') return undefined
    throw error
  }
}

/** The reading half of the store. */
export class Reading {
  /** The data folder, absolute. */
  readonly #data: string

  constructor(data: string) {
    this.#data = data
  }

  /** The absolute path of `path`. */
  at(path: string): string {
    return join(this.#data, path)
  }

  /** lstat(2); `undefined` when nothing has this name. */
  status(path: string): Promise<Stats | undefined> {
    return unlessAbsent(lstat(this.at(path)))
  }

  async exists(path: string): Promise<boolean> {
    return (await this.status(path)) !== undefined
  }

  /** The bytes of a file; `undefined` when there is none. */
  read(path: string): Promise<Buffer | undefined> {
    return unlessAbsent(readFile(this.at(path)))
  }

  /** The SHA-256 and the size of a file. Throws when there is none. */
  sum(path: string): Promise<Sum> {
    return sumOf(this.at(path))
  }

  /** The last `most` bytes of a file, or all that it has; none when there is no file. */
  async readTail(path: string, most: number): Promise<Buffer> {
    const handle = await unlessAbsent(open(this.at(path), 'r'))
    if (!handle) return Buffer.alloc(0)
    try {
      const { size } = await handle.stat()
      const length = Math.min(size, most)
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length)
      return buffer.subarray(0, bytesRead)
    } finally {
      await handle.close()
    }
  }

  /** Yields the lines of a file; none when there is no file. */
  async *lines(path: string): AsyncGenerator<string> {
    const handle = await unlessAbsent(open(this.at(path), 'r'))
    if (!handle) return
    try {
      yield* handle.readLines()
    } finally {
      await handle.close()
    }
  }

  /** The names in a folder; none when there is no such folder. */
  async names(folder: string): Promise<string[]> {
    return (await unlessAbsent(readdir(this.at(folder)))) ?? []
  }

  /** The text of a symbolic link; `undefined` for anything else. */
  async linkText(path: string): Promise<string | undefined> {
    return (await this.status(path))?.isSymbolicLink() ? unlessAbsent(readlink(this.at(path))) : undefined
  }
}

/** Identifies a file version by inode, size and times. A write changes the times, a replacement the inode. */
export const signatureOf = ({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string =>
  [dev, ino, size, mtimeMs, ctimeMs].join(' ')
