// The folder state/tmp: bodies of uploads, and files that are about to be renamed into the tree. A file there that
// nobody works on was left by an upload that died. The sweep removes such files, at the start and during the run.

import { randomUUID } from 'node:crypto'
import { lstat, mkdir, readdir, rm, rmdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { ignoring } from '../errors.js'

/** The folder of one upload, and the path of the body in it; both absolute. The folder is removed whole. */
export type UploadFolder = { folder: string; body: string }

/** How the folders begin in which a file system is probed, and how long that takes at most. */
export const PROBE = 'probe-'
const PROBE_MS = 60_000

export class Temps {
  /** state/tmp, absolute. */
  readonly #folder: string
  /** Where new files are made: `#folder`, or a folder in it. */
  readonly #own: string
  /** Paths that this process works on. The sweep leaves them alone. */
  readonly #live = new Set<string>()

  /**
   * With `isOwn` files are made in a folder in `folder` that no other process enters: {@link begin} makes it. A client
   * of a network file system knows what is in such a folder. Of one that was entered from another machine, too, it asks
   * the server at each step of each path, and waits until what was changed there is on the server's disk.
   */
  constructor(folder: string, isOwn = false) {
    this.#folder = folder
    this.#own = isOwn ? join(folder, randomUUID()) : folder
  }

  /** Makes what {@link take} needs. */
  async begin(): Promise<void> {
    if (this.#own === this.#folder) return
    this.#live.add(this.#own)
    await mkdir(this.#own, { recursive: true, mode: 0o700 })
  }

  /** Removes what {@link begin} made, unless there is something in it: that is left to the next sweep. */
  async end(): Promise<void> {
    if (this.#own !== this.#folder) await ignoring(['ENOENT', 'ENOTEMPTY', 'EEXIST'], () => rmdir(this.#own))
  }

  /** The absolute path of a new temp file. The caller ends it with {@link done} or {@link drop}. */
  take(): string {
    const path = join(this.#own, randomUUID())
    this.#live.add(path)
    return path
  }

  /** Forgets a temp file that has got its name in the tree, or was never made. */
  done(path: string): void {
    this.#live.delete(path)
  }

  /** Removes a temp file or folder. What cannot be removed is left to the next sweep. */
  async drop(path: string): Promise<void> {
    try {
      // A parser that was stopped may still create a file in it: rm tries again until the folder is empty.
      await rm(path, { recursive: true, force: true, maxRetries: 5 })
    } finally {
      this.done(path)
    }
  }

  /** {@link drop} of a file, with one system call less. */
  async dropFile(path: string): Promise<void> {
    try {
      await ignoring(['ENOENT'], () => unlink(path))
    } finally {
      this.done(path)
    }
  }

  async newUpload(): Promise<UploadFolder> {
    const folder = this.take()
    try {
      await mkdir(folder, { mode: 0o700 })
    } catch (error) {
      this.done(folder) // it was not made: nobody will discard it
      throw error
    }
    return { folder, body: join(folder, 'body') }
  }

  /** Removes an upload's folder with everything in it. */
  async discard({ folder, body }: UploadFolder): Promise<void> {
    try {
      await ignoring(['ENOENT'], () => unlink(body))
      await rmdir(folder)
      this.done(folder)
    } catch {
      // There is more in it: the go.mod of a zip that was not published. What stays is left to the sweep: the upload
      // may have succeeded.
      await this.drop(folder).catch(() => {})
    }
  }

  /**
   * Removes everything that nobody works on and that is more than `olderThan` ms old. The age protects a file that a
   * command beside the service has just made. Only the one service that runs on the folder may call it.
   */
  async sweep(olderThan = 0): Promise<void> {
    for (const folder of new Set([this.#folder, this.#own])) await this.#sweepFolder(folder, olderThan)
  }

  async #sweepFolder(folder: string, olderThan: number): Promise<void> {
    for (const name of await readdir(folder)) {
      const path = join(folder, name)
      // A machine that stands by probes the file system beside the service.
      const least = name.startsWith(PROBE) ? Math.max(olderThan, PROBE_MS) : olderThan
      if (this.#live.has(path) || (least > 0 && !(await isOlder(path, least)))) continue
      await rm(path, { recursive: true, force: true })
    }
  }
}

async function isOlder(path: string, ms: number): Promise<boolean> {
  const { mtimeMs } = await lstat(path).catch(() => ({ mtimeMs: Infinity })) // it was removed meanwhile
  return mtimeMs < Date.now() - ms
}
