// Writes the module zip. The only file that touches yazl. The same files give the same bytes, whatever the clock, the
// time zone and the order on the disk: all entries have one time, names are in byte order, folders have no entries.

import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import yazl from 'yazl'
import type { SourceFile } from './source.js'

/** The first time that a zip can hold. In local time, since yazl writes the local time. */
const NO_TIME = new Date(1980, 0, 1)

/**
 * Writes `files` below `prefix` to the new file `path`. Calls `onBytes` with the bytes of content written so far.
 * Throws when a file cannot be read or its size has changed.
 */
export async function writeZip(
  path: string,
  prefix: string,
  files: readonly SourceFile[],
  onBytes: (bytes: number) => void = () => {},
): Promise<void> {
  const zip = new yazl.ZipFile()
  const out = zip.outputStream as NodeJS.ReadableStream & { destroy: (error: Error) => void }
  const failed = (error: unknown): void => out.destroy(error as Error)
  zip.on('error', failed)
  let done = 0
  const byName = [...files].sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)))
  for (const file of byName) {
    const options = { mtime: NO_TIME, mode: 0o100644, forceDosTimestamp: true, size: file.size }
    zip.addReadStreamLazy(`${prefix}${file.path}`, options, (give) => {
      try {
        const content = file.open()
        content.on('error', failed) // yazl has no listener
        let size = 0
        content.on('data', (bytes: Buffer) => {
          size += bytes.length
          onBytes((done += bytes.length))
        })
        content.on('end', () => {
          if (size !== file.size) failed(new Error(`${file.path} changed while it was packed`))
        })
        give(null, content)
      } catch (error) {
        failed(error)
      }
    })
  }
  zip.end()
  await pipeline(out, createWriteStream(path, { flags: 'wx' }))
}
