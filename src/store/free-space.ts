// The free space of the data folder's file system. Uploads may use what is above a floor. Each sets aside what it
// needs.

import { statfs } from 'node:fs/promises'
import { Refusal } from '../errors.js'

/** Bytes set aside for one upload. `wrote` takes bytes off that are on the disk. `end` gives back what is left. */
export type Reservation = { wrote: (bytes: number) => void; end: () => void }

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
  /** Bytes that are set aside for uploads and not yet written. */
  #reserved = 0

  constructor(folder: string, floor: number) {
    this.#folder = folder
    this.#floor = floor
  }

  /** Throws a 507 when `bytes` more, beside what is set aside, would go below the floor. */
  async mustFit(bytes: number): Promise<void> {
    const { bavail, bsize, files, ffree } = await statfs(this.#folder)
    const outOfInodes = files > 0 && ffree === 0
    if (outOfInodes || bavail * bsize - this.#reserved - bytes < this.#floor) throw noSpace()
  }

  /** Sets `bytes` aside; 0 when the size is not known. Throws a 507 when they do not fit. */
  async reserve(bytes: number): Promise<Reservation> {
    await this.mustFit(bytes)
    let left = bytes
    this.#reserved += left
    const giveBack = (most: number): void => {
      const given = Math.min(most, left)
      left -= given
      this.#reserved -= given
    }
    return { wrote: giveBack, end: () => giveBack(left) }
  }
}
