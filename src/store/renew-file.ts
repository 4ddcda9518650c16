// A small file that is written again and again, and read by other machines.

import { open, rename } from 'node:fs/promises'

/**
 * Writes the file `path` (absolute) anew, synced, in one step. It is another file each time: a network file system
 * shows that one has taken the place of another, and may not show what a writer who keeps one open writes to it.
 */
export async function renewFile(path: string, text: string): Promise<void> {
  const next = `${path}.next`
  const handle = await open(next, 'w', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(next, path)
}
