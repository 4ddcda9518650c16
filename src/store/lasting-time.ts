// The time of a new file, which must last: the mtime of an uploaded file is its time of publication.
//
// A file system of several machines may date bytes when its server gets them, and lose a time that was set before that.
// So there the time is set after the bytes are on the disk. Everywhere it is looked at after the sync. Where it is
// another one it is set again, with nothing left to be written.

import type { FileHandle } from 'node:fs/promises'
import { syncHandle } from './sync.js'

/** f_type of file systems that this machine alone writes to, so that its kernel has the times: linux/magic.h, ZFS. */
const OF_ONE_MACHINE: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // XFS
  0x9123683e, // btrfs
  0xf2f52010, // F2FS
  0xca451a4e, // bcachefs
  0x2fc12fc1, // ZFS
  0x01021994, // tmpfs
  0x794c7630, // overlayfs
])

/** Whether a file system of this `f_type` (statfs(2)) keeps a time that is set before a sync. */
export const keepsTimes = (type: number): boolean => OF_ONE_MACHINE.has(type)

/** How often a time is set, before the file system is said not to keep it. */
const ATTEMPTS = 5

/** Whether two times of a file are the same one: whole seconds count. */
export const isSameSecond = (a: Date, b: Date): boolean =>
  Math.floor(a.getTime() / 1000) === Math.floor(b.getTime() / 1000)

/**
 * Brings a file to the disk with the mtime `time`, of which whole seconds count. `isKept`: what {@link keepsTimes} says
 * of its file system. Rejects when the file has another time again and again.
 */
export async function syncWithTime(handle: FileHandle, time: Date, isKept: boolean): Promise<void> {
  if (!isKept) await syncHandle(handle, 'file')
  for (let attempt = 1; ; attempt++) {
    await handle.utimes(time, time)
    await syncHandle(handle, 'file')
    const { mtime } = await handle.stat()
    if (isSameSecond(mtime, time)) return
    if (attempt === ATTEMPTS)
      throw new Error(
        `the file system does not keep the time of a file: ${time.toISOString()} was set ${ATTEMPTS} times, ` +
          `and ${mtime.toISOString()} is what it has`,
      )
  }
}
