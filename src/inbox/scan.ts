// What is in the inbox now. One file at a time: however many there are, they are not all held.

import type { Stats } from 'node:fs'
import { lstat, opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { errno } from '../errors.js'
import { isTemporary, REJECTED } from './place.js'

/** No file belongs so deep: a folder there is one thing, in the wrong place. */
const MAX_DEPTH = 8

/** Something in the inbox; `path` is relative to it. An `empty` folder is not asked what it is. */
export type Sighting = { path: string; status: Stats; empty?: true }

/** What could not be looked at, and why. */
export type Blind = { path: string; reason: string }

/** Files, and whatever else is no folder, and empty folders below `{owner}/{registry}`. Links are not followed. */
export async function* look(root: string, folder = '', depth = 0): AsyncGenerator<Sighting | Blind> {
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
        // gone meanwhile, or never found by this name
        if (name.includes('\ufffd')) yield { path, reason: 'its name is not UTF-8' }
      } else if (status.isDirectory() && depth < MAX_DEPTH) yield* look(root, path, depth + 1)
      else if (!isTemporary(name)) yield { path, status }
    }
    if (empty && depth > 2) yield { path: folder, status: await lstat(join(root, folder)), empty }
  } catch (error) {
    if (errno(error) !== 'ENOENT') yield { path: folder, reason: `it cannot be read: ${errno(error)}` }
  }
}
