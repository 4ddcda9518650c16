// The `h1:` hash of go.sum (golang.org/x/mod/sumdb/dirhash Hash1). Pure: names and content hashes in, text out.

import { createHash } from 'node:crypto'

/** The bytes of a file's name in the zip, and the SHA-256 of its content in hex. */
export type HashedFile = { name: Buffer; sha256: string }

// sha256 over "{hex of content}  {name}⏎" of all files in the byte order of their names, in base64
export function hash1(files: readonly HashedFile[]): string {
  const summary = createHash('sha256')
  // Byte order: JavaScript orders texts by UTF-16 units.
  for (const { name, sha256 } of [...files].sort((a, b) => Buffer.compare(a.name, b.name))) {
    summary.update(`${sha256}  `).update(name).update('\n')
  }
  return `h1:${summary.digest('base64')}`
}

/** The hash of the `/go.mod` line of go.sum: Hash1 of the single file `go.mod`. */
export const goModHash = (mod: Buffer): string =>
  hash1([{ name: Buffer.from('go.mod'), sha256: createHash('sha256').update(mod).digest('hex') }])
