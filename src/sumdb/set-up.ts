// Makes the database of an owner: its name, its key, an empty log. The name is for one key and for ever: clients that
// know it would stop at another key.

import { folders } from '../layout.js'
import type { Store } from '../store/store.js'
import { mustBeNewName, noteName } from './names.js'
import { newSigner, signerText } from './note.js'
import { statePaths } from './paths.js'
import type { DatabaseStatus } from './databases.js'

/** Writes a small file of the truth, durably. Its folder exists. */
async function writeSecret(store: Store, path: string, text: string, folder: string): Promise<void> {
  await store.write(path, text, { secret: true })
  await store.sync(folder)
}

/**
 * Makes a database without records, which is `enabling`. Without its key there is none. The name is noted after the
 * key: a crash in between uses up no name, and whoever opens the database notes it.
 */
export async function createDatabase(store: Store, owner: string, name: string): Promise<void> {
  const { folder, key, records, heads, status } = statePaths(owner)
  await mustBeNewName(store, owner, name)
  const signer = newSigner(name)
  await store.ensureFolder(folder)
  await store.sync(folders.sumdb)
  await store.write(status, 'enabling\n', { secret: true })
  for (const file of [records, heads]) await store.write(file, '', { secret: true })
  await store.sync(folder)
  await writeSecret(store, key, `${signerText(signer)}\n`, folder)
  await noteName(store, owner, signer)
}

/** Says what a database is to be, durably. */
export async function writeStatus(store: Store, owner: string, to: DatabaseStatus): Promise<void> {
  const { folder, status } = statePaths(owner)
  if (to !== 'enabled') return writeSecret(store, status, `${to}\n`, folder)
  await store.remove(status)
  await store.sync(folder)
}
