// The lines of files that are larger than the memory, and of a file that others append to.

import { createReadStream } from 'node:fs'
import { open, stat, type FileHandle } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { createGunzip } from 'node:zlib'
import { errno } from '../errors.js'

/** Bytes of a line. A longer one is of no log of ours. */
const MOST_BYTES = 65_536
const NEWLINE = 10
const LOOK_EVERY_MS = 250

/** Yields each line without its newline, `undefined` for one that is too long. The last one needs no newline. */
export async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string | undefined> {
  let begun: Buffer[] = []
  let bytes = 0
  const take = (piece: Buffer): void => {
    bytes += piece.length
    if (bytes > MOST_BYTES) begun = []
    else begun.push(Buffer.from(piece)) // a copy: the chunk may be much larger
  }
  const line = (): string | undefined => {
    const text = bytes > MOST_BYTES ? undefined : Buffer.concat(begun).toString()
    ;[begun, bytes] = [[], 0]
    return text
  }
  for await (const chunk of chunks) {
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      take(chunk.subarray(from, end))
      yield line()
      from = end + 1
    }
    if (from < chunk.length) take(chunk.subarray(from))
  }
  if (bytes > 0) yield line()
}

/** The bytes of a file; of one that is called `….gz` those that were packed. */
export function bytesOf(path: string): AsyncIterable<Buffer> {
  const file = createReadStream(path)
  if (!path.endsWith('.gz')) return file
  const unpacked = createGunzip()
  file.on('error', (error) => unpacked.destroy(error))
  return file.pipe(unpacked)
}

/**
 * The bytes of the file at `path`, and those that come, until `signal` is aborted. When another file has taken its
 * place it is read to its end, and then the other one; when it has become shorter, it is read from its beginning.
 */
export async function* followed(path: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  let handle: FileHandle | undefined
  let at = 0
  const chunk = Buffer.alloc(MOST_BYTES)
  try {
    for (;;) {
      handle ??= await openIfThere(path)
      const isRotated = handle !== undefined && (await isAnother(path, handle))
      if (handle && (await handle.stat()).size < at) at = 0
      for (;;) {
        const read = signal.aborted ? 0 : ((await handle?.read(chunk, 0, chunk.length, at))?.bytesRead ?? 0)
        if (read === 0) break
        at += read
        yield chunk.subarray(0, read)
      }
      if (signal.aborted) return
      if (isRotated) {
        await handle?.close()
        ;[handle, at] = [undefined, 0]
      } else await setTimeout(LOOK_EVERY_MS, undefined, { signal }).catch(() => {})
    }
  } finally {
    await handle?.close()
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path)
  } catch (error) {
    if (errno(error) === 'ENOENT') return undefined
    throw error
  }
}

// While nothing is at the path, the file that was there may still grow.
async function isAnother(path: string, handle: FileHandle): Promise<boolean> {
  const [mine, now] = await Promise.all([handle.stat(), stat(path).catch(() => undefined)])
  return now !== undefined && (now.ino !== mine.ino || now.dev !== mine.dev)
}
