// The free space of the data folder's file system. Uploads may use what is above a floor. Each is promised some of what
// it will need next, and no more: an upload that says it is large and does not come would keep the others out.

import { statfs } from 'node:fs/promises'
import { Refusal } from '../errors.js'
import { shareOf } from '../shares/share.js'
import { Tally } from '../shares/tally.js'

/** Bytes that are promised to one upload ahead of what it has written. */
const WINDOW_BYTES = 128 * 2 ** 20

/** What statfs(2) tells: blocks and inodes, all and those that are free, of `bsize` bytes a block. */
type DiskStatus = { blocks: number; bavail: number; bsize: number; files: number; ffree: number }

/** Bytes: of the file system, free, kept free, and promised to uploads. Inodes where they are counted. */
type DiskFigures = {
  size: number
  free: number
  floor: number
  promised: number
  inodes?: number
  inodesFree?: number
}

/** Room that is promised to one upload. */
export type Reservation = {
  /** Promises what comes next. Throws a 507 when it does not fit, or the disk is below the floor. */
  extend: () => Promise<void>
  /** Takes bytes off the promise that are on the disk. */
  wrote: (bytes: number) => void
  /** Gives back what is left of the promise. */
  end: () => void
}

const noSpace = (): Refusal =>
  new Refusal(
    507,
    'there is no room left on the server: nothing was stored; delete something, or ask its operator',
  )

/** Keeps uploads from filling the disk. */
export class FreeSpace {
  /** A folder of the file system that is measured, absolute. */
  readonly #folder: string
  /** Bytes that uploads leave free, for deletes and for other programs. */
  readonly #floor: number
  /** Asks the file system. */
  readonly #measure: (folder: string) => Promise<DiskStatus>
  /** Bytes that are promised to uploads and not yet written. */
  readonly #promised = new Tally()

  constructor(folder: string, floor: number, measure: (folder: string) => Promise<DiskStatus> = statfs) {
    this.#folder = folder
    this.#floor = floor
    this.#measure = measure
  }

  /**
   * Promises room to an upload of `bytes`, 0 when the size is not known. Throws a 507 when all of them do not fit now:
   * such a body need not come. Then up to WINDOW_BYTES are promised at a time.
   *
   * All uploads of an `account` are promised up to its {@link shareOf} the room. One that is promised less, or nothing,
   * goes on all the same, and gets its 507 when the disk is full. What no account sends has no share.
   */
  async reserve(bytes: number, account?: string): Promise<Reservation> {
    // Nothing is awaited between the look at the room and the promise: two uploads must not be promised the same room.
    const whole = this.#room(await this.#status())
    if (whole < bytes) throw noSpace()
    const mine = { coming: bytes, ahead: 0 }
    const promise = (ahead: number): void => {
      this.#promised.add(account, ahead - mine.ahead)
      mine.ahead = ahead
    }
    const extend = (room: number): void => {
      const more = Math.min(WINDOW_BYTES, mine.coming) - mine.ahead
      if (room < Math.max(0, more)) throw noSpace()
      if (more > 0) promise(mine.ahead + Math.min(more, this.#leftFor(account, room)))
    }
    extend(whole)
    return {
      extend: async () => extend(this.#room(await this.#status())),
      wrote(written) {
        mine.coming -= Math.min(written, mine.coming)
        promise(Math.max(0, mine.ahead - written))
      },
      end() {
        mine.coming = 0 // an extension may still be under way
        promise(0)
      },
    }
  }

  /** What there is now, in bytes, and in inodes where the file system counts them. */
  async figures(): Promise<DiskFigures> {
    const { blocks, bavail, bsize, files, ffree } = await this.#status()
    return {
      size: blocks * bsize,
      free: bavail * bsize,
      floor: this.#floor,
      promised: this.#promised.all,
      ...(files > 0 && { inodes: files, inodesFree: ffree }),
    }
  }

  #status(): Promise<DiskStatus> {
    return this.#measure(this.#folder)
  }

  /** Bytes above the floor that are promised to nobody; negative when the disk is below the floor. */
  #room({ bavail, bsize, files, ffree }: DiskStatus): number {
    if (files > 0 && ffree === 0) throw noSpace()
    return bavail * bsize - this.#floor - this.#promised.all
  }

  /** Bytes of `room` that may yet be promised to the account. */
  #leftFor(account: string | undefined, room: number): number {
    if (account === undefined) return room
    const mine = this.#promised.of(account)
    return Math.max(0, shareOf(room + mine, 0) - mine)
  }
}
