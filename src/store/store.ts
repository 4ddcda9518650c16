// The only writer below the data folder. Every change is durable when its promise resolves only after the folders
// it touched were synced with `sync`: data first, then the name, then the folder.
//
// Paths are those of layout.ts, relative to the data folder.

import { link, mkdir, open, rename, symlink, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { openDropped } from './inbox-files.js'
import { errno, ignoring } from '../errors.js'
import { openFolders } from './folders.js'
import { folders, sumFolders } from '../layout.js'
import { openReads } from './reading.js'
import { stampWith, type Stamp } from './ownership.js'
import { openTemps } from './temps.js'
import { waitForAll } from './wait-for-all.js'

const READABLE = 0o644
const PRIVATE = 0o600
const CLAIM_ATTEMPTS = 20

/** A file whose bytes are on the disk, and which has no name in the tree yet. */
export type Staged = { temp: string }

export type Store = ReturnType<typeof openStore>

/** Opens the data folder `data` (absolute). Touches nothing before it is asked to. */
export function openStore(data: string) {
  const at = (path: string): string => join(data, path)
  const reads = openReads(at)
  const { status, names } = reads
  const temps = openTemps(at(folders.tmp))
  const { sync, syncAll, makeFolders, ensureFolder, prune, forget } = openFolders(at)

  /** Makes what is missing of the data folder. */
  async function prepare(): Promise<void> {
    for (const folder of [folders.tree, folders.public, folders.nginx])
      await mkdir(at(folder), { recursive: true })
    const secret = [
      folders.accounts,
      folders.owners,
      folders.readers,
      folders.tmp,
      folders.journal,
      folders.control,
    ]
    for (const folder of secret) await mkdir(at(folder), { recursive: true, mode: 0o700 })
    if ((await names(folders.sums)).length < sumFolders.length) {
      for (const folder of sumFolders) await mkdir(at(folder), { recursive: true, mode: 0o700 })
      for (const folder of [folders.sums, 'state', '.']) await sync(folder)
    }
  }

  /** Makes the file `from` (absolute) what readers will see under its name: readable, of this time, on the disk. */
  async function finish(from: string, time: Date): Promise<void> {
    const handle = await open(from, 'r+')
    try {
      await handle.chmod(READABLE)
      await handle.utimes(time, time)
      await handle.sync()
    } finally {
      await handle.close()
    }
  }

  /**
   * Gives the finished file `from` (absolute, on the same file system) the name `path`, once: `false` when the name
   * is taken. Of any number of racers, in any number of processes, link(2) lets exactly one win. The name is on the
   * disk when the folder has been synced.
   */
  async function claim(from: string, path: string): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      try {
        await makeFolders(dirname(path))
        await link(from, at(path))
        return true
      } catch (error) {
        if (errno(error) === 'EEXIST') return false
        // A neighbour (m/sub beside m) was removed, and took a folder with it that was empty until now.
        if (errno(error) !== 'ENOENT' || attempt === CLAIM_ATTEMPTS) throw error
        forget()
      }
    }
  }

  /** Writes `content` to the disk, under no name yet: `place` gives it one, `unstage` removes it. */
  async function stage(content: Uint8Array | string, options: WriteOptions = {}): Promise<Staged> {
    const temp = temps.take()
    try {
      const handle = await open(temp, 'wx', options.secret || options.stamp ? PRIVATE : READABLE)
      try {
        await handle.writeFile(content)
        if (options.time) await handle.utimes(options.time, options.time)
        if (options.stamp) await stampWith(handle, options.stamp)
        await handle.sync()
      } finally {
        await handle.close()
      }
      return { temp }
    } catch (error) {
      await temps.drop(temp)
      throw error
    }
  }

  /** Puts a staged file at `path` in one step: a reader sees the old file or the new one, whole. */
  async function place({ temp }: Staged, path: string): Promise<void> {
    try {
      await rename(temp, at(path))
      temps.done(temp)
    } catch (error) {
      await temps.drop(temp)
      throw error
    }
  }

  const unstage = ({ temp }: Staged): Promise<void> => temps.drop(temp)

  /** {@link stage} and {@link place} in one. */
  const write = async (
    path: string,
    content: Uint8Array | string,
    options: WriteOptions = {},
  ): Promise<void> => place(await stage(content, options), path)

  /**
   * Writes a new file that nobody reads before this resolves, under its name at once: the syncs of the file and of its
   * folder can run side by side, where a rename would come between them. A crash may leave it empty or in part.
   */
  async function record(path: string, content: string): Promise<void> {
    const handle = await open(at(path), 'wx', PRIVATE)
    try {
      const written = handle.writeFile(content).then(() => handle.sync())
      await waitForAll([written, sync(dirname(path))])
    } finally {
      await handle.close()
    }
  }

  /** Makes `path` another name of the file at `target`, in one step, whatever `path` was before. */
  async function linkOver(target: string, path: string): Promise<void> {
    // EEXIST is the one error after which there is more to do
    const isNew = await link(at(target), at(path)).then(
      () => true,
      (error: unknown) => {
        if (errno(error) === 'EEXIST') return false
        throw error
      },
    )
    if (isNew) return
    if (await sameFile(target, path)) return // rename(2) between two names of one file would do nothing
    await placeNew((temp) => link(at(target), temp), path)
  }

  /** Makes `path` a symbolic link with this text, in one step, whatever file `path` was before. */
  const symlinkOver = (text: string, path: string): Promise<void> =>
    placeNew((temp) => symlink(text, temp), path)

  async function placeNew(make: (temp: string) => Promise<void>, path: string): Promise<void> {
    const temp = temps.take()
    try {
      await make(temp)
    } catch (error) {
      temps.done(temp)
      throw error
    }
    await place({ temp }, path)
  }

  async function sameFile(a: string, b: string): Promise<boolean> {
    const [x, y] = await Promise.all([status(a), status(b)])
    return x !== undefined && y !== undefined && x.ino === y.ino && x.dev === y.dev
  }

  const remove = (path: string): Promise<boolean> => ignoring(['ENOENT'], () => unlink(at(path)))

  /** Takes a whole folder out of the tree in one step, then its files at leisure. `false` when it is not there. */
  async function removeFolder(folder: string): Promise<boolean> {
    const temp = temps.take()
    forget(folder)
    try {
      if (!(await ignoring(['ENOENT', 'ENOTDIR'], () => rename(at(folder), temp)))) return false
      await sync(dirname(folder))
      return true
    } finally {
      await temps.drop(temp)
    }
  }

  return {
    at,
    prepare,
    sweep: temps.sweep,
    newUpload: temps.newUpload,
    discard: temps.discard,
    sync,
    syncAll,
    finish,
    claim,
    stage,
    place,
    unstage,
    write,
    record,
    linkOver,
    symlinkOver,
    ensureFolder,
    remove,
    prune,
    removeFolder,
    ...reads,
    ...openDropped(at),
  }
}

/** `time` becomes the file's mtime; a `secret` is readable by its owner only, one with a `stamp` by whom that says. */
export type WriteOptions = { time?: Date; secret?: boolean; stamp?: Stamp }
