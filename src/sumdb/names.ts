// The names that databases have or had, in a file of their own: each is for one key, for ever.

import { quote, Refusal } from '../errors.js'
import { sumdbNamesPath } from '../layout.js'
import type { Store } from '../store/store.js'
import { checkDatabaseName, type Verifier } from './note.js'

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

/** Notes that a name has a key, durably. Does nothing when that is noted. */
export async function noteName(store: Store, owner: string, { name, id }: Verifier): Promise<void> {
  const used = (await store.read(sumdbNamesPath))?.toString() ?? ''
  const line = `${name} ${owner} ${id}\n`
  if (`\n${used}`.includes(`\n${line}`)) return
  await store.write(sumdbNamesPath, `${used}${line}`, { secret: true })
  await store.sync('state')
}
