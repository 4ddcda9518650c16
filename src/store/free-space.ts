// The room on the data folder's file system: what is kept free, and what uploads under way are going to need.

import { statfs } from 'node:fs/promises'
import { Refusal } from '../errors.js'

/** An upload's claim to room: `wrote` as bytes are on the disk, `end` when it is over, however that went. */
export type Reservation = { wrote: (bytes: number) => void; end: () => void }

export type Room = ReturnType<typeof makeRoom>

const noRoom = (): Refusal =>
  new Refusal(
    507,
    'there is no room left on the server: nothing was stored; delete something, or ask its operator',
  )

/** `folder` is absolute; `floor` is what uploads leave free for deletes and for everybody else, in bytes. */
export function makeRoom(folder: string, floor: number) {
  let promised = 0

  /** Throws a 507 when `bytes` more, beside what others were promised, would go below the floor. */
  async function mustFit(bytes: number): Promise<void> {
    const { bavail, bsize, files, ffree } = await statfs(folder)
    const outOfInodes = files > 0 && ffree === 0
    if (outOfInodes || bavail * bsize - promised - bytes < floor) throw noRoom()
  }

  /** Sets `bytes` aside; 0 when the size is not known. Throws a 507 when they do not fit. */
  async function reserve(bytes: number): Promise<Reservation> {
    await mustFit(bytes)
    let left = bytes
    promised += left
    const give = (back: number): void => {
      const given = Math.min(back, left)
      left -= given
      promised -= given
    }
    return { wrote: give, end: () => give(left) }
  }

  return { reserve, mustFit }
}
