// Copies one file with its mode and time. Where the file system can, the copy shares the blocks of the file until one
// of them is changed (a reflink): it costs no room, and damage to a name, a mode or a time of one is not of the other.
// A hard link to the live file would share all of that.

import { spawn } from 'node:child_process'
import { constants, type Stats } from 'node:fs'
import { copyFile, link, lstat, open, readdir, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { errno } from '../errors.js'

/** The time of a copy of this size or more is set after its bytes are on the disk. */
export const SYNCED_BYTES = 2 ** 20

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Copies the file `from` with this status to the new file `to`, both absolute. A failure may leave a part of it. */
export async function copyWhole(from: string, to: string, { size, atimeMs, mtimeMs }: Stats): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
  if (size >= SYNCED_BYTES) await sync(to)
  await utimes(to, atimeMs / 1000, mtimeMs / 1000)
}

/** What says that a file has too many hard links, or that the file system has none. */
const NO_LINK = ['EMLINK', 'EPERM', 'EXDEV', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'ENOENT']

/** Makes `to` another name of the file `from`, both absolute. `false` when that cannot be. */
export async function linkTo(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if (NO_LINK.includes(errno(error) ?? '')) return false
    throw error
  }
}

/** Brings a folder (absolute) with everything in it to the disk. */
export async function syncTree(folder: string): Promise<void> {
  const said = await syncFileSystem(folder)
  if (said === '') return
  if (/error syncing/.test(said)) throw new Error(said)
  await syncEach(folder) // this machine's `sync` has no -f
}

/** syncfs(2), for which node has no call, by the program `sync`. Resolves with its complaint. */
const syncFileSystem = (folder: string): Promise<string> =>
  new Promise((resolve) => {
    const child = spawn('sync', ['-f', folder], { stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr.on('data', (text: Buffer) => (said += text.toString()))
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code) => resolve(code === 0 ? '' : said.trim() || `sync ended with ${String(code)}`))
  })

async function syncEach(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    const status = await lstat(path)
    if (status.isDirectory()) await syncEach(path)
    else if (status.isFile()) await sync(path)
  }
  await sync(folder)
}

/** fsync(2) of one folder (absolute): the names in it are on the disk then. */
export const syncNames = (folder: string): Promise<void> => sync(folder)
