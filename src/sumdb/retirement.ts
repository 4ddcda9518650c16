// Ends the database of an owner. What was recorded is kept, and belongs to nobody any more: its names stay used.

import { randomUUID } from 'node:crypto'
import { folders, sumdbFolder, sumdbRoot, sumdbState } from '../layout.js'
import type { Store } from '../store/store.js'
import type { ChecksumDatabases } from './databases.js'

/**
 * Takes the databases of an owner out of the tree, under all of their names, and puts their truth aside. Does nothing
 * for an owner that has none. Whatever is published from here on is not recorded.
 */
export async function retireDatabase(
  { store, databases }: { store: Store; databases: ChecksumDatabases },
  owner: string,
): Promise<void> {
  const name = await databases.nameOf(owner)
  if (name !== undefined && (await store.remove(`${sumdbFolder(owner, name)}/supported`)))
    await store.sync(sumdbFolder(owner, name))
  await databases.close(owner)
  if (await store.exists(sumdbState(owner))) {
    await store.move(sumdbState(owner), `${folders.sumdbRemoved}/${owner}.${randomUUID()}`)
    for (const folder of [folders.sumdbRemoved, folders.sumdb]) await store.sync(folder)
  }
  await store.removeFolder(sumdbRoot(owner))
}
