// The same bytes written to the same disk without Plinth.

import { copyFile, open } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Puts a file's bytes or a folder's names on the disk. */
async function fsync(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The file and its name. */
export async function fsyncWithFolder(path: string): Promise<void> {
  await fsync(path)
  await fsync(dirname(path))
}

/** cp, and the copy is on the disk. */
export async function copyToDisk(from: string, to: string): Promise<void> {
  await copyFile(from, to)
  await fsyncWithFolder(to)
}
