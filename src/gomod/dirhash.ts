// The `h1:` hash of go.sum (golang.org/x/mod/sumdb/dirhash Hash1). Pure: names and content hashes in, text out.

import { createHash } from 'node:crypto'

/** The bytes of a file's name in the zip, and the SHA-256 of its content in hex. */
export type HashedFile = { name: Buffer; sha256: string }

// sha256 over "{hex of content}  {name}⏎" of all files, in base64
/** `files` come in the byte order of their names. JavaScript orders texts otherwise, by UTF-16 units. */
export function hash1(files: Iterable<HashedFile>): string {
  const summary = createHash('sha256')
  for (const { name, sha256 } of files) summary.update(`${sha256}  `).update(name).update('\n')
  return `h1:${summary.digest('base64')}`
}

/** The hash of the `/go.mod` line of go.sum: Hash1 of the single file `go.mod`, whose SHA-256 in hex is given. */
export const goModHash = (sha256: string): string => hash1([{ name: Buffer.from('go.mod'), sha256 }])
