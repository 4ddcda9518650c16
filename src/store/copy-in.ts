// Copies a file of this machine into state/tmp and hashes it, like the body of a request. A hard link would be faster,
// but a program that still has the file open could change what is published.

import { stat, type FileHandle } from 'node:fs/promises'
import type { FreeSpace } from './free-space.js'
import { Changed } from './opened-folder.js'
import { signatureOf } from './reading.js'
import { unreadable, type RegularFile } from './regular-file.js'
import type { Store } from './store.js'
import { BATCH_BYTES, withUpload, writeBody, type Writing, tooLarge, type Received } from './write-body.js'

/** `limit` is in bytes. `signal` ends the copying; nothing is left behind. */
type CopyOptions = { limit: number; signal?: AbortSignal }

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
   * Copies an opened file into a folder of its own, and closes the file. Calls `use` with the copy and with the
   * {@link signatureOf} the file. Removes the folder when `use` has ended, whatever happened.
   *
   * Throws {@link Unreadable}, {@link Changed}, or a {@link Refusal}: 413 too large, 507 when the disk is full.
   */
  async copy<T>(
    { file, status }: RegularFile,
    { limit, signal }: CopyOptions,
    use: (received: Received, signature: string) => Promise<T>,
  ): Promise<T> {
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
