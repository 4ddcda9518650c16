// A folder that is held open, for folders that others may write to. Whoever may write to the folder around it can
// exchange it for a link at any moment, and a path would then lead to any place of the machine. What is done through an
// opened folder is done in this very folder: the system looks its names up in the descriptor (/proc/self/fd/N/name).
//
// A folder that is moved or covered by a mount while it is open stays the folder that it was. Whoever moves it may
// write to it, and so could have done there by himself what is done there now.

import { constants, type Stats } from 'node:fs'
import { mkdir, open, readlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { errno, ignoring, quote } from '../errors.js'

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
/** Where Linux shows the descriptors of a process. */
const DESCRIPTORS = '/proc/self/fd'
const WRITABLE_BY_OTHERS = 0o022

/** A file or folder was written to, replaced, moved or removed while it was used. */
export class Changed extends Error {
  override readonly name = 'Changed'
}

/** The machine cannot hold a folder that others may exchange, and this is one. */
export class Exchangeable extends Error {
  override readonly name = 'Exchangeable'
}

export class OpenedFolder {
  /** Keeps the folder open. */
  readonly #handle: FileHandle
  /** Where descriptors have names; `undefined` on a machine without /proc, where the folder's path is used. */
  readonly #descriptors: string | undefined
  /** Where the folder was when it was opened, absolute. */
  readonly path: string

  private constructor(handle: FileHandle, path: string, descriptors: string | undefined) {
    this.#handle = handle
    this.path = path
    this.#descriptors = descriptors
  }

  /**
   * Opens the folder at `path`, absolute and without links. Throws {@link Changed} when it is not there, and on a
   * machine without /proc {@link Exchangeable} when another user may have changed what is in it.
   */
  static async open(path: string, descriptors = DESCRIPTORS): Promise<OpenedFolder> {
    const handle = await openFolder(path, path)
    return closedUnless(handle, async () => {
      const where = await whereIs(handle, descriptors)
      if (where === undefined) await mustBeOurs(handle, path)
      else if (where !== path) throw elsewhere(path)
      return new OpenedFolder(handle, path, where === undefined ? undefined : descriptors)
    })
  }

  /** Opens the folder `name` in this one. Throws as {@link OpenedFolder.open} does. */
  async child(name: string): Promise<OpenedFolder> {
    const path = join(this.path, name)
    const handle = await openFolder(this.at(name), path)
    return closedUnless(handle, async () => {
      if (this.#descriptors === undefined) await mustBeOurs(handle, path)
      return new OpenedFolder(handle, path, this.#descriptors)
    })
  }

  /** {@link child} for a folder that need not be there yet. */
  async ensureChild(name: string): Promise<OpenedFolder> {
    await ignoring(['EEXIST'], () => mkdir(this.at(name)))
    return this.child(name)
  }

  /** Throws {@link Changed} when the folder, or one around it, has been moved since it was opened. */
  async mustBeInPlace(): Promise<void> {
    if (this.#descriptors === undefined) return
    if ((await whereIs(this.#handle, this.#descriptors)) !== this.path) throw elsewhere(this.path)
  }

  /** fstat(2) of the folder. */
  status(): Promise<Stats> {
    return this.#handle.stat()
  }

  /** A path of the thing called `name` in this folder, or of the folder itself; good until the folder is closed. */
  at(name?: string): string {
    const { fd } = this.#handle
    if (fd < 0) throw new Error(`the folder ${quote(this.path)} is closed`) // the number may be another file's by now
    const folder = this.#descriptors === undefined ? this.path : `${this.#descriptors}/${fd}`
    if (name === undefined) return folder
    if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name))
      throw new Error(`${quote(name)} is not the name of one file`)
    return `${folder}/${name}`
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

const elsewhere = (path: string): Changed =>
  new Changed(`${quote(path)} is not there any more: a folder in its path is a link, or was moved`)

async function openFolder(path: string, shown: string): Promise<FileHandle> {
  try {
    return await open(path, FOLDER)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errno(error) ?? '')) throw elsewhere(shown)
    throw error
  }
}

async function closedUnless<T>(handle: FileHandle, make: () => Promise<T>): Promise<T> {
  try {
    return await make()
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** Where an open folder is; `undefined` on a machine that does not tell. */
async function whereIs({ fd }: FileHandle, descriptors: string): Promise<string | undefined> {
  try {
    return await readlink(`${descriptors}/${fd}`)
  } catch (error) {
    if (errno(error) === 'ENOENT' || errno(error) === 'ENOTDIR') return undefined
    throw error
  }
}

// In a folder of our own that nobody else may write to, nobody else can exchange anything.
async function mustBeOurs(handle: FileHandle, path: string): Promise<void> {
  const { uid, mode } = await handle.stat()
  if (uid === process.geteuid?.() && (mode & WRITABLE_BY_OTHERS) === 0) return
  throw new Exchangeable(
    `${quote(path)} belongs to another user, or others may write to it: ` +
      'without /proc such a folder is not used, since it could become a link at any moment',
  )
}
