// A refused file leaves the inbox, too: to inbox/rejected/{the same path}, with the reasons in a .txt beside it.

import { randomUUID } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import { visible } from '../errors.js'
import { folders } from '../layout.js'
import { inFolder, isTaken, moveAside, writeBeside, type OpenRoot } from '../store/inbox-files.js'
import type { OpenedFolder } from '../store/opened-folder.js'
import { REJECTED } from './place.js'

/** Bytes of a name that leave room for what is added to it (NAME_MAX is 255). */
const MAX_STEM_BYTES = 200
/** Numbers that are tried for a name. Each look at one costs time that other files wait for. */
const MAX_NUMBER = 100

// Cuts a name so that `.12.txt` can follow it.
function shortened(name: string): string {
  if (Buffer.byteLength(name) <= MAX_STEM_BYTES) return name
  let stem = name
  while (Buffer.byteLength(stem) > MAX_STEM_BYTES) stem = stem.slice(0, -1)
  return stem
}

// 'x.zip' → x.zip, or x.zip.2, x.zip.3 … when that is taken, at last x.zip.{uuid}; neither the name nor its .txt is
// another rejected file
async function freeName(folder: OpenedFolder, stem: string): Promise<string> {
  for (let n = 1; n <= MAX_NUMBER; n++) {
    const name = n === 1 ? stem : `${stem}.${n}`
    if (!(await isTaken({ folder, name })) && !(await isTaken({ folder, name: `${name}.txt.txt` })))
      return name
  }
  return `${stem}.${randomUUID()}`
}

/**
 * Moves the file at `path` (relative to the inbox), which is in the opened folder `from`, and resolves with its new
 * path. The reasons are written first.
 */
export function reject(
  openRoot: OpenRoot,
  from: OpenedFolder,
  path: string,
  reasons: string,
): Promise<string> {
  const lines = [`${new Date().toISOString()} inbox/${path} was not published:`, '', ...reasons.split('\n')]
  const text = lines.map((line) => `${visible(line)}\n`).join('')
  const rejected = join(REJECTED, dirname(path))
  return inFolder(
    openRoot,
    rejected,
    async (folder) => {
      const name = await freeName(folder, shortened(basename(path)))
      await writeBeside({ folder, name: `${name}.txt` }, text)
      await moveAside({ folder: from, name: basename(path) }, { folder, name })
      return join(folders.inbox, rejected, name)
    },
    { make: true },
  )
}
