// Owners: the namespaces that packages are published under. A change writes the owner's file first (the truth), then
// what nginx reads (derived). It counts in both when its promise resolves.

import { Refusal } from '../errors.js'
import { folders, genericFolder, goFolder, ownerFile, publicMarker, sumdbRoot } from '../layout.js'
import { PROMISE_FORMAT, raiseFormat } from '../store/format.js'
import type { Store } from '../store/store.js'
import { changeAccess, deriveHoldingLock } from './derive.js'
import { isDeclared, notDeclared, readAccounts, readOwner, readOwners, writeTruth } from './files.js'
import { closeFolder, workersStamp } from './owner-folders.js'
import { isOwnerName, mustBeName, ownerText, type Owner } from './rights.js'

async function writeOwner(store: Store, owner: Owner): Promise<void> {
  if (owner.immutable) raiseFormat(store.at('.'), PROMISE_FORMAT) // before a program of before could see it
  await writeTruth(store, folders.owners, ownerFile(owner.name), ownerText(owner))
}

// The marker goes first: whatever happens next, nobody reads without credentials.
async function close(store: Store, owner: string): Promise<void> {
  await store.remove(publicMarker(owner))
  await store.sync(folders.public)
}

/** Declares an owner. Throws a 409 when it is declared. nginx serves nothing of it before the last step, the marker. */
export const addOwner = (store: Store, owner: Owner): Promise<void> =>
  changeAccess(store, async () => {
    mustBeName('owner', owner.name)
    if (owner.name === 'api')
      throw new Refusal(400, 'an owner cannot be called "api": its page would be at /api/')
    if (await isDeclared(store, owner.name)) throw new Refusal(409, `owner ${owner.name} is declared already`)
    // before anything can be published in it
    if (!owner.public) await closeFolder(store, owner.name, await workersStamp(store))
    await writeOwner(store, owner)
  })

/** What an owner becomes. What is absent stays as it is. */
export type OwnerChange = { name: string; public?: boolean; immutable?: boolean }

/**
 * Makes an owner public or private, immutable or not, and resolves with what it is then. Throws a 404 when it is not
 * declared. A delete that has begun by then ends as it began.
 */
export const setOwner = (store: Store, change: OwnerChange): Promise<Owner> =>
  changeAccess(store, async () => {
    mustBeName('owner', change.name)
    const before = await readOwner(store, change.name)
    if (!before) throw notDeclared(change.name)
    const { public: isPublic = before.public, immutable = before.immutable === true } = change
    const owner: Owner = { name: change.name, public: isPublic, ...(immutable && { immutable }) }
    if (!owner.public) await close(store, owner.name)
    await writeOwner(store, owner)
    return owner
  })

/** Whether anything is published under `owner`. An owner that is not declared any more may hold packages, too. */
export async function holdsPackages(store: Store, owner: string): Promise<boolean> {
  if (!isOwnerName(owner)) return false
  const inGo = await store.names(goFolder(owner))
  if (inGo.some((name) => `${goFolder(owner)}/${name}` !== sumdbRoot(owner))) return true
  return (await store.names(genericFolder(owner))).length > 0
}

/**
 * Closes an owner and forgets its declaration: no publish begins under it any more. Resolves with the owner for
 * {@link restoreOwner}; `undefined` when it was not declared. The caller holds the access lock.
 */
export async function forgetOwner(store: Store, name: string): Promise<Owner | undefined> {
  const owner = (await readOwners(store)).find((declared) => declared.name === name)
  await close(store, name)
  await store.remove(ownerFile(name))
  await store.sync(folders.owners)
  return owner
}

/** Declares an owner again that {@link forgetOwner} forgot. The caller holds the access lock. */
export async function restoreOwner(store: Store, owner: Owner): Promise<void> {
  await writeOwner(store, owner)
  await deriveHoldingLock(store, await readAccounts(store))
}
