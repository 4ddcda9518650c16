// state/tmp: uploads on their way, and files about to be renamed into the tree. What is there and belongs to nobody
// is what an upload left that died: it goes at the start and, should a removal have failed, while the service runs.

import { randomUUID } from 'node:crypto'
import { lstat, mkdir, readdir, rm, rmdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { ignoring } from '../errors.js'

/** An upload on its way: a folder of its own, removed whole when it is done with, and the body's place in it. */
export type Upload = { folder: string; body: string }

/** `folder` is state/tmp, absolute. */
export function openTemps(folder: string) {
  const live = new Set<string>()

  /** The absolute path of a new temp file; it is nobody's once it was given to `done`. */
  function take(): string {
    const path = join(folder, randomUUID())
    live.add(path)
    return path
  }

  /** For a temp file that has got its name in the tree, or was never made. */
  const done = (path: string): boolean => live.delete(path)

  // A parser that was stopped may still be creating its file: try until the folder is empty.
  async function drop(path: string): Promise<void> {
    try {
      await rm(path, { recursive: true, force: true, maxRetries: 5 })
    } finally {
      done(path) // what could not be removed is left to the next sweep
    }
  }

  async function newUpload(): Promise<Upload> {
    const path = take()
    await mkdir(path, { mode: 0o700 })
    return { folder: path, body: join(path, 'body') }
  }

  async function discard({ folder: path, body }: Upload): Promise<void> {
    try {
      await ignoring(['ENOENT'], () => unlink(body))
      await rmdir(path)
      done(path)
    } catch {
      await drop(path) // there is more in it: parts of a form
    }
  }

  /**
   * Removes what nobody works on, as far as it is `olderThan` ms old: a command beside the service may have just made
   * a file here. Only for the one service that runs on the folder.
   */
  async function sweep(olderThan = 0): Promise<void> {
    for (const name of await readdir(folder)) {
      const path = join(folder, name)
      if (live.has(path) || (olderThan > 0 && !(await isOlder(path, olderThan)))) continue
      await rm(path, { recursive: true, force: true })
    }
  }

  const isOlder = async (path: string, ms: number): Promise<boolean> => {
    const { mtimeMs } = await lstat(path).catch(() => ({ mtimeMs: Infinity })) // gone meanwhile
    return mtimeMs < Date.now() - ms
  }

  return { take, done, drop, newUpload, discard, sweep }
}
