// What nginx reads of accounts and owners, derived from their files: for each owner who may read it, and for each
// public one a marker. Whatever is missing or damaged here closes an owner, and deriving again opens it.

import { isExpired, mayRead, type Account, type Owner } from './rights.js'
import { readAccounts, readOwners } from './files.js'
import { holdingAccessLock } from './lock.js'
import { folders, ownerTree, publicMarker, publicTarget, readersFile } from '../layout.js'
import type { Stamp } from '../store/ownership.js'
import type { Store } from '../store/store.js'

/** The file nginx checks credentials against: a line `account:{SSHA}…` for each account that may read `owner` now. */
export const readersText = (accounts: readonly Account[], owner: string, now: number): string =>
  accounts
    .filter((account) => mayRead(account, owner) && !isExpired(account, now))
    .map(({ name, hash }) => `${name}:${hash}\n`)
    .join('')

/** Derives it all anew, while nobody changes accounts and owners. Doing it twice changes nothing. */
export const deriveAccess = (store: Store): Promise<void> =>
  holdingAccessLock(store, () => deriveHoldingLock(store))

/**
 * The same for who holds the access lock already. What closes comes before what opens: a crash in between leaves
 * nothing open that should not be. Rejects when something could not be derived: that is closed then.
 */
export async function deriveHoldingLock(store: Store, now = Date.now()): Promise<void> {
  const owners = await readOwners(store)
  const { accounts } = await readAccounts(store)
  const isPublic = new Set(owners.filter((owner) => owner.public).map(({ name }) => name))
  await removeOthers(store, folders.public, (name) => isPublic.has(name) && isMarker(store, name))
  await store.sync(folders.public)
  const declared = new Set(owners.map(({ name }) => name))
  await removeOthers(
    store,
    folders.readers,
    async (name) => declared.has(name) && ((await store.status(readersFile(name)))?.isFile() ?? false),
  )
  const stamp = await stampOf(store)
  for (const owner of owners) await deriveReaders(store, owner, accounts, stamp, now)
  await store.sync(folders.readers)
  for (const owner of isPublic) {
    await store.ensureFolder(ownerTree(owner)) // a link that leads nowhere opens nothing, and is read as none
    if (!(await isMarker(store, owner))) await store.symlinkOver(publicTarget(owner), publicMarker(owner))
  }
  await store.sync(folders.public)
}

/** Whether the owner's marker is there and leads to its folder. */
export const isMarker = async (store: Store, owner: string): Promise<boolean> =>
  (await store.linkText(publicMarker(owner))) === publicTarget(owner)

async function removeOthers(
  store: Store,
  folder: string,
  isRight: (name: string) => boolean | Promise<boolean>,
): Promise<void> {
  for (const name of await store.names(folder)) {
    const path = `${folder}/${name}`
    if (await isRight(name)) continue
    if ((await store.status(path))?.isDirectory())
      await store.removeFolder(path) // whatever somebody put there: nginx must not stumble over it
    else await store.remove(path)
  }
}

// The readers folder's own owner, group and mode say who may read the files in it: the start gives it to the group
// of nginx's workers, when these are another user.
async function stampOf(store: Store): Promise<Stamp> {
  const folder = await store.status(folders.readers)
  if (!folder) throw new Error(`${folders.readers} is missing`)
  return { uid: folder.uid, gid: folder.gid, mode: folder.mode & 0o640 }
}

async function deriveReaders(
  store: Store,
  owner: Owner,
  accounts: readonly Account[],
  stamp: Stamp,
  now: number,
): Promise<void> {
  const path = readersFile(owner.name)
  const text = readersText(accounts, owner.name, now)
  try {
    const there = await store.status(path)
    const same = there?.uid === stamp.uid && there.gid === stamp.gid && (there.mode & 0o777) === stamp.mode
    if (!same || (await store.read(path))?.toString() !== text) await store.write(path, text, { stamp })
  } catch (error) {
    await store.remove(path) // no room, say: then nobody reads, rather than somebody who should not any more
    throw error
  }
}
