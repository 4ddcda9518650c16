// A file that was refused leaves the inbox, too: to inbox/rejected/{the same path}, with the reasons beside it.

import { basename, dirname, join } from 'node:path'
import { folders } from '../layout.js'
import type { Store } from '../store/store.js'

/** Bytes of a name that leave room for what is added to it (NAME_MAX is 255). */
const MAX_STEM_BYTES = 200

// Of a name of 255 bytes, as much as leaves room for `.12.txt`
function shortened(name: string): string {
  if (Buffer.byteLength(name) <= MAX_STEM_BYTES) return name
  let stem = name
  while (Buffer.byteLength(stem) > MAX_STEM_BYTES) stem = stem.slice(0, -1)
  return stem
}

export function makeReject(store: Store) {
  // 'x.zip' → x.zip, x.zip.2, x.zip.3 …; neither it nor its .txt is another rejected file
  async function freeName(path: string): Promise<string> {
    const stem = join(folders.rejected, dirname(path), shortened(basename(path)))
    for (let n = 1; ; n++) {
      const name = n === 1 ? stem : `${stem}.${n}`
      if (!(await store.exists(name)) && !(await store.exists(`${name}.txt.txt`))) return name
    }
  }

  /** Moves `path` (relative to the inbox); resolves with where to. The reasons are there before the file is. */
  return async function reject(path: string, reasons: string): Promise<string> {
    const target = await freeName(path)
    const text = `${new Date().toISOString()} inbox/${path} was not published:\n\n${reasons}\n`
    await store.makeFolder(dirname(target))
    await store.write(`${target}.txt`, text)
    await store.moveAside(`${folders.inbox}/${path}`, target)
    return target
  }
}
