// New files of the data folder. Each begins in state/tmp, is written to the disk there, and gets its name in one step.

import { open, rename, statfs, type FileHandle } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { errno } from '../errors.js'
import { folders, packagesFolder, publicMarker } from '../layout.js'
import { Folders } from './folders.js'
import { isSameSecond, keepsTimes, syncWithTime } from './lasting-time.js'
import { stampWith, type Stamp } from './ownership.js'
import { Reading } from './reading.js'
import { syncHandle } from './sync.js'
import { Temps, type UploadFolder } from './temps.js'

const READABLE = 0o644
export const PRIVATE = 0o600
const FOLDER_ATTEMPTS = 20
/** A line is not longer: a path has 3,000 bytes at most. */
const MAX_LINE_BYTES = 16 * 1024

/** A file whose bytes are on the disk and which has no name in the tree yet. */
export type Staged = { temp: string }

/** `time` becomes the mtime. Only its owner may read a `secret`. A `stamp` gives user, group and mode. */
export type WriteOptions = { time?: Date; secret?: boolean; stamp?: Stamp }

/** The half of the store that writes new files. */
export class Staging extends Reading {
  /** state/tmp, where every new file begins. */
  protected readonly temps: Temps
  /** Folders made, synced and removed; knows which of them are on the disk. */
  protected readonly folders: Folders
  /** Whether the file system keeps a time that is set before a sync; `undefined` until a file needs to know. */
  #keepsTimes: Promise<boolean> | undefined

  /** `data` is the data folder, absolute. With `ownTemps` new files begin in a folder of this process alone. */
  constructor(data: string, { ownTemps = false } = {}) {
    super(data)
    this.temps = new Temps(this.at(folders.tmp), ownTemps)
    this.folders = new Folders(
      (path) => this.at(path),
      (path) => this.#modeOf(path),
    )
  }

  // An owner's folder that somebody has removed is made again by the next upload. Unless nginx reads the owner for
  // everybody, nobody else may enter it before the access keeper lets the right ones in. The keys of checksum databases
  // are for us alone.
  async #modeOf(folder: string): Promise<number> {
    if (`${folder}/`.startsWith(`${folders.sumdb}/`) || folder === folders.sumdbRemoved) return 0o700
    const isOpen = dirname(folder) !== packagesFolder || (await this.exists(publicMarker(basename(folder))))
    return isOpen ? 0o777 : 0o700
  }

  /** Makes a new folder for the body of an upload. The caller ends it with {@link discard}. */
  newUpload(): Promise<UploadFolder> {
    return this.temps.newUpload()
  }

  /** Removes an upload's folder with everything in it. */
  discard(upload: UploadFolder): Promise<void> {
    return this.temps.discard(upload)
  }

  /** Removes what crashed uploads left; see {@link Temps.sweep}. */
  sweep(olderThan?: number): Promise<void> {
    return this.temps.sweep(olderThan)
  }

  /** fsync(2) of a folder: the names in it are on the disk then. */
  sync(folder: string): Promise<void> {
    return this.folders.sync(folder)
  }

  /** Makes the file `temp` (absolute) ready to be published: readable for everybody, of this time, on the disk. */
  async finish(temp: string, time: Date): Promise<Staged> {
    const handle = await open(temp, 'r+')
    try {
      await handle.chmod(READABLE)
      await this.#syncWithTime(handle, time)
    } finally {
      await handle.close()
    }
    return { temp }
  }

  /** Gives the file at `path` this time again, durably, when it has another one. Whole seconds count. */
  async restoreTime(path: string, time: Date): Promise<void> {
    const handle = await open(this.at(path), 'r')
    try {
      const { mtime } = await handle.stat()
      if (!isSameSecond(mtime, time)) await this.#syncWithTime(handle, time)
    } finally {
      await handle.close()
    }
  }

  /**
   * Whether this machine's kernel has the times of files. Where servers have them, one that dies may lose the times of
   * what was written in the minute before.
   */
  keepsTimes(): Promise<boolean> {
    this.#keepsTimes ??= statfs(this.at(folders.tmp)).then(
      ({ type }) => keepsTimes(type),
      () => false,
    )
    return this.#keepsTimes
  }

  async #syncWithTime(handle: FileHandle, time: Date): Promise<void> {
    await syncWithTime(handle, time, await this.keepsTimes())
  }

  /** Runs `give`, which gives a file the name `path`, in a folder that is made when it is missing. */
  protected async inFolder(path: string, give: () => Promise<void>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.folders.make(dirname(path))
        return await give()
      } catch (error) {
        // The deletion of a neighbour (m/sub beside m) removed a folder that was still empty.
        if (errno(error) !== 'ENOENT' || attempt === FOLDER_ATTEMPTS) throw error
        this.folders.forget()
      }
    }
  }

  /** Writes `content` to the disk, under no name yet: {@link place} gives it one, {@link unstage} removes it. */
  async stage(content: Uint8Array | string, { time, secret, stamp }: WriteOptions = {}): Promise<Staged> {
    const temp = this.temps.take()
    try {
      const handle = await open(temp, 'wx', secret || stamp ? PRIVATE : READABLE)
      try {
        await handle.writeFile(content)
        if (stamp) await stampWith(handle, stamp)
        await (time ? this.#syncWithTime(handle, time) : syncHandle(handle, 'file'))
      } finally {
        await handle.close()
      }
      return { temp }
    } catch (error) {
      await this.temps.drop(temp)
      throw error
    }
  }

  /** Puts a staged file at `path` in one step: a reader sees the old file or the new one, whole. */
  place(file: Staged, path: string): Promise<void> {
    return this.#give(file, () => rename(file.temp, this.at(path)))
  }

  /** {@link place} in a folder that is made when it is missing, durably. */
  placeMaking(file: Staged, path: string): Promise<void> {
    return this.#give(file, () => this.inFolder(path, () => rename(file.temp, this.at(path))))
  }

  /** Runs `give`, which gives a staged file its name. When it fails the file is removed. */
  async #give({ temp }: Staged, give: () => Promise<void>): Promise<void> {
    try {
      await give()
      this.temps.done(temp)
    } catch (error) {
      await this.temps.drop(temp)
      throw error
    }
  }

  /** Removes a staged file. */
  unstage({ temp }: Staged): Promise<void> {
    return this.temps.dropFile(temp)
  }

  /** {@link stage} and {@link place} in one. The caller syncs the folder. */
  async write(path: string, content: Uint8Array | string, options: WriteOptions = {}): Promise<void> {
    return this.place(await this.stage(content, options), path)
  }

  /** {@link stage} and {@link placeMaking} in one. The caller syncs the folder. */
  async writeMaking(path: string, content: Uint8Array | string, options: WriteOptions = {}): Promise<void> {
    return this.placeMaking(await this.stage(content, options), path)
  }

  /**
   * Adds whole lines to the end of a file that is read meanwhile, durably. A last line without its end, which a crash
   * left, is removed first.
   */
  async appendLines(path: string, text: string): Promise<void> {
    await this.folders.make(dirname(path))
    const last = await this.readTail(path, MAX_LINE_BYTES)
    const handle = await open(this.at(path), 'a', READABLE)
    try {
      const { size } = await handle.stat()
      const torn = last.length - (last.lastIndexOf(0x0a) + 1)
      if (torn > 0) await handle.truncate(size - torn)
      await handle.writeFile(text)
      await syncHandle(handle, 'file')
    } finally {
      await handle.close()
    }
    if (last.length === 0) await this.sync(dirname(path))
  }
}
