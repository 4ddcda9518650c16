// The file by which go finds out that there is a database.

import type { Store } from '../store/store.js'
import { databasePaths } from './paths.js'

/** Tells go that there is a database, durably. Everything that go may ask for next is there. */
export async function showToGo(store: Store, owner: string, name: string): Promise<void> {
  const { folder, supported } = databasePaths(owner, name)
  if (await store.exists(supported)) return
  await store.writeMaking(supported, '')
  await store.sync(folder)
}
