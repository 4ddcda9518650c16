// The small files of a module cache beside a zip, and whether the zip agrees with them.

import { stat, type FileHandle } from 'node:fs/promises'
import { sumOf, type Sum } from '../digest.js'
import { messageOf, quote, Refusal, visible } from '../errors.js'
import { MAX_GO_MOD_BYTES } from '../gomod/check-zip.js'
import type { ModuleZip } from '../modzip/read-zip.js'
import { Changed } from '../store/opened-folder.js'
import { openRegular, Unreadable } from '../store/regular-file.js'
import type { FoundVersion } from './find.js'
import { infoTime, timeWithoutInfo } from './info.js'

/** The small files have a few hundred bytes. */
const MAX_SMALL_BYTES = 64 * 2 ** 10

/** What the files beside a zip say: the sum of its go.mod, its `h1:…`, and when it was published. */
type Beside = { mod?: Sum; zipHash?: string; published: Date }

/**
 * Opens a file of at most `most` bytes beside a zip, once: others may write to the cache, and what is a file now may be
 * a pipe when it is opened.
 */
async function reading<T>(path: string, most: number, read: (file: FileHandle) => Promise<T>): Promise<T> {
  try {
    const { file, status } = await openRegular(path)
    try {
      if (status.size > most) throw new Refusal(400, 'it is too large')
      return await read(file)
    } finally {
      await file.close()
    }
  } catch (error) {
    const message = `${visible(path)}: ${messageOf(error)}`
    if (error instanceof Changed) throw new Changed(message)
    if (error instanceof Refusal) throw new Refusal(400, message)
    throw new Unreadable(message, { cause: error })
  }
}

/** Reads a small text. Throws {@link Changed} when it is not there, a 400 when it is too large or no regular file. */
export const readSmall = (path: string, most = MAX_SMALL_BYTES): Promise<string> =>
  reading(path, most, (file) => file.readFile('utf8'))

/**
 * Reads the files beside a zip. Throws a 400 for an .info that is wrong, and {@link Unreadable} for a file that cannot
 * be read.
 */
export async function readBeside({ version, base, has }: FoundVersion): Promise<Beside> {
  const info = has.has('info') ? infoTime(version, await readSmall(`${base}.info`)) : {}
  if ('problem' in info) throw new Refusal(400, info.problem)
  return {
    published: info.time ?? timeWithoutInfo(version, (await stat(`${base}.zip`)).mtime),
    ...(has.has('mod') && { mod: await reading(`${base}.mod`, MAX_GO_MOD_BYTES, sumOf) }),
    ...(has.has('ziphash') && { zipHash: (await readSmall(`${base}.ziphash`)).trim() }),
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
