// An earlier copy of the same data folder, with which a backup shares the files that are the same.

import type { Stats } from 'node:fs'
import { basename, join } from 'node:path'
import { folders, ownerViews } from '../layout.js'
import { hasSameBytes, look, looksSame } from './compare.js'
import { linkTo } from './copy-file.js'

/** How far clocks of a machine and of its file servers may differ. What was changed later is never taken as known. */
export const MARGIN_MS = 60_000
/** Lines are added to its end, so it is never shared with another backup. */
const APPENDED = basename(ownerViews('x').log)

const isAppended = (path: string): boolean =>
  basename(path) === APPENDED || path.startsWith(`${folders.sumdb}/`)

/** `folder` is absolute. `files` is their number. `damaged` are paths of files that are not what was uploaded. */
export type Earlier = { folder: string; begunMs: number; files: number; damaged: ReadonlySet<string> }

/** A file below the data folder; `from` and `to` are absolute. */
type Shared = { path: string; from: string; to: string; status: Stats }

/** Makes `to` a hard link to the earlier copy of `from`, if that is the same. */
export async function share(earlier: Earlier, { path, from, to, status }: Shared): Promise<boolean> {
  if (earlier.damaged.has(path) || isAppended(path)) return false
  const theirs = join(earlier.folder, path)
  const there = await look(theirs)
  if (!there || !looksSame(status, there)) return false
  // ctime cannot be set: a file that was not touched since the earlier backup began is what was copied then.
  if (status.ctimeMs >= earlier.begunMs - MARGIN_MS) {
    const same = await hasSameBytes(from, theirs, status.size).catch(() => false) // the copy says why it is not read
    if (!same) return false
  }
  return linkTo(theirs, to)
}
