// The small files of a module cache beside a zip, and whether the zip agrees with them.

import { readFile, stat } from 'node:fs/promises'
import { sumOf, type Sum } from '../digest.js'
import { errno, messageOf, quote, Refusal, visible } from '../errors.js'
import type { ModuleZip } from '../modzip/read-zip.js'
import { Unreadable } from '../store/regular-file.js'
import type { FoundVersion } from './find.js'
import { infoTime, timeWithoutInfo } from './info.js'

/** The small files have a few hundred bytes. */
const MAX_SMALL_BYTES = 64 * 2 ** 10

/** What the files beside a zip say: the sum of its go.mod, its `h1:…`, and when it was published. */
type Beside = { mod?: Sum; zipHash?: string; published: Date }

/** Calls `read`. Throws {@link Unreadable} when it fails. */
async function reading<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof Refusal) throw error
    throw new Unreadable(`${visible(path)} cannot be read: ${errno(error) ?? messageOf(error)}`, {
      cause: error,
    })
  }
}

const readSmall = (path: string): Promise<Buffer> =>
  reading(path, async () => {
    const { size } = await stat(path)
    if (size > MAX_SMALL_BYTES) throw new Refusal(400, `${visible(path)} is too large`)
    return readFile(path)
  })

/**
 * Reads the files beside a zip. Throws a 400 for an .info that is wrong, and {@link Unreadable} for a file that cannot
 * be read.
 */
export async function readBeside({ version, base, has }: FoundVersion): Promise<Beside> {
  const info = has.has('info') ? infoTime(version, (await readSmall(`${base}.info`)).toString()) : {}
  if ('problem' in info) throw new Refusal(400, info.problem)
  return {
    published: info.time ?? timeWithoutInfo(version, (await stat(`${base}.zip`)).mtime),
    ...(has.has('mod') && { mod: await reading(`${base}.mod`, () => sumOf(`${base}.mod`)) }),
    ...(has.has('ziphash') && { zipHash: (await readSmall(`${base}.ziphash`)).toString().trim() }),
  }
}

/** Throws a 400 for a zip that is not the one that its name and the files beside it say. */
export function mustAgree({ module, version }: FoundVersion, { mod, zipHash }: Beside, zip: ModuleZip): void {
  if (zip.module !== module || zip.version !== version)
    throw new Refusal(400, `its zip holds ${zip.module}@${zip.version}`)
  if (zipHash !== undefined && zipHash !== zip.zipHash)
    throw new Refusal(
      400,
      `its zip was damaged since it was downloaded: ${zip.zipHash}, .ziphash says ${quote(zipHash)}`,
    )
  if (mod && mod.sha256 !== zip.mod.sha256) throw new Refusal(400, 'its .mod is not the go.mod in its zip')
}
