// A file of this machine on its way in, as a request's body is: copied and hashed, so that nobody who still has it open
// can change what is published. A hard link would be faster, and could be changed.

import { constants, type Stats } from 'node:fs'
import { lstat, open, readlink, realpath, stat, type FileHandle } from 'node:fs/promises'
import { errno, messageOf, Refusal } from '../errors.js'
import type { Room } from './free-space.js'
import type { Store } from './store.js'
import { BATCH_BYTES, withUpload, writeBody, type Writing, tooLarge, type Received } from './write-body.js'
import { signatureOf } from './reading.js'

/** The file could not be read: no fault of the data folder. `cause` is the system's error. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable'
}

/** Somebody wrote to the file, replaced it or took it away while it was read. */
export class Changed extends Error {
  override readonly name = 'Changed'
}

/** `limit` in bytes; `signal` ends the copying, with nothing left behind. */
export type Taking = { limit: number; signal?: AbortSignal }

export type TakeFile = ReturnType<typeof makeTakeFile>

const unreadable = (error: unknown): Unreadable =>
  new Unreadable(`it cannot be read: ${errno(error) ?? messageOf(error)}`, { cause: error })

const notRegular = (): Refusal =>
  new Refusal(400, 'it is no regular file: links, pipes, sockets and devices are not taken')

/**
 * Opens a regular file, never through a link, and never waiting for the other end of a pipe. Throws a
 * {@link Refusal} for what is none, a {@link Unreadable} for what cannot be opened.
 */
async function openRegular(path: string): Promise<{ file: FileHandle; status: Stats }> {
  let file: FileHandle | undefined
  try {
    if (!(await lstat(path)).isFile()) throw notRegular()
    // What the name means may change in between: what is asked again below is the opened file.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const status = await file.stat()
    if (!status.isFile()) throw notRegular()
    const where = await readlink(`/proc/self/fd/${file.fd}`).catch(() => realpath(path))
    if (where !== path) throw new Changed(`a folder in its path is a link, or it was moved`)
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

// Whole batches in two buffers that take turns: one is written while the other is read into.
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

export function makeTakeFile({ store, room }: { store: Store; room: Room }) {
  const spare: Pair[] = [] // new ones for each file are garbage faster than it is collected

  async function copy(file: FileHandle, size: number, writing: Writing, signal: AbortSignal | undefined) {
    const isLarge = size >= BATCH_BYTES
    const buffers = (isLarge ? spare.pop() : undefined) ?? pairOf(isLarge ? BATCH_BYTES : size + 1)
    const pieces = piecesOf(file, buffers, signal)
    try {
      return await writeBody(() => pieces.next(), writing)
    } finally {
      if (isLarge) spare.push(buffers) // whatever happened, nothing is being written from them any more
    }
  }

  /**
   * Copies the file at `path` (absolute, without links) into a folder of its own, hands the copy to `use` with what
   * identifies the file ({@link signatureOf}), and removes what is left of the copy, whatever happened.
   *
   * Throws {@link Unreadable}, {@link Changed}, or a {@link Refusal}: 400 not a regular file, 413 too large, 507 no
   * room.
   */
  return async <T>(
    path: string,
    { limit, signal }: Taking,
    use: (received: Received, signature: string) => Promise<T>,
  ): Promise<T> => {
    const { file, status } = await openRegular(path)
    try {
      if (status.size > limit) throw tooLarge(limit)
      return await withUpload({ store, room }, status.size, async (upload, reservation) => {
        const writing = { path: upload.body, limit, room, reservation }
        const received = await copy(file, status.size, writing, signal)
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
}
