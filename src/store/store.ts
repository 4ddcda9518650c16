// The only writer below the data folder. A change is durable when the folders it touched were synced: data first, then
// the name, then the folder. Paths are those of layout.ts, relative to the data folder.

import { link, mkdir, open, rename, symlink, unlink } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { errno, ignoring } from '../errors.js'
import { folders, packagesFolder, publicMarker, sumFolders } from '../layout.js'
import { Folders } from './folders.js'
import { admit, stampWith, type Admitted, type Stamp } from './ownership.js'
import { Reading } from './reading.js'
import { Temps, type UploadFolder } from './temps.js'
import { waitForAll } from './wait-for-all.js'

const READABLE = 0o644
const PRIVATE = 0o600
const CLAIM_ATTEMPTS = 20

/** A file whose bytes are on the disk and which has no name in the tree yet. */
export type Staged = { temp: string }

/** `time` becomes the mtime. Only its owner may read a `secret`. A `stamp` gives user, group and mode. */
export type WriteOptions = { time?: Date; secret?: boolean; stamp?: Stamp }

/** The data folder. Opening it touches nothing. */
export class Store extends Reading {
  /** state/tmp, where every new file begins. */
  readonly #temps: Temps
  /** Folders made, synced and removed; knows which of them are on the disk. */
  readonly #folders: Folders

  /** `data` is the data folder, absolute. */
  constructor(data: string) {
    super(data)
    this.#temps = new Temps(this.at(folders.tmp))
    this.#folders = new Folders(
      (path) => this.at(path),
      (path) => this.#modeOf(path),
    )
  }

  // An owner's folder that somebody has removed is made again by the next upload. Unless nginx reads the owner for
  // everybody, nobody else may enter it before the access keeper lets the right ones in.
  async #modeOf(folder: string): Promise<number> {
    const isOpen = dirname(folder) !== packagesFolder || (await this.exists(publicMarker(basename(folder))))
    return isOpen ? 0o777 : 0o700
  }

  /** Makes the folders of the data folder that are missing. */
  async prepare(): Promise<void> {
    for (const folder of [folders.tree, folders.public, folders.nginx])
      await mkdir(this.at(folder), { recursive: true })
    const secret = [
      folders.accounts,
      folders.owners,
      folders.readers,
      folders.tmp,
      folders.journal,
      folders.control,
    ]
    for (const folder of secret) await mkdir(this.at(folder), { recursive: true, mode: 0o700 })
    if ((await this.names(folders.sums)).length < sumFolders.length) {
      for (const folder of sumFolders) await mkdir(this.at(folder), { recursive: true, mode: 0o700 })
      for (const folder of [folders.sums, 'state', '.']) await this.sync(folder)
    }
  }

  /** Makes a new folder for the body of an upload. The caller ends it with {@link discard}. */
  newUpload(): Promise<UploadFolder> {
    return this.#temps.newUpload()
  }

  /** Removes an upload's folder with everything in it. */
  discard(upload: UploadFolder): Promise<void> {
    return this.#temps.discard(upload)
  }

  /** Removes what crashed uploads left; see {@link Temps.sweep}. */
  sweep(olderThan?: number): Promise<void> {
    return this.#temps.sweep(olderThan)
  }

  /** fsync(2) of a folder: the names in it are on the disk then. */
  sync(folder: string): Promise<void> {
    return this.#folders.sync(folder)
  }

  /** Syncs several folders at once: the file system makes one commit of them. */
  syncAll(paths: readonly string[]): Promise<void> {
    return this.#folders.syncAll(paths)
  }

  /** Makes a folder durably that another program may have removed. */
  ensureFolder(folder: string): Promise<void> {
    return this.#folders.ensure(folder)
  }

  /** Lets others enter a folder, or not. */
  admit(folder: string, admitted: Admitted): Promise<void> {
    return admit(this.at(folder), admitted)
  }

  /** Removes `folder` and its empty parents below `upTo`, durably; see {@link Folders.prune}. */
  prune(folder: string, upTo: string): Promise<void> {
    return this.#folders.prune(folder, upTo)
  }

  /** Makes the file `temp` (absolute) ready to be published: readable for everybody, of this time, on the disk. */
  async finish(temp: string, time: Date): Promise<Staged> {
    const handle = await open(temp, 'r+')
    try {
      await handle.chmod(READABLE)
      await handle.utimes(time, time)
      await handle.sync()
    } finally {
      await handle.close()
    }
    return { temp }
  }

  /**
   * Gives the finished file `from` (absolute, on the same file system) the name `path`, at most once: `false` when the
   * name is taken. link(2) lets exactly one of any number of racers win, in any number of processes. The name is on
   * the disk when its folder has been synced.
   */
  async claim(from: string, path: string): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#folders.make(dirname(path))
        await link(from, this.at(path))
        return true
      } catch (error) {
        if (errno(error) === 'EEXIST') return false
        // The deletion of a neighbour (m/sub beside m) removed a folder that was still empty.
        if (errno(error) !== 'ENOENT' || attempt === CLAIM_ATTEMPTS) throw error
        this.#folders.forget()
      }
    }
  }

  /** Writes `content` to the disk, under no name yet: {@link place} gives it one, {@link unstage} removes it. */
  async stage(content: Uint8Array | string, { time, secret, stamp }: WriteOptions = {}): Promise<Staged> {
    const temp = this.#temps.take()
    try {
      const handle = await open(temp, 'wx', secret || stamp ? PRIVATE : READABLE)
      try {
        await handle.writeFile(content)
        if (time) await handle.utimes(time, time)
        if (stamp) await stampWith(handle, stamp)
        await handle.sync()
      } finally {
        await handle.close()
      }
      return { temp }
    } catch (error) {
      await this.#temps.drop(temp)
      throw error
    }
  }

  /** Puts a staged file at `path` in one step: a reader sees the old file or the new one, whole. */
  async place({ temp }: Staged, path: string): Promise<void> {
    try {
      await rename(temp, this.at(path))
      this.#temps.done(temp)
    } catch (error) {
      await this.#temps.drop(temp)
      throw error
    }
  }

  /** Removes a staged file. */
  unstage({ temp }: Staged): Promise<void> {
    return this.#temps.drop(temp)
  }

  /** {@link stage} and {@link place} in one. The caller syncs the folder. */
  async write(path: string, content: Uint8Array | string, options: WriteOptions = {}): Promise<void> {
    return this.place(await this.stage(content, options), path)
  }

  /**
   * Writes a new file, durably, that nobody reads before this resolves. It has its name at once, so that the syncs of
   * the file and of its folder run side by side; a rename would come between them. A crash may leave it empty or cut.
   */
  async record(path: string, content: string): Promise<void> {
    const handle = await open(this.at(path), 'wx', PRIVATE)
    try {
      const written = handle.writeFile(content).then(() => handle.sync())
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
    await this.#placeNew((temp) => link(this.at(target), temp), path)
  }

  /** Makes `path` a symbolic link with this text, in one step, whatever file `path` was before. */
  symlinkOver(text: string, path: string): Promise<void> {
    return this.#placeNew((temp) => symlink(text, temp), path)
  }

  async #placeNew(make: (temp: string) => Promise<void>, path: string): Promise<void> {
    const temp = this.#temps.take()
    try {
      await make(temp)
    } catch (error) {
      this.#temps.done(temp)
      throw error
    }
    await this.place({ temp }, path)
  }

  async #isSameFile(a: string, b: string): Promise<boolean> {
    const [x, y] = await Promise.all([this.status(a), this.status(b)])
    return x !== undefined && y !== undefined && x.ino === y.ino && x.dev === y.dev
  }

  /** Removes a file. `false` when it is not there. The caller syncs the folder. */
  remove(path: string): Promise<boolean> {
    return ignoring(['ENOENT'], () => unlink(this.at(path)))
  }

  /** Takes a folder out of the tree in one step, durably, then removes its files. `false` when it is not there. */
  async removeFolder(folder: string): Promise<boolean> {
    const temp = this.#temps.take()
    this.#folders.forget(folder)
    try {
      const moved = await ignoring(['ENOENT', 'ENOTDIR'], () => rename(this.at(folder), temp))
      if (!moved) return false
      await this.sync(dirname(folder))
      return true
    } finally {
      await this.#temps.drop(temp)
    }
  }
}
