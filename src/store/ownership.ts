// Owner and mode of files, so that commands run by root leave files that a service of another user can use.

import { chown, stat, type FileHandle } from 'node:fs/promises'

/** Who may read a file: its user and group (which only root may choose), and its mode. */
export type Stamp = { uid: number; gid: number; mode: number }

/** Gives an open file its user, group and mode. */
export async function stampWith(handle: FileHandle, { uid, gid, mode }: Stamp): Promise<void> {
  const now = await handle.stat()
  if (now.uid !== uid || now.gid !== gid) await handle.chown(uid, gid)
  await handle.chmod(mode)
}

/** Gives a new folder the user and group of the folder around it. Only root can, and only root has to. */
export async function giveToOwnerOf(around: string, folder: string): Promise<void> {
  if (process.getuid?.() !== 0) return
  const { uid, gid } = await stat(around)
  if (uid !== 0 || gid !== 0) await chown(folder, uid, gid)
}
