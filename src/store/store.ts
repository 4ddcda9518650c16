// The only writer below the data folder. A change is durable when the folders it touched were synced: data first, then
// the name, then the folder. Paths are those of layout.ts, relative to the data folder.

import { link, mkdir, open, rename, symlink, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errno, ignoring } from '../errors.js'
import { folders, sumFolders } from '../layout.js'
import { admit, type Admitted } from './ownership.js'
import { PRIVATE, Staging } from './staging.js'
import { syncHandle } from './sync.js'
import { waitForAll } from './wait-for-all.js'

/** The data folder. Opening it touches nothing. */
export class Store extends Staging {
  /** Makes the folders of the data folder that are missing. */
  async prepare(): Promise<void> {
    const entered = [folders.tree, folders.public, 'state'] // by nginx's workers
    for (const folder of entered) await mkdir(this.at(folder), { recursive: true })
    const secret = [
      folders.accounts,
      folders.owners,
      folders.readers,
      folders.tmp,
      folders.journal,
      folders.due,
      folders.hashes,
      folders.gone,
    ]
    const isUpgraded = !(await this.exists(folders.due)) // its name must be on the disk before a marker is
    await waitForAll(secret.map((folder) => mkdir(this.at(folder), { recursive: true, mode: 0o700 })))
    if (isUpgraded) await this.sync('state')
    if ((await this.names(folders.sums)).length < sumFolders.length) {
      for (const folder of sumFolders) await mkdir(this.at(folder), { recursive: true, mode: 0o700 })
      for (const folder of [folders.sums, 'state', '.']) await this.sync(folder)
    }
    await this.temps.begin()
  }

  /** Leaves nothing behind of what {@link prepare} made for this process alone. */
  close(): Promise<void> {
    return this.temps.end()
  }

  /** Writes and syncs a small file, and removes it. Rejects as the next upload would. */
  async probe(): Promise<void> {
    const path = this.temps.take()
    try {
      const handle = await open(path, 'wx', PRIVATE)
      try {
        await handle.writeFile('ready?\n')
        await handle.datasync()
      } finally {
        await handle.close()
      }
    } finally {
      await this.temps.drop(path)
    }
  }

  /** Syncs several folders at once: the file system makes one commit of them. */
  syncAll(paths: readonly string[]): Promise<void> {
    return this.folders.syncAll(paths)
  }

  /** Makes a folder durably that another program may have removed. */
  ensureFolder(folder: string): Promise<void> {
    return this.folders.ensure(folder)
  }

  /** Lets others enter a folder, or not. */
  admit(folder: string, admitted: Admitted): Promise<void> {
    return admit(this.at(folder), admitted)
  }

  /** Removes `folder` and its empty parents below `upTo`, durably; see {@link Folders.prune}. */
  prune(folder: string, upTo: string): Promise<void> {
    return this.folders.prune(folder, upTo)
  }

  /**
   * Gives the finished file `from` (absolute, on the same file system) the name `path`, at most once: `false` when the
   * name is taken. link(2) lets exactly one of any number of racers win, in any number of processes. The name is on
   * the disk when its folder has been synced.
   */
  async claim(from: string, path: string): Promise<boolean> {
    return ignoring(['EEXIST'], () => this.inFolder(path, () => link(from, this.at(path))))
  }

  /**
   * Writes a new file, durably, that nobody reads before this resolves. It has its name at once, so that the syncs of
   * the file and of its folder run side by side; a rename would come between them. A crash may leave it empty or cut.
   */
  async record(path: string, content: string): Promise<void> {
    const handle = await open(this.at(path), 'wx', PRIVATE)
    try {
      const written = handle.writeFile(content).then(() => syncHandle(handle, 'file'))
      await waitForAll([written, this.sync(dirname(path))])
    } finally {
      await handle.close()
    }
  }

  /** Makes `path` another name of the file at `target`, in one step, whatever `path` was before. */
  async linkOver(target: string, path: string): Promise<void> {
    // EEXIST is the one error that leaves more to do.
    const isNew = await link(this.at(target), this.at(path)).then(
      () => true,
      (error: unknown) => {
        if (errno(error) === 'EEXIST') return false
        throw error
      },
    )
    if (isNew) return
    if (await this.#isSameFile(target, path)) return // rename(2) does nothing between two names of one file
    await this.relink(target, path)
  }

  /** {@link linkOver} where `path` most likely is the name of another file: it costs half as much. */
  async relink(target: string, path: string): Promise<void> {
    const temp = await this.#placeNew((name) => link(this.at(target), name), path)
    // rename(2) does nothing between two names of one file: what a crash cut off may have been done already.
    await ignoring(['ENOENT'], () => unlink(temp))
  }

  /**
   * Makes `path` a symbolic link with this text, in one step, whatever file `path` was before. Its folder is made
   * when it is missing.
   */
  async symlinkOver(text: string, path: string): Promise<void> {
    await this.#placeNew((temp) => symlink(text, temp), path)
  }

  /** Resolves with the name that the file had before. */
  async #placeNew(make: (temp: string) => Promise<void>, path: string): Promise<string> {
    const temp = this.temps.take()
    try {
      await make(temp)
    } catch (error) {
      this.temps.done(temp)
      throw error
    }
    await this.placeMaking({ temp }, path)
    return temp
  }

  async #isSameFile(a: string, b: string): Promise<boolean> {
    const [x, y] = await Promise.all([this.status(a), this.status(b)])
    return x !== undefined && y !== undefined && x.ino === y.ino && x.dev === y.dev
  }

  /** Gives a file or a folder another name, in one step. The caller syncs both folders. */
  move(from: string, to: string): Promise<void> {
    this.folders.forget(from)
    return this.inFolder(to, () => rename(this.at(from), this.at(to)))
  }

  /** Gives a file another name in its folder. `false` when it is not there. The caller syncs the folder. */
  rename(from: string, to: string): Promise<boolean> {
    return ignoring(['ENOENT'], () => rename(this.at(from), this.at(to)))
  }

  /** Removes a file. `false` when it is not there. The caller syncs the folder. */
  remove(path: string): Promise<boolean> {
    return ignoring(['ENOENT'], () => unlink(this.at(path)))
  }

  /** Takes a folder out of the tree in one step, durably, then removes its files. `false` when it is not there. */
  async removeFolder(folder: string): Promise<boolean> {
    const temp = this.temps.take()
    this.folders.forget(folder)
    try {
      const moved = await ignoring(['ENOENT', 'ENOTDIR'], () => rename(this.at(folder), temp))
      if (!moved) return false
      await this.sync(dirname(folder))
      return true
    } finally {
      await this.temps.drop(temp)
    }
  }
}
