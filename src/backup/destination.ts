// The folder of backups. A backup has the name of the moment when it began, and the link `latest` leads to the newest
// whole one. One that is being made has another name until all of it is on the disk, and so has one that is removed.

import { closeSync, openSync } from 'node:fs'
import { mkdir, readdir, readlink, realpath, rename, rm, symlink } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { errno, ignoring, StartProblem } from '../errors.js'
import { flock } from '../store/flock.js'
import { look } from './compare.js'
import { syncNames } from './copy-file.js'
import { readNote } from './note.js'
import type { Earlier } from './earlier.js'

const NAME = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ$/
const UNFINISHED = '.unfinished'
const REMOVED = '.removed-'
const LATEST = 'latest'

// Date.parse('2026-11-29T05:00:00.123Z') → 2026-11-29T05-00-00Z
const nameOf = (ms: number): string =>
  new Date(ms)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(':', '-')

const isInside = (folder: string, other: string): boolean =>
  folder === other || folder.startsWith(other.endsWith(sep) ? other : `${other}${sep}`)

/** Where the folder is or would be, without links. */
async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    if (errno(error) !== 'ENOENT' || dirname(path) === path) throw error
    return join(await realPath(dirname(path)), path.slice(dirname(path).length))
  }
}

/** Throws when one of two folders (absolute, there or not) is inside of the other. `what` names the first one. */
export async function mustBeApart(what: string, folder: string, data: string): Promise<void> {
  const [a, b] = [await realPath(folder), await realPath(data)]
  if (isInside(a, b)) throw new StartProblem(`${what} ${folder} is inside of ${data}: choose another place`)
  if (isInside(b, a)) throw new StartProblem(`${data} is inside of ${what} ${folder}: choose another place`)
}

export class Destination {
  /** Absolute, without links. */
  readonly folder: string
  /** The open lock file. */
  readonly #lock: number

  private constructor(folder: string, lock: number) {
    this.folder = folder
    this.#lock = lock
  }

  /**
   * Makes the folder `path` (absolute) if it is missing, locks it, and removes what an earlier run had begun to remove.
   * Throws a {@link StartProblem} when it cannot be used for backups of `data`.
   */
  static async open(path: string, data: string): Promise<Destination> {
    await mustBeApart('the folder of backups', path, data)
    await ignoring(['EEXIST'], () => mkdir(path, { mode: 0o700 }))
    if (!(await look(await realpath(path)))?.isDirectory()) throw new StartProblem(`${path} is not a folder`)
    const folder = await realpath(path)
    const lock = openSync(join(folder, '.lock'), 'a', 0o600)
    try {
      if ((await flock(lock, 'try')) === 'held')
        throw new StartProblem(`another plinth makes a backup in ${path}: let it end`)
      const destination = new Destination(folder, lock)
      for (const name of await readdir(folder))
        if (name.startsWith(REMOVED)) await rm(join(folder, name), { recursive: true })
      return destination
    } catch (error) {
      closeSync(lock)
      throw error
    }
  }

  /** Lets others use the folder. */
  close(): void {
    closeSync(this.#lock)
  }

  /** Where a backup is made. */
  get unfinished(): string {
    return join(this.folder, UNFINISHED)
  }

  /** The names of the backups, the oldest first. */
  async names(): Promise<string[]> {
    return (await readdir(this.folder)).filter((name) => NAME.test(name)).sort()
  }

  /** The newest whole backup that says when it began. */
  async latest(): Promise<Earlier | undefined> {
    const linked = await readlink(join(this.folder, LATEST)).catch(() => undefined)
    const names = await this.names()
    for (const name of [
      ...(linked !== undefined && names.includes(linked) ? [linked] : []),
      ...names.toReversed(),
    ]) {
      const folder = join(this.folder, name)
      const note = await readNote(folder)
      if (note)
        return { folder, begunMs: Date.parse(note.begun), files: note.files, damaged: new Set(note.damaged) }
    }
    return undefined
  }

  /** Gives the unfinished backup its name, durably: all of it must be on the disk. Returns the name. */
  async finish(begunMs: number): Promise<string> {
    const names = await this.names()
    let ms = begunMs
    while (names.includes(nameOf(ms))) ms += 1000 // a clock was set back
    const name = nameOf(ms)
    await rename(this.unfinished, join(this.folder, name))
    const link = join(this.folder, '.latest-new')
    await rm(link, { force: true })
    await symlink(name, link)
    await rename(link, join(this.folder, LATEST))
    await syncNames(this.folder)
    return name
  }

  /** Removes what is unfinished. */
  async giveUp(): Promise<void> {
    await rm(this.unfinished, { recursive: true, force: true })
  }

  /** Removes the oldest backups but `keep`, never the one called `newest`. Returns the names. */
  async prune(keep: number, newest: string): Promise<string[]> {
    const others = (await this.names()).filter((name) => name !== newest)
    const old = others.slice(0, Math.max(others.length - (keep - 1), 0))
    for (const name of old) {
      const removed = join(this.folder, `${REMOVED}${name}`)
      await rename(join(this.folder, name), removed) // half of a backup never has a name
      await syncNames(this.folder)
      await rm(removed, { recursive: true })
    }
    return old
  }
}
