// Makes, syncs and removes folders below the data folder, durably. Paths are those of layout.ts, relative to it.

import { lstat, mkdir, open, rmdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errno, ignoring } from '../errors.js'
import { syncHandle } from './sync.js'
import { waitForAll } from './wait-for-all.js'

const MAX_REMEMBERED_FOLDERS = 50_000

export class Folders {
  /** Makes a path absolute. */
  readonly #at: (path: string) => string
  /** The mode of a new folder, before the umask. */
  readonly #modeOf: (path: string) => Promise<number>
  /** Folders whose names are known to be on the disk. */
  readonly #durable = new Set<string>()
  /** Folders that are being made now. */
  readonly #making = new Map<string, Promise<void>>()

  constructor(at: (path: string) => string, modeOf = async (_path: string): Promise<number> => 0o777) {
    this.#at = at
    this.#modeOf = modeOf
  }

  /** fsync(2) of a folder: the names in it are on the disk then. */
  async sync(folder: string): Promise<void> {
    const handle = await open(this.#at(folder), 'r')
    try {
      await syncHandle(handle, 'folder')
    } finally {
      await handle.close()
    }
  }

  /** Syncs several folders at once: the file system makes one commit of them. */
  async syncAll(folders: readonly string[]): Promise<void> {
    await waitForAll(folders.map((folder) => this.sync(folder)))
  }

  /**
   * mkdir -p, durable. A folder that exists need not be on the disk: another upload may have made it a moment ago, or a
   * run that crashed. So the first use of each folder syncs its parent.
   */
  async make(folder: string): Promise<void> {
    if (this.#durable.has(folder)) return
    const underWay = this.#making.get(folder)
    if (underWay) return underWay
    const making = this.#makeDurably(folder).finally(() => this.#making.delete(folder))
    this.#making.set(folder, making)
    return making
  }

  async #makeDurably(folder: string): Promise<void> {
    const parent = dirname(folder)
    if (parent !== '.') await this.make(parent)
    const mode = await this.#modeOf(folder)
    await ignoring(['EEXIST'], () => mkdir(this.#at(folder), { mode }))
    await this.sync(parent)
    if (this.#durable.size >= MAX_REMEMBERED_FOLDERS) this.#durable.clear()
    this.#durable.add(folder)
  }

  /** {@link make} for a folder that another program may have removed. */
  async ensure(folder: string): Promise<void> {
    const exists = await ignoring(['ENOENT'], () => lstat(this.#at(folder)))
    if (!exists) this.forget()
    await this.make(folder)
  }

  /**
   * Removes `folder` and its parents as far as they are empty, but neither `upTo` nor a folder above it. Makes this,
   * and any removal from `folder`, durable: the sync of the first folder that stays covers the removals below it.
   */
  async prune(folder: string, upTo: string): Promise<void> {
    let current = folder
    for (; current.startsWith(`${upTo}/`); current = dirname(current)) {
      this.#durable.delete(current)
      try {
        await rmdir(this.#at(current))
      } catch (error) {
        if (errno(error) === 'ENOTEMPTY' || errno(error) === 'EEXIST') break
        if (errno(error) !== 'ENOENT') throw error
      }
    }
    await this.#syncNearest(current)
  }

  // A neighbour may remove the folder meanwhile. The removal is on the disk when the parent is.
  async #syncNearest(folder: string): Promise<void> {
    const exists = await ignoring(['ENOENT'], () => this.sync(folder))
    if (!exists && folder !== '.') await this.#syncNearest(dirname(folder))
  }

  /** Forgets that `folder`, or without it any folder, is on the disk: somebody may have removed it. */
  forget(folder?: string): void {
    if (folder === undefined) this.#durable.clear()
    else this.#durable.delete(folder)
  }
}
