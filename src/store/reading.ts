// Reads below the data folder. Paths are those of layout.ts. A missing file is not an error.

import type { Stats } from 'node:fs'
import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { errno } from '../errors.js'

async function unlessAbsent<T>(action: Promise<T>): Promise<T | undefined> {
  try {
    return await action
  } catch (error) {
    if (errno(error) === 'ENOENT' || errno(error) === 'ENOTDIR') return undefined
    throw error
  }
}

/** `at` makes a path absolute. */
export function openReads(at: (path: string) => string) {
  const status = (path: string) => unlessAbsent(lstat(at(path)))

  const exists = async (path: string): Promise<boolean> => (await status(path)) !== undefined

  /** The file's bytes, `undefined` when there is none. */
  const read = (path: string): Promise<Buffer | undefined> => unlessAbsent(readFile(at(path)))

  /** The names in a folder, none when there is no such folder. */
  const names = async (folder: string): Promise<string[]> => (await unlessAbsent(readdir(at(folder)))) ?? []

  /** The text of a symbolic link, `undefined` for what is none. */
  async function linkText(path: string): Promise<string | undefined> {
    return (await status(path))?.isSymbolicLink() ? unlessAbsent(readlink(at(path))) : undefined
  }

  return { status, exists, read, names, linkText }
}

/** Identifies a file version by inode, size and times. A write changes the times, a replacement the inode. */
export const signatureOf = ({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string =>
  [dev, ino, size, mtimeMs, ctimeMs].join(' ')
