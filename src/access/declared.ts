// Whether an owner is declared: only then anything is published under it.

import { Refusal } from '../errors.js'
import { isOwnerName, ownerFile } from '../layout.js'
import type { Store } from '../store/store.js'

export const isDeclared = async (store: Pick<Store, 'exists'>, owner: string): Promise<boolean> =>
  isOwnerName(owner) && store.exists(ownerFile(owner))

/** Throws a 404 that says how to declare it. */
export async function mustBeDeclared(store: Pick<Store, 'exists'>, owner: string): Promise<void> {
  if (await isDeclared(store, owner)) return
  const name = isOwnerName(owner) ? owner : 'NAME'
  throw new Refusal(404, `no owner ${JSON.stringify(owner)}: declare it with "npx plinth owner add ${name}"`)
}
