// Folders below the data folder: made, synced and removed so that what is in them is on the disk when that is said.
//
// Paths are those of layout.ts, relative to the data folder.

import { lstat, mkdir, open, rmdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errno, ignoring } from '../errors.js'
import { giveToOwnerOf } from './ownership.js'
import { waitForAll } from './wait-for-all.js'

const REMEMBERED_FOLDERS = 50_000

/** `at` makes a path absolute. */
export function openFolders(at: (path: string) => string) {
  const durable = new Set<string>() // folders whose names are known to be on the disk
  const making = new Map<string, Promise<void>>()

  /** fsync of a folder: makes the names in it durable. */
  async function sync(folder: string): Promise<void> {
    const handle = await open(at(folder), 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  }

  /**
   * mkdir -p, durable. That a folder is there does not say that its name is on the disk: another upload may have
   * made it a moment ago, or a run that crashed. So the first use of each folder syncs its parent.
   */
  async function makeFolders(folder: string): Promise<void> {
    if (durable.has(folder)) return
    const underWay = making.get(folder)
    if (underWay) return underWay
    const mine = (async () => {
      const parent = dirname(folder)
      if (parent !== '.') await makeFolders(parent)
      if (await ignoring(['EEXIST'], () => mkdir(at(folder)))) await giveToOwnerOf(at(parent), at(folder))
      await sync(parent)
      if (durable.size >= REMEMBERED_FOLDERS) durable.clear()
      durable.add(folder)
    })().finally(() => making.delete(folder))
    making.set(folder, mine)
    return mine
  }

  /** The same for a folder that somebody else may have removed. */
  async function ensureFolder(folder: string): Promise<void> {
    const isThere = await ignoring(['ENOENT'], () => lstat(at(folder)))
    if (!isThere) forget()
    await makeFolders(folder)
  }

  /** fsync of several folders at once: the file system makes one commit of them. */
  const syncAll = async (paths: readonly string[]): Promise<void> => {
    await waitForAll(paths.map(sync))
  }

  /**
   * Removes `folder` and its parents as far as they are empty, `upTo` and what is above it excepted, and makes that,
   * or what was removed from `folder`, durable: the sync of what is left covers what went from it.
   */
  async function prune(folder: string, upTo: string): Promise<void> {
    let left = folder
    for (; left.startsWith(`${upTo}/`); left = dirname(left)) {
      durable.delete(left)
      try {
        await rmdir(at(left))
      } catch (error) {
        if (errno(error) === 'ENOTEMPTY' || errno(error) === 'EEXIST') break
        if (errno(error) !== 'ENOENT') throw error
      }
    }
    await syncNearest(left)
  }

  // A neighbour may remove the folder in the meantime: the removal is on the disk when its parent is.
  async function syncNearest(folder: string): Promise<void> {
    if (!(await ignoring(['ENOENT'], () => sync(folder))) && folder !== '.')
      await syncNearest(dirname(folder))
  }

  /** For folders that were, or may have been, taken away by others: this one, or any. */
  function forget(folder?: string): void {
    if (folder === undefined) durable.clear()
    else durable.delete(folder)
  }

  return { sync, syncAll, makeFolders, ensureFolder, prune, forget }
}
