// Derives what nginx reads from the files of accounts and owners: for each owner the accounts that may read it, for
// each public owner a marker, and for each owner's folder which users of the machine may enter it. A derived file that
// is missing or damaged closes its owner. Deriving again opens it.

import { folders, publicMarker, publicTarget, readersFile } from '../layout.js'
import { PROMISE_FORMAT, raiseFormat } from '../store/format.js'
import type { Stamp } from '../store/ownership.js'
import type { Store } from '../store/store.js'
import { readAccounts, readOwners, type Accounts } from './files.js'
import { holdingAccessLock } from './lock.js'
import { closeFolder, closeFolders, openFolder, workersStamp } from './owner-folders.js'
import { deriveSiteIndex } from './site-index.js'
import { isExpired, mayRead, type Account, type Owner } from './rights.js'

/** The file that nginx checks credentials against: a line `account:{SSHA}…` for each account that may read `owner`. */
export const readersText = (accounts: readonly Account[], owner: string, now: number): string =>
  accounts
    .filter((account) => mayRead(account, owner) && !isExpired(account, now))
    .map(({ name, hash }) => `${name}:${hash}\n`)
    .join('')

/** Runs a change of accounts and owners while nobody else makes one, then derives what follows from it. */
export const changeAccess = <T>(store: Store, change: () => Promise<T>): Promise<T> =>
  holdingAccessLock(store, async () => {
    const result = await change()
    await deriveHoldingLock(store, await readAccounts(store))
    return result
  })

/**
 * Derives everything again while nobody changes accounts and owners, and resolves with the accounts that it found with
 * `read`. A second run changes nothing.
 */
export const deriveAccess = (
  store: Store,
  read: (store: Store) => Promise<Accounts> = readAccounts,
): Promise<Accounts> =>
  holdingAccessLock(store, async () => {
    const accounts = await read(store)
    await deriveHoldingLock(store, accounts)
    return accounts
  })

/**
 * {@link deriveAccess} for a caller that holds the access lock. It closes before it opens: a crash in between leaves
 * nothing open that should be closed. Rejects when something could not be derived, and leaves that closed.
 */
export async function deriveHoldingLock(
  store: Store,
  { accounts }: Accounts,
  now = Date.now(),
): Promise<void> {
  const owners = await readOwners(store)
  // A copy of a folder may bring an immutable owner and an older number.
  if (owners.some((owner) => owner.immutable)) raiseFormat(store.at('.'), PROMISE_FORMAT)
  const workers = await workersStamp(store)
  const isPublic = new Set(owners.filter((owner) => owner.public).map(({ name }) => name))
  await removeOthers(store, folders.public, (name) => isPublic.has(name) && isMarker(store, name))
  await store.sync(folders.public)
  // Owners are closed and opened whether the page can be written or not.
  const paged = await Promise.allSettled([deriveSiteIndex(store, [...isPublic])])
  await closeFolders(store, isPublic, workers)
  const declared = new Set(owners.map(({ name }) => name))
  await removeOthers(
    store,
    folders.readers,
    async (name) => declared.has(name) && ((await store.status(readersFile(name)))?.isFile() ?? false),
  )
  const stamp = { ...workers, mode: workers.mode & 0o640 }
  for (const owner of owners) {
    if (!owner.public) await closeFolder(store, owner.name, workers) // an upload would make an open one
    await deriveReaders(store, owner, accounts, stamp, now)
  }
  await store.sync(folders.readers)
  for (const owner of isPublic) {
    await openFolder(store, owner) // a link to a missing folder opens nothing
    if (!(await isMarker(store, owner))) await store.symlinkOver(publicTarget(owner), publicMarker(owner))
  }
  await store.sync(folders.public)
  for (const page of paged) if (page.status === 'rejected') throw page.reason
}

/** Whether the owner's marker is a link to the owner's folder. */
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
      await store.removeFolder(path) // somebody put it there: nginx must not stumble over it
    else await store.remove(path)
  }
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
    await store.remove(path) // the disk is full, say: better that nobody reads than somebody without the right
    throw error
  }
}
