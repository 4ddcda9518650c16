// User, group and mode of files.

import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { ignoring } from '../errors.js'

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants

/** Who may read a file: its user and group (which only root may choose), and its mode. */
export type Stamp = { uid: number; gid: number; mode: number }

/**
 * Gives an open file its user, group and mode. A group that we are not in is not given: then the file keeps ours, and
 * who should read it through the other one cannot.
 */
export async function stampWith(handle: FileHandle, { uid, gid, mode }: Stamp): Promise<void> {
  const now = await handle.stat()
  if (now.uid !== uid) await handle.chown(uid, gid)
  else if (now.gid !== gid) await ignoring(['EPERM'], () => handle.chown(uid, gid))
  await handle.chmod(mode)
}

/** Who may enter a folder: everybody, or its user and the group of a stamp. */
export type Admitted = Stamp | 'everybody'

type Access = Pick<Stamp, 'gid' | 'mode'>

/** Whether this process may give its files to a group: root may give them to any, others to those that they are in. */
export const mayGiveTo = (gid: number): boolean =>
  process.getuid?.() === 0 || process.getgid?.() === gid || (process.getgroups?.().includes(gid) ?? false)

// A group that is not the right one, and that the folder cannot be taken from, is not let in.
function accessFor(admitted: Admitted, { gid, mode }: Access): Access {
  if (admitted === 'everybody') return { gid, mode: mode | 0o055 }
  const isRight = gid === admitted.gid || mayGiveTo(admitted.gid)
  const special = mode & 0o7000
  return isRight
    ? { gid: admitted.gid, mode: special | (admitted.mode & 0o750) }
    : { gid, mode: special | 0o700 }
}

/** Whether exactly those who should can enter the folder with this status. */
export function admits({ gid, mode }: Access, admitted: Admitted): boolean {
  const right = accessFor(admitted, { gid, mode: mode & 0o7777 })
  return right.gid === gid && right.mode === (mode & 0o7777)
}

/** Makes a folder one that {@link admits}. Follows no link. */
export async function admit(folder: string, admitted: Admitted): Promise<void> {
  const handle = await open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  try {
    const { uid, gid, mode } = await handle.stat()
    const right = accessFor(admitted, { gid, mode: mode & 0o7777 })
    // The group goes first: nobody who should come in is shut out in between.
    if (right.gid !== gid) await handle.chown(uid, right.gid)
    await handle.chmod(right.mode)
  } finally {
    await handle.close()
  }
}
