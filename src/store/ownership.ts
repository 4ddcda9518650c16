// Whose files are, and who may read them: what root does by a command must serve a service that is not root.

import { chown, stat, type FileHandle } from 'node:fs/promises'

/** Who may read a file: its user and group (which only root may choose), and its mode. */
export type Stamp = { uid: number; gid: number; mode: number }

export async function stampWith(handle: FileHandle, { uid, gid, mode }: Stamp): Promise<void> {
  const now = await handle.stat()
  if (now.uid !== uid || now.gid !== gid) await handle.chown(uid, gid)
  await handle.chmod(mode)
}

/** Gives a new folder to whom the one around it belongs to. Only root can, and only root has to. */
export async function giveToOwnerOf(around: string, folder: string): Promise<void> {
  if (process.getuid?.() !== 0) return
  const { uid, gid } = await stat(around)
  if (uid !== 0 || gid !== 0) await chown(folder, uid, gid)
}
