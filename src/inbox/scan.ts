// What is in the inbox now. It yields one file at a time: memory does not grow with the number of files.

import type { Stats } from 'node:fs'
import { lstat, opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { errno } from '../errors.js'
import { isTemporary, REJECTED } from './place.js'

/** No file belongs so deep: a folder at this depth is yielded as one thing, which is in the wrong place. */
const MAX_DEPTH = 8

/** Something in the inbox; `path` is relative to it. Only an old `empty` folder is removed, no other is taken. */
export type Sighting = { path: string; status: Stats; empty?: true }

/** Something that cannot be read, and why. */
type Unreachable = { path: string; reason: string }

/**
 * Yields files, everything else that is not a folder, and the empty folders below `{owner}/{registry}`. Does not follow
 * links.
 */
export async function* scan(root: string, folder = '', depth = 0): AsyncGenerator<Sighting | Unreachable> {
  let empty = true
  try {
    for await (const { name } of await opendir(join(root, folder))) {
      empty = false
      const path = folder === '' ? name : `${folder}/${name}`
      if (path === REJECTED || name.startsWith('.')) continue
      const status = await lstat(join(root, path)).catch((error: unknown) => {
        if (errno(error) !== 'ENOENT') throw error
        return undefined
      })
      if (!status) {
        // It is gone, or its bytes are not what node makes of its name.
        if (name.includes('\ufffd')) yield { path, reason: 'its name is not UTF-8' }
      } else if (status.isDirectory() && depth < MAX_DEPTH) yield* scan(root, path, depth + 1)
      else if (!isTemporary(name)) yield { path, status }
    }
    if (empty && depth > 2) yield { path: folder, status: await lstat(join(root, folder)), empty }
  } catch (error) {
    if (errno(error) !== 'ENOENT') yield { path: folder, reason: `it cannot be read: ${errno(error)}` }
  }
}
