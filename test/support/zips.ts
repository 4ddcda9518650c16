// Zips for tests, made from readable sources in the test: the repository holds no binaries.

import type { ZipReading } from '../../src/modzip/read-zip.js'
import { buffer } from 'node:stream/consumers'
import yazl from 'yazl'

/** Name → content. A name that ends in `/` is a directory entry. */
export type Files = Record<string, string | Buffer>

const SOME_TIME = new Date('2020-01-02T03:04:05Z')

/** A zip with exactly these entries, in this order. */
export async function zipOf(files: Files, compress = true): Promise<Buffer> {
  const zip = new yazl.ZipFile()
  for (const [name, content] of Object.entries(files)) {
    if (name.endsWith('/')) zip.addEmptyDirectory(name, { mtime: SOME_TIME })
    else zip.addBuffer(Buffer.from(content), name, { mtime: SOME_TIME, compress })
  }
  zip.end()
  return buffer(zip.outputStream)
}

/** The zip of a module: every name gets its `module@version/`. Without a go.mod in `files`, there is none. */
export const moduleZip = (module: string, version: string, files: Files): Promise<Buffer> =>
  zipOf(
    Object.fromEntries(
      Object.entries(files).map(([name, content]) => [`${module}@${version}/${name}`, content]),
    ),
  )

/** A module with one package that says which version it is, and its go.mod. */
export const simpleModule = (module: string, version: string, more: Files = {}): Promise<Buffer> =>
  moduleZip(module, version, {
    'go.mod': `module ${module}\n\ngo 1.19\n`,
    'm.go': `package m\n\nconst Version = ${JSON.stringify(version)}\n`,
    ...more,
  })

/** What go.sum has of a zip that was read. Throws for one that is wrong. */
export function sumsOf(reading: ZipReading): { zip: string; mod: string } {
  if (!reading.ok) throw new Error(JSON.stringify(reading.problems))
  return { zip: reading.zip.zipHash, mod: reading.zip.modHash }
}
