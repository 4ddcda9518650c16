// The truth about accounts and owners: one small file each. It is read from the disk on every use, so that a change
// counts from the next request on.

import { quote, Refusal } from '../errors.js'
import { accountFile, folders, ownerFile } from '../layout.js'
import type { Store } from '../store/store.js'
import { parseAccount, parseOwner, type Account, type Owner, isOwnerName } from './rights.js'

async function namesIn(store: Store, folder: string): Promise<string[]> {
  const files = (await store.names(folder)).filter((file) => file.endsWith('.json'))
  return files
    .map((file) => file.slice(0, -'.json'.length))
    .filter(isOwnerName)
    .sort()
}

const textOf = async (store: Store, path: string): Promise<string> =>
  (await store.read(path))?.toString() ?? ''

/** The accounts in the order of their names. An account in `damaged` has a file that cannot be read, and no rights. */
export async function readAccounts(store: Store): Promise<{ accounts: Account[]; damaged: string[] }> {
  const accounts: Account[] = []
  const damaged: string[] = []
  for (const name of await namesIn(store, folders.accounts)) {
    const account = parseAccount(name, await textOf(store, accountFile(name)))
    if (account) accounts.push(account)
    else damaged.push(name)
  }
  return { accounts, damaged }
}

/** The declared owners in the order of their names. */
export async function readOwners(store: Store): Promise<Owner[]> {
  const names = await namesIn(store, folders.owners)
  return Promise.all(names.map(async (name) => parseOwner(name, await textOf(store, ownerFile(name)))))
}

/** Writes a file of the truth, durably. It gets its folder's user: root may write for a service that is not root. */
export async function writeTruth(store: Store, folder: string, path: string, text: string): Promise<void> {
  const status = await store.status(folder)
  await store.write(path, text, {
    ...(status && { stamp: { uid: status.uid, gid: status.gid, mode: 0o600 } }),
  })
  await store.sync(folder)
}

/** Whether `owner` is declared. Nothing is published under an owner that is not. */
export const isDeclared = async (store: Pick<Store, 'exists'>, owner: string): Promise<boolean> =>
  isOwnerName(owner) && store.exists(ownerFile(owner))

/** Throws a 404 that says how to declare the owner. */
export async function mustBeDeclared(store: Pick<Store, 'exists'>, owner: string): Promise<void> {
  if (await isDeclared(store, owner)) return
  const name = isOwnerName(owner) ? owner : 'NAME'
  throw new Refusal(404, `no owner ${quote(owner)}: declare it with "npx plinth owner add ${name}"`)
}
