// What is in the inbox now. It yields one file at a time: memory does not grow with the number of files. Each level of
// folders has two descriptors open, at most MAX_DEPTH of them.

import type { Stats } from 'node:fs'
import { lstat, opendir } from 'node:fs/promises'
import { errno, messageOf } from '../errors.js'
import { Changed, type OpenedFolder } from '../store/opened-folder.js'
import { isTemporary, REJECTED } from './place.js'

/** No file belongs so deep: a folder at this depth is yielded as one thing, which is in the wrong place. */
const MAX_DEPTH = 8

/** Something in the inbox; `path` is relative to it. Only an old `empty` folder is removed, no other is taken. */
export type Sighting = { path: string; status: Stats; empty?: true }

/** Something that cannot be read, and why. */
type Unreachable = { path: string; reason: string }

const unreachable = (path: string, error: unknown): Unreachable => ({
  path,
  reason: `it cannot be read: ${errno(error) ?? messageOf(error)}`,
})

const isGone = (error: unknown): boolean => error instanceof Changed || errno(error) === 'ENOENT'

// Nothing for a name that is gone. So is one whose bytes are not what node makes of it.
function problemOf(path: string, error: unknown): Unreachable | undefined {
  if (!isGone(error)) return unreachable(path, error)
  return path.includes('\ufffd') ? { path, reason: 'its name is not UTF-8' } : undefined
}

/**
 * Yields files, everything else that is not a folder, and the empty folders below `{owner}/{registry}`. Does not follow
 * links. Calls `onName` for each name, also for those that are left alone. `folder` is the inbox; the caller closes it.
 */
export async function* scan(
  folder: OpenedFolder,
  onName: () => void = () => {},
  at = '',
  depth = 0,
): AsyncGenerator<Sighting | Unreachable> {
  let empty = true
  let told = false
  try {
    for await (const { name } of await opendir(folder.at())) {
      empty = false
      onName()
      const path = at === '' ? name : `${at}/${name}`
      if (path === REJECTED || name.startsWith('.')) continue
      const status = await lstat(folder.at(name)).catch((error: unknown) => problemOf(path, error))
      if (!status || 'reason' in status) {
        // Somebody's mount may shut us out; what is beside it is seen. One name of a folder is told: it may be all.
        if (status && !told) yield status
        told ||= status !== undefined
      } else if (status.isDirectory() && depth < MAX_DEPTH)
        yield* scanChild(folder, name, onName, path, depth + 1)
      else if (!isTemporary(name)) yield { path, status }
    }
    if (empty && depth > 2) yield { path: at, status: await folder.status(), empty }
  } catch (error) {
    if (!isGone(error)) yield unreachable(at, error)
  }
}

// A folder that has been exchanged since it was seen is left to the next look.
async function* scanChild(
  folder: OpenedFolder,
  name: string,
  onName: () => void,
  path: string,
  depth: number,
): AsyncGenerator<Sighting | Unreachable> {
  let child: OpenedFolder
  try {
    child = await folder.child(name)
  } catch (error) {
    if (!isGone(error)) yield unreachable(path, error)
    return
  }
  try {
    yield* scan(child, onName, path, depth)
  } finally {
    await child.close()
  }
}
