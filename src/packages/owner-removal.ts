// Removes an owner: its declaration, the rights to it, and its packages. A removal that was cut off can be run again.

import { dirname } from 'node:path'
import { takeRights } from '../access/accounts.js'
import { changeAccess } from '../access/derive.js'
import { isDeclared, notDeclared } from '../access/files.js'
import { forgetOwner, holdsPackages, restoreOwner } from '../access/owners.js'
import { mustBeName } from '../access/rights.js'
import { Refusal } from '../errors.js'
import { hashesFile, ownerTree, sumdbRoot, sumdbState } from '../layout.js'
import type { Store } from '../store/store.js'
import type { ChecksumDatabases } from '../sumdb/databases.js'
import { retireDatabase } from '../sumdb/retirement.js'
import type { Journal } from './journal.js'
import { isOfOwner, versionPathOf } from './operation.js'
import type { OwnerViews } from './owner-views.js'
import { allRecords } from './records.js'
import { forgetTombstones, hasTombstones } from './tombstones.js'
import { ownerKey } from './watch.js'

const holdsStill = (owner: string): Refusal =>
  new Refusal(409, `owner ${owner} holds packages: delete them, or remove it --with-packages`)

/** Only the one process that writes to the tree may remove an owner; the parts are that process's own. */
type RemovalNeeds = { store: Store; journal: Journal; ownerViews: OwnerViews; databases: ChecksumDatabases }

const hasDatabase = async (store: Store, owner: string): Promise<boolean> =>
  (await store.exists(sumdbState(owner))) || (await store.exists(sumdbRoot(owner)))

/** Whether a removal that was cut off has left something beside packages. */
const isLeft = async (store: Store, owner: string): Promise<boolean> =>
  (await hasDatabase(store, owner)) || hasTombstones(store, owner)

/**
 * Removes an owner, and with `withPackages` everything that is published under it. Its checksum database is put aside,
 * and belongs to no later owner of the name.
 * Throws a 404 when the owner is not declared, a 409 when it holds packages and these are to stay, or when a command
 * changes its checksum database.
 */
export const removeOwner = (needs: RemovalNeeds, owner: string, withPackages: boolean): Promise<void> =>
  changeAccess(needs.store, async () => {
    mustBeName('owner', owner)
    const free = needs.databases.beginChange(owner, 'beside others')
    try {
      await remove(needs, owner, withPackages)
    } finally {
      free()
    }
  })

async function remove(
  { store, journal, ownerViews, databases }: RemovalNeeds,
  owner: string,
  withPackages: boolean,
): Promise<void> {
  const holds = await holdsPackages(store, owner)
  const isKnown = (await isDeclared(store, owner)) || (await isLeft(store, owner))
  // What a removal that was cut off has left goes with the next one.
  if (!isKnown && !(withPackages && (await store.exists(ownerTree(owner))))) throw notDeclared(owner)
  if (!withPackages && holds) throw holdsStill(owner)
  const before = await forgetOwner(store, owner)
  await journal.idle((key) => isOfOwner(key, owner))
  if (!withPackages && before && (await holdsPackages(store, owner))) {
    await restoreOwner(store, before) // somebody published to it between the two looks
    throw holdsStill(owner)
  }
  await takeRights(store, owner) // a later owner of the same name is another one
  await ownerViews.forget(owner)
  journal.touch(ownerKey(owner))
  // Before the packages: as long as there is anything left, the removal can be said again. And a later owner of the
  // name must not find the key, wherever this ends.
  await forgetTombstones(store, owner)
  if (await hasDatabase(store, owner)) await retireDatabase({ store, databases }, owner)
  await removePackages(store, owner)
  journal.touch(ownerKey(owner)) // who copied packages meanwhile looks at them once more
  await ownerViews.forget(owner) // somebody may have read the tree before it went
}

// The records go first. The other way round, a crash in between would make `verify` report the files as lost.
async function removePackages(store: Store, owner: string): Promise<void> {
  const changed = new Set<string>()
  for await (const { record, operation } of allRecords(store)) {
    if (operation?.owner !== owner) continue
    await store.remove(record)
    await store.remove(hashesFile(versionPathOf(operation)))
    changed.add(dirname(record))
  }
  for (const folder of changed) await store.sync(folder)
  await store.removeFolder(ownerTree(owner))
}
