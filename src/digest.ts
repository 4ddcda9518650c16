// The SHA-256 and the size of a file.

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'

/** A file's bytes: SHA-256 in hex, size in bytes. */
export type Sum = { sha256: string; size: number }

/** Reads the file at `path` (absolute) from start to end. Throws what the file system throws. */
export async function sumOf(path: string): Promise<Sum> {
  const hash = createHash('sha256')
  let size = 0
  for await (const piece of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(piece)
    size += piece.length
  }
  return { sha256: hash.digest('hex'), size }
}
