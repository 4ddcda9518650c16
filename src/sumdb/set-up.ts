// Makes the database of an owner: its name, its key, an empty log. The name is for one key and for ever: clients that
// know it would stop at another key.

import { quote, Refusal } from '../errors.js'
import { folders, sumdbNamesPath } from '../layout.js'
import type { Store } from '../store/store.js'
import { checkDatabaseName, newSigner, signerText, type Signer } from './note.js'
import { statePaths } from './paths.js'
import type { DatabaseStatus } from './databases.js'

/** Writes a small file of the truth, durably. Its folder exists. */
async function writeSecret(store: Store, path: string, text: string, folder: string): Promise<void> {
  await store.write(path, text, { secret: true })
  await store.sync(folder)
}

/** Whether the folder of one name would be in that of the other. */
const areNested = (a: string, b: string): boolean => a.startsWith(`${b}/`) || b.startsWith(`${a}/`)

/** Throws a 400 for a text that can be no name, a 409 for a name that had a key before, or is too near to another. */
export async function mustBeNewName(store: Store, owner: string, name: string): Promise<void> {
  const wrong = checkDatabaseName(name)
  if (wrong !== undefined)
    throw new Refusal(400, `a checksum database cannot be called ${quote(name)}: ${wrong}`)
  const used = ((await store.read(sumdbNamesPath))?.toString() ?? '')
    .split('\n')
    .map((line) => line.split(' '))
  const same = used.find(([before]) => before === name)
  if (same)
    throw new Refusal(
      409,
      `the name ${name} had a key before, for owner ${same[1]}: clients that know it would stop. Choose another one`,
    )
  const near = used.find(([before = '', of]) => of === owner && areNested(before, name))
  if (near)
    throw new Refusal(409, `the name ${name} cannot be used beside ${near[0]}, which this owner had before`)
}

/** The last name that is being noted, of whichever owner. */
let noting: Promise<unknown> = Promise.resolve()

/** Notes that a name has a key now. Throws as {@link mustBeNewName} does when it has one already. */
export function noteName(store: Store, owner: string, { name, id }: Signer): Promise<void> {
  const mine = noting.then(async () => {
    await mustBeNewName(store, owner, name)
    const used = (await store.read(sumdbNamesPath))?.toString() ?? ''
    await writeSecret(store, sumdbNamesPath, `${used}${name} ${owner} ${id}\n`, 'state')
  })
  noting = mine.catch(() => {})
  return mine
}

/** A new key under a new name. */
async function newKey(store: Store, owner: string, name: string): Promise<Signer> {
  const signer = newSigner(name)
  await noteName(store, owner, signer)
  return signer
}

/** Makes a database without records, which is `enabling`. The key comes last: without it there is none. */
export async function createDatabase(store: Store, owner: string, name: string): Promise<void> {
  const { folder, key, records, heads, status } = statePaths(owner)
  const signer = await newKey(store, owner, name)
  await store.ensureFolder(folder)
  await store.sync(folders.sumdb)
  await store.write(status, 'enabling\n', { secret: true })
  for (const file of [records, heads]) await store.write(file, '', { secret: true })
  await store.sync(folder)
  await writeSecret(store, key, `${signerText(signer)}\n`, folder)
}

/** Says what a database is to be, durably. */
export async function writeStatus(store: Store, owner: string, to: DatabaseStatus): Promise<void> {
  const { folder, status } = statePaths(owner)
  if (to !== 'enabled') return writeSecret(store, status, `${to}\n`, folder)
  await store.remove(status)
  await store.sync(folder)
}
