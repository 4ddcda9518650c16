// The names that databases have or had, in a file of their own: each is for one key, for ever.

import { quote, Refusal } from '../errors.js'
import { sumdbNamesPath } from '../layout.js'
import type { Store } from '../store/store.js'
import { checkDatabaseName, type Verifier } from './note.js'

/** The words of each line: a name, its owner, and the id of its key. */
const usedNames = async (store: Store): Promise<string[][]> =>
  ((await store.read(sumdbNamesPath))?.toString() ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' '))

const isUsed = (name: string, owner = ''): Refusal =>
  new Refusal(
    409,
    `the name ${name} had a key before, for owner ${owner}: clients that know it would stop. Choose another one`,
  )

/** Whether the folder of one name would be in that of the other. */
const areNested = (a: string, b: string): boolean => a.startsWith(`${b}/`) || b.startsWith(`${a}/`)

/** Throws a 400 for a text that can be no name, a 409 for a name that had a key before, or is too near to another. */
export async function mustBeNewName(store: Store, owner: string, name: string): Promise<void> {
  const wrong = checkDatabaseName(name)
  if (wrong !== undefined)
    throw new Refusal(400, `a checksum database cannot be called ${quote(name)}: ${wrong}`)
  const used = await usedNames(store)
  const same = used.find(([before]) => before === name)
  if (same) throw isUsed(name, same[1])
  const near = used.find(([before = '', of]) => of === owner && areNested(before, name))
  if (near)
    throw new Refusal(409, `the name ${name} cannot be used beside ${near[0]}, which this owner had before`)
}

/** The last name that is being noted, of whichever owner. */
let noting: Promise<unknown> = Promise.resolve()

/**
 * Notes that a name has a key, durably, one after the other. Does nothing when that is noted. Throws a 409 when the
 * name has another key.
 */
export function noteName(store: Store, owner: string, { name, id }: Verifier): Promise<void> {
  const mine = noting.then(async () => {
    const used = await usedNames(store)
    const same = used.find(([before]) => before === name)
    if (same && same[1] === owner && same[2] === id) return
    if (same) throw isUsed(name, same[1])
    const text = [...used, [name, owner, id]].map((words) => `${words.join(' ')}\n`).join('')
    await store.write(sumdbNamesPath, text, { secret: true })
    await store.sync('state')
  })
  noting = mine.catch(() => {})
  return mine
}
