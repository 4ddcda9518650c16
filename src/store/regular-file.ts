// Opens regular files that somebody else has put there: never follows a link, never waits for the other end of a pipe,
// never touches a device.

import { constants, type Stats } from 'node:fs'
import { access, lstat, open, readlink, realpath, type FileHandle } from 'node:fs/promises'
import { errno, messageOf, Refusal } from '../errors.js'
import { Changed, type OpenedFolder } from './opened-folder.js'

/** The file could not be read. The data folder is not at fault. `cause` is the system's error. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable'
}

/** An open file, and what it was like when it was opened. Whoever has it closes it. */
export type RegularFile = { file: FileHandle; status: Stats }

export const unreadable = (error: unknown): Unreadable =>
  new Unreadable(`it cannot be read: ${errno(error) ?? messageOf(error)}`, { cause: error })

const notRegular = (): Refusal =>
  new Refusal(400, 'it is not a regular file: links, pipes, sockets and devices are not taken')

// `check` throws when the opened file is not to be read.
async function openChecked(
  path: string,
  check: (file: FileHandle, status: Stats) => Promise<void> | void,
): Promise<RegularFile> {
  let file: FileHandle | undefined
  try {
    if (!(await lstat(path)).isFile()) throw notRegular()
    // Another file may have got the name since lstat: the opened file is checked again below.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const status = await file.stat()
    if (!status.isFile()) throw notRegular()
    await check(file, status)
    return { file, status }
  } catch (error) {
    await file?.close()
    if (error instanceof Refusal || error instanceof Changed) throw error
    if (errno(error) === 'ENOENT' || errno(error) === 'ENOTDIR') throw new Changed('it is gone')
    if (errno(error) === 'ELOOP') throw notRegular()
    throw unreadable(error)
  }
}

/**
 * Opens the file at `path`, absolute and without links. Throws a {@link Refusal} for anything that is not a regular
 * file, {@link Changed} for a file that is gone or was moved, and {@link Unreadable} for one that cannot be opened.
 */
export const openRegular = (path: string): Promise<RegularFile> =>
  openChecked(path, async (file) => {
    const where = await readlink(`/proc/self/fd/${file.fd}`).catch(() => realpath(path))
    if (where !== path) throw new Changed('a folder in its path is a link, or it was moved')
  })

/**
 * Opens a file as {@link openRegular} does, and closes it after `use`. `use` gets a path that leads to this very file,
 * whatever has its name by then; on a machine without /proc it gets the file's own path.
 */
export async function withRegular<T>(
  path: string,
  use: (path: string, opened: RegularFile) => Promise<T>,
): Promise<T> {
  const opened = await openRegular(path)
  try {
    const held = `/proc/self/fd/${opened.file.fd}`
    return await use(
      await access(held).then(
        () => held,
        () => path,
      ),
      opened,
    )
  } finally {
    await opened.file.close()
  }
}

/**
 * Opens the file `name` in `folder`, which others may write to. Throws as {@link openRegular} does, and a
 * {@link Refusal} for a file with a second name: where fs.protected_hardlinks is off, anybody can give any file one.
 */
export const openRegularIn = (folder: OpenedFolder, name: string): Promise<RegularFile> =>
  openChecked(folder.at(name), (_, { nlink }) => {
    if (nlink > 1)
      throw new Refusal(400, 'it is a hard link, and links are not taken: copy the file or move it')
  })
