// A file that is only made longer. How long it should be, its user knows: what is behind that, a crash left.

import { open, stat, type FileHandle } from 'node:fs/promises'
import { syncHandle } from './sync.js'

/** A sync failed: nobody knows what of the file is on the disk. `cause` is the system's error. */
export class Unsynced extends Error {
  override readonly name = 'Unsynced'
}

const PIECE_BYTES = 256 * 1024

async function synced(file: FileHandle): Promise<void> {
  try {
    await syncHandle(file, 'file')
  } catch (error) {
    throw new Unsynced(`a sync failed: ${String(error)}`, { cause: error })
  }
}

export class AppendFile {
  /** Absolute. */
  readonly #path: string

  /** `path` is absolute. The file exists. */
  constructor(path: string) {
    this.#path = path
  }

  /** Bytes in the file. */
  async size(): Promise<number> {
    return (await stat(this.#path)).size
  }

  /** Writes `bytes` at `end`, and to the disk. Throws {@link Unsynced} when the disk may have them or not. */
  async append(bytes: Uint8Array, end: number): Promise<void> {
    const file = await open(this.#path, 'r+')
    try {
      for (let at = 0; at < bytes.length;)
        at += (await file.write(bytes, at, bytes.length - at, end + at)).bytesWritten
      await synced(file)
    } finally {
      await file.close()
    }
  }

  /**
   * Writes again what is from `start` to `end`, and to the disk. A process may have died before it was there, or a sync
   * have failed: then the system takes it for written, and a sync alone does nothing.
   */
  async renew(start: number, end: number): Promise<void> {
    await this.append(await this.read(start, end), start)
  }

  /** Cuts off what is behind `end`, on the disk, too. Throws {@link Unsynced} as {@link append} does. */
  async truncate(end: number): Promise<void> {
    const file = await open(this.#path, 'r+')
    try {
      await file.truncate(end)
      await synced(file)
    } finally {
      await file.close()
    }
  }

  /** The bytes from `from` to `to`, or as many of them as there are. */
  async read(from: number, to: number): Promise<Buffer> {
    const file = await open(this.#path, 'r')
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(to - from), 0, to - from, from)
      return buffer.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  }

  /** Yields the bytes from `from` to `to`, or as many of them as there are, in pieces. */
  async *pieces(from: number, to: number): AsyncGenerator<Buffer> {
    const file = await open(this.#path, 'r')
    try {
      for (let at = from; at < to;) {
        const length = Math.min(PIECE_BYTES, to - at)
        const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at)
        if (bytesRead === 0) return
        yield buffer.subarray(0, bytesRead)
        at += bytesRead
      }
    } finally {
      await file.close()
    }
  }
}
