// How files come into sight in the inbox and how they leave it. Others may write to its folders, so everything is done
// through an opened folder. Nothing here is durable: what a crash brings back is looked at again.

import { randomUUID } from 'node:crypto'
import { linkSync, lstatSync, renameSync, rmdirSync, unlinkSync, type Stats } from 'node:fs'
import { lstat, mkdir, rename, unlink, writeFile } from 'node:fs/promises'
import { errno, ignoring } from '../errors.js'
import { OpenedFolder } from './opened-folder.js'
import { signatureOf } from './reading.js'
import type { Store } from './store.js'

/** Opens the inbox itself. */
export type OpenRoot = () => Promise<OpenedFolder>

/** A name in an opened folder. */
type Entry = { folder: OpenedFolder; name: string }

/** Names that are tried for a file whose own name is taken. */
const MAX_NAMES = 1000

/** mkdir -p of the inbox itself, whose place is a folder of the service's user. */
export async function makeInbox(store: Store, folder: string): Promise<void> {
  await mkdir(store.at(folder), { recursive: true })
}

/**
 * Runs `use` in the folder `path` below the inbox (`.` for the inbox), and closes the folder. `make`: folders that are
 * missing are made. At most two folders of the path are open at a time.
 */
export async function inFolder<T>(
  openRoot: OpenRoot,
  path: string,
  use: (folder: OpenedFolder) => Promise<T>,
  { make = false } = {},
): Promise<T> {
  let folder = await openRoot()
  try {
    for (const name of path === '.' ? [] : path.split('/')) {
      const next = make ? await folder.ensureChild(name) : await folder.child(name)
      const around = folder
      folder = next
      await around.close()
    }
    await folder.mustBeInPlace() // a folder of the path may have been moved on the way down
    return await use(folder)
  } finally {
    await folder.close()
  }
}

/** Whether anything has the name. */
export const isTaken = ({ folder, name }: Entry): Promise<boolean> =>
  ignoring(['ENOENT'], () => lstat(folder.at(name)))

/** Writes a file with a new name: nobody sees it before it is whole. */
export async function writeBeside({ folder, name }: Entry, text: string): Promise<void> {
  const temp = `.${randomUUID()}`
  try {
    await writeFile(folder.at(temp), text, { flag: 'wx', mode: 0o644 })
    await rename(folder.at(temp), folder.at(name))
  } catch (error) {
    await ignoring(['ENOENT'], () => unlink(folder.at(temp))).catch(() => {}) // the first error is the one to report
    throw error
  }
}

/** Moves a file or folder to a free name. */
export const moveAside = (from: Entry, to: Entry): Promise<void> =>
  rename(from.folder.at(from.name), to.folder.at(to.name))

/**
 * Removes a file if it still has this {@link signatureOf}. What is removed is what was looked at: the file is moved
 * over the file `over` (absolute), where nobody but us can reach it, and goes with that one when it is the right one.
 * Another file that has got its name meanwhile is put back.
 */
export function removeUnchanged(entry: Entry, signature: string, over: string): boolean {
  const { folder, name } = entry
  const seen = lstatSync(folder.at(name), { throwIfNoEntry: false })
  if (!seen || signatureOf(seen) !== signature) return false
  try {
    renameSync(folder.at(name), over) // a folder cannot be moved over a file
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errno(error) ?? '')) return false
    if (errno(error) !== 'EXDEV') throw error
    unlinkSync(folder.at(name)) // a mount in the inbox: nothing moves out of it, and the look was a moment ago
    return true
  }
  if (isSame(lstatSync(over), seen)) return true
  putBack(over, entry)
  return false
}

// A rename gives a file another ctime.
const isSame = (a: Stats, b: Stats): boolean =>
  a.dev === b.dev && a.ino === b.ino && a.size === b.size && a.mtimeMs === b.mtimeMs

// Gives a file its name again, or one with a number when that is taken. Takes the name of no other file.
function putBack(path: string, { folder, name }: Entry): void {
  for (let n = 1; n <= MAX_NAMES; n++) {
    const to = folder.at(n === 1 ? name : `${name}.${n}`)
    try {
      linkSync(path, to)
      return unlinkSync(path)
    } catch (error) {
      if (errno(error) === 'EEXIST') continue
      // fs.protected_hardlinks: a service that is not root cannot link the file of another user, but move it.
      if (errno(error) !== 'EPERM' || lstatSync(to, { throwIfNoEntry: false })) throw error
      return renameSync(path, to)
    }
  }
  throw new Error('a file that came in the place of another has no free name to go back to')
}

/** Removes a folder if it is empty and still has this {@link signatureOf}. */
export function removeEmptyFolder({ folder, name }: Entry, signature: string): boolean {
  const seen = lstatSync(folder.at(name), { throwIfNoEntry: false })
  if (!seen || signatureOf(seen) !== signature) return false
  try {
    rmdirSync(folder.at(name))
    return true
  } catch (error) {
    if (['ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(errno(error) ?? '')) return false
    throw error
  }
}
