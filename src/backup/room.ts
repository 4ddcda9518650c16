// The room on the file system of a backup.

import { stat, statfs } from 'node:fs/promises'
import { errno, StartProblem } from '../errors.js'

/** Copies of this size and more are looked at one by one before they are made. */
const LARGE_BYTES = 2 ** 20
/** So many small copies are made between two looks. */
const SMALL_COPIES = 256

/** There is no room for a backup. Nothing that was there is touched. */
export class NoRoom extends StartProblem {}

const noRoom = (folder: string): NoRoom =>
  new NoRoom(
    `there is no room left in ${folder}: whole backups there are untouched; make room, and run it again`,
  )

/** Runs `action`; a full disk becomes a sentence about `folder`. */
export async function sayingNoRoom<T>(folder: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    throw ['ENOSPC', 'EDQUOT'].includes(errno(error) ?? '') ? noRoom(folder) : error
  }
}

export class Room {
  /** The folder of the copies, absolute. */
  readonly #folder: string
  /** Bytes that stay free. */
  readonly #least: number
  #copies = 0

  private constructor(folder: string, least: number) {
    this.#folder = folder
    this.#least = least
  }

  /** Where the copies are on the file system of `data`, they leave `minFreeBytes` for uploads. */
  static async of(folder: string, data: string, minFreeBytes: number): Promise<Room> {
    const [theirs, ours] = await Promise.all([stat(folder), stat(data)])
    return new Room(folder, theirs.dev === ours.dev ? minFreeBytes : 0)
  }

  /** Throws when a copy of so many bytes would leave too little. */
  async mustHave(bytes: number): Promise<void> {
    if (bytes < LARGE_BYTES && this.#copies++ % SMALL_COPIES !== 0) return
    const { bavail, bsize } = await statfs(this.#folder)
    if (bavail * bsize - bytes < this.#least) throw noRoom(this.#folder)
  }
}
