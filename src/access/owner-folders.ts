// Which users of the machine may enter an owner's folder in the tree. Everybody enters a public owner's; every other
// folder admits the service's user and the group of nginx's workers.

import { ignoring } from '../errors.js'
import { folders, ownerTree, packagesFolder } from '../layout.js'
import { admits, type Admitted, type Stamp } from '../store/ownership.js'
import type { Store } from '../store/store.js'

/**
 * The user, group and mode of the folder of readers say who may read what is not public. The start gives that folder
 * to the group of nginx's workers when they are another user.
 */
export async function workersStamp(store: Store): Promise<Stamp> {
  const folder = await store.status(folders.readers)
  if (!folder) throw new Error(`${folders.readers} is missing`)
  return { uid: folder.uid, gid: folder.gid, mode: folder.mode & 0o777 }
}

/** Whether the owner's folder admits the right users; so does one that is missing. */
export async function isAdmitting(store: Store, owner: string, admitted: Admitted): Promise<boolean> {
  const status = await store.status(ownerTree(owner))
  return !status?.isDirectory() || admits(status, admitted)
}

// A folder of another user, which root copied there say, is left as it is: `verify` names it.
async function admitTo(store: Store, owner: string, admitted: Admitted): Promise<void> {
  if (await isAdmitting(store, owner, admitted)) return
  await ignoring(['EPERM', 'EACCES', 'ENOENT'], () => store.admit(ownerTree(owner), admitted))
}

/** Makes the owner's folder if it is missing, and lets nobody but us and nginx's `workers` enter it. */
export async function closeFolder(store: Store, owner: string, workers: Stamp): Promise<void> {
  await store.ensureFolder(ownerTree(owner))
  await admitTo(store, owner, workers)
}

/** Closes every folder whose owner is not public, declared or not. */
export async function closeFolders(
  store: Store,
  isPublic: ReadonlySet<string>,
  workers: Stamp,
): Promise<void> {
  for (const owner of await store.names(packagesFolder))
    if (!isPublic.has(owner)) await admitTo(store, owner, workers)
}

/** Makes the owner's folder if it is missing, and lets everybody enter it. */
export async function openFolder(store: Store, owner: string): Promise<void> {
  await store.ensureFolder(ownerTree(owner))
  await admitTo(store, owner, 'everybody')
}
