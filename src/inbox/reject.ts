// A refused file leaves the inbox, too: to inbox/rejected/{the same path}, with the reasons in a .txt beside it.

import { basename, dirname, join } from 'node:path'
import { folders } from '../layout.js'
import { makeInboxFolder, moveAside } from '../store/inbox-files.js'
import type { Store } from '../store/store.js'

/** Bytes of a name that leave room for what is added to it (NAME_MAX is 255). */
const MAX_STEM_BYTES = 200

// Cuts a name so that `.12.txt` can follow it.
function shortened(name: string): string {
  if (Buffer.byteLength(name) <= MAX_STEM_BYTES) return name
  let stem = name
  while (Buffer.byteLength(stem) > MAX_STEM_BYTES) stem = stem.slice(0, -1)
  return stem
}

// 'x.zip' → x.zip, or x.zip.2, x.zip.3 … when that is taken; neither the name nor its .txt is another rejected file
async function freeName(store: Store, path: string): Promise<string> {
  const stem = join(folders.rejected, dirname(path), shortened(basename(path)))
  for (let n = 1; ; n++) {
    const name = n === 1 ? stem : `${stem}.${n}`
    if (!(await store.exists(name)) && !(await store.exists(`${name}.txt.txt`))) return name
  }
}

/** Moves `path` (relative to the inbox) and resolves with its new path. The reasons are written first. */
export async function reject(store: Store, path: string, reasons: string): Promise<string> {
  const target = await freeName(store, path)
  const text = `${new Date().toISOString()} inbox/${path} was not published:\n\n${reasons}\n`
  await makeInboxFolder(store, dirname(target))
  await store.write(`${target}.txt`, text)
  await moveAside(store, `${folders.inbox}/${path}`, target)
  return target
}
