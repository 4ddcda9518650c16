// The small files of a module cache beside a zip, and whether the zip agrees with them.

import { readFile, stat } from 'node:fs/promises'
import { errno, messageOf, Refusal } from '../errors.js'
import type { ModuleZip } from '../modzip/read-zip.js'
import { Unreadable } from '../store/regular-file.js'
import type { FoundVersion } from './find.js'
import { infoTime, timeWithoutInfo } from './info.js'

/** x/mod/zip MaxGoMod, which a .mod may have. The other small files have a few hundred bytes. */
const MAX_SMALL_BYTES = 16 * 2 ** 20

/** What the files beside a zip say: its go.mod, its `h1:…`, and when it was published. */
type Beside = { mod?: Buffer; zipHash?: string; published: Date }

async function readSmall(path: string): Promise<Buffer> {
  try {
    const { size } = await stat(path)
    if (size > MAX_SMALL_BYTES) throw new Refusal(400, `${path} is too large`)
    return await readFile(path)
  } catch (error) {
    if (error instanceof Refusal) throw error
    throw new Unreadable(`${path} cannot be read: ${errno(error) ?? messageOf(error)}`, { cause: error })
  }
}

/**
 * Reads the files beside a zip. Throws a 400 for an .info that is wrong, and {@link Unreadable} for a file that cannot
 * be read.
 */
export async function readBeside({ version, base, has }: FoundVersion): Promise<Beside> {
  const info = has.has('info') ? infoTime(version, (await readSmall(`${base}.info`)).toString()) : {}
  if ('problem' in info) throw new Refusal(400, info.problem)
  return {
    published: info.time ?? timeWithoutInfo(version, (await stat(`${base}.zip`)).mtime),
    ...(has.has('mod') && { mod: await readSmall(`${base}.mod`) }),
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
      `its zip was damaged since it was downloaded: ${zip.zipHash}, .ziphash says ${zipHash}`,
    )
  if (mod && !mod.equals(zip.mod)) throw new Refusal(400, 'its .mod is not the go.mod in its zip')
}
