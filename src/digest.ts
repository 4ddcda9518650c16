// The hashes of a file, and its size.

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'

/** A file's bytes: SHA-256 in hex, size in bytes. */
export type Sum = { sha256: string; size: number }

/** Reads a file from start to end, by its absolute path or opened. Throws what the file system throws. */
export async function sumOf(file: string | FileHandle): Promise<Sum> {
  const hash = createHash('sha256')
  let size = 0
  const pieces =
    typeof file === 'string' ? createReadStream(file) : file.createReadStream({ autoClose: false })
  for await (const piece of pieces as AsyncIterable<Buffer>) {
    hash.update(piece)
    size += piece.length
  }
  return { sha256: hash.digest('hex'), size }
}

const ALGORITHMS = ['md5', 'sha1', 'sha256', 'sha512'] as const

/** The hashes of a file that Gitea tells, in hex. */
export type Hashes = Record<(typeof ALGORITHMS)[number], string>

/** Reads the file at `path` (absolute) from start to end, in this thread. Throws what the file system throws. */
export async function hashesOf(path: string): Promise<Hashes> {
  const hashes = ALGORITHMS.map((name) => [name, createHash(name)] as const)
  for await (const piece of createReadStream(path) as AsyncIterable<Buffer>)
    for (const [, hash] of hashes) hash.update(piece)
  return Object.fromEntries(hashes.map(([name, hash]) => [name, hash.digest('hex')])) as Hashes
}
