// Copies a file of this machine into state/tmp and hashes it, like the body of a request. A hard link would be faster,
// but a program that still has the file open could change what is published.

import { constants, type Stats } from 'node:fs'
import { lstat, open, readlink, realpath, stat, type FileHandle } from 'node:fs/promises'
import { errno, messageOf, Refusal } from '../errors.js'
import type { FreeSpace } from './free-space.js'
import { signatureOf } from './reading.js'
import type { Store } from './store.js'
import { BATCH_BYTES, withUpload, writeBody, type Writing, tooLarge, type Received } from './write-body.js'

/** The file could not be read. The data folder is not at fault. `cause` is the system's error. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable'
}

/** The file was written to, replaced or removed while it was read. */
export class Changed extends Error {
  override readonly name = 'Changed'
}

/** `limit` is in bytes. `signal` ends the copying; nothing is left behind. */
type CopyOptions = { limit: number; signal?: AbortSignal }

const unreadable = (error: unknown): Unreadable =>
  new Unreadable(`it cannot be read: ${errno(error) ?? messageOf(error)}`, { cause: error })

const notRegular = (): Refusal =>
  new Refusal(400, 'it is not a regular file: links, pipes, sockets and devices are not taken')

/**
 * Opens a regular file. Never follows a link, and never waits for the other end of a pipe. Throws a {@link Refusal} for
 * anything that is not a regular file, {@link Changed} for a file that is gone or was moved, and {@link Unreadable} for
 * a file that cannot be opened.
 */
async function openRegular(path: string): Promise<{ file: FileHandle; status: Stats }> {
  let file: FileHandle | undefined
  try {
    if (!(await lstat(path)).isFile()) throw notRegular()
    // Another file may have got the name since lstat: the opened file is checked again below.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const status = await file.stat()
    if (!status.isFile()) throw notRegular()
    const where = await readlink(`/proc/self/fd/${file.fd}`).catch(() => realpath(path))
    if (where !== path) throw new Changed('a folder in its path is a link, or it was moved')
    return { file, status }
  } catch (error) {
    await file?.close()
    if (error instanceof Refusal || error instanceof Changed) throw error
    if (errno(error) === 'ENOENT' || errno(error) === 'ENOTDIR') throw new Changed('it is gone')
    if (errno(error) === 'ELOOP') throw notRegular()
    throw unreadable(error)
  }
}

type Pair = readonly [Buffer, Buffer]

const pairOf = (length: number): Pair => [Buffer.allocUnsafe(length), Buffer.allocUnsafe(length)]

// Yields whole batches in two buffers that take turns: one is written while the other is read into.
async function* piecesOf(
  file: FileHandle,
  buffers: Pair,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  for (let turn: 0 | 1 = 0; ; turn = turn === 0 ? 1 : 0) {
    const buffer = buffers[turn]
    let filled = 0
    while (filled < buffer.length) {
      signal?.throwIfAborted()
      const { bytesRead } = await file
        .read(buffer, filled, buffer.length - filled, null)
        .catch((error: unknown) => {
          throw unreadable(error)
        })
      if (bytesRead === 0) break
      filled += bytesRead
    }
    if (filled > 0) yield buffer.subarray(0, filled)
    if (filled < buffer.length) return
  }
}

/** Copies files into the data folder. The free space limits the copies, as it limits uploads. */
export class CopyIn {
  readonly #store: Store
  readonly #freeSpace: FreeSpace
  /** Buffers that no copy uses. New buffers for each file become garbage faster than it is collected. */
  readonly #spare: Pair[] = []

  constructor(store: Store, freeSpace: FreeSpace) {
    this.#store = store
    this.#freeSpace = freeSpace
  }

  /**
   * Copies the file at `path` (absolute, without links) into a folder of its own. Calls `use` with the copy and with
   * the {@link signatureOf} the file. Removes the folder when `use` has ended, whatever happened.
   *
   * Throws {@link Unreadable}, {@link Changed}, or a {@link Refusal}: 400 not a regular file, 413 too large, 507 when
   * the disk is full.
   */
  async copy<T>(
    path: string,
    { limit, signal }: CopyOptions,
    use: (received: Received, signature: string) => Promise<T>,
  ): Promise<T> {
    const { file, status } = await openRegular(path)
    const [store, freeSpace] = [this.#store, this.#freeSpace]
    try {
      if (status.size > limit) throw tooLarge(limit)
      return await withUpload({ store, freeSpace }, { bytes: status.size }, async (upload, reservation) => {
        const writing = { path: upload.body, limit, reservation }
        const received = await this.#write(file, status.size, writing, signal)
        const signature = signatureOf(status)
        const changed = signatureOf(await file.stat()) !== signature || received.size !== status.size
        if (changed) throw new Changed('it is still being written')
        if ((await stat(received.path)).size !== received.size)
          throw new Error('the file was not copied whole')
        return use(received, signature)
      })
    } finally {
      await file.close()
    }
  }

  async #write(
    file: FileHandle,
    size: number,
    writing: Writing,
    signal: AbortSignal | undefined,
  ): Promise<Received> {
    const isLarge = size >= BATCH_BYTES
    const buffers = (isLarge ? this.#spare.pop() : undefined) ?? pairOf(isLarge ? BATCH_BYTES : size + 1)
    const pieces = piecesOf(file, buffers, signal)
    try {
      return await writeBody(() => pieces.next(), writing)
    } finally {
      if (isLarge) this.#spare.push(buffers) // writeBody has ended: nothing is written from them any more
    }
  }
}
