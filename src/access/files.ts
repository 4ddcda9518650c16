// The truth about accounts and owners: one small file each.

import { errno, PLINTH, quote, Refusal } from '../errors.js'
import { accountFile, folders, ownerFile } from '../layout.js'
import { readEach } from '../store/read-each.js'
import type { Store } from '../store/store.js'
import { parseAccount, parseOwner, type Account, type Owner, isOwnerName } from './rights.js'

async function namesIn(store: Store, folder: string): Promise<string[]> {
  const files = (await store.names(folder)).filter((file) => file.endsWith('.json'))
  return files
    .map((file) => file.slice(0, -'.json'.length))
    .filter(isOwnerName)
    .sort()
}

/** What says that this one file is damaged, and nothing about the others. */
const UNREADABLE = ['EACCES', 'EISDIR', 'ELOOP']

/** All accounts. One in `damaged` has a file that cannot be read, and no rights. */
export type Accounts = { accounts: Account[]; damaged: string[] }

const textOf = async (store: Store, path: string): Promise<string> =>
  (await store.read(path))?.toString() ?? ''

/** The names that accounts have, in their order. */
export const accountNames = (store: Store): Promise<string[]> => namesIn(store, folders.accounts)

/** The names of the declared owners, in their order. */
export const ownerNames = (store: Store): Promise<string[]> => namesIn(store, folders.owners)

/** The account of this name; `undefined` when there is none, `unread` when the disk failed. */
export async function readAccount(
  store: Store,
  name: string,
): Promise<Account | 'damaged' | 'unread' | undefined> {
  try {
    const text = await store.read(accountFile(name))
    return text && (parseAccount(name, text.toString()) ?? 'damaged')
  } catch (error) {
    if (errno(error) === 'EIO') return 'unread'
    if (UNREADABLE.includes(errno(error) ?? '')) return 'damaged'
    throw error
  }
}

/** Reads all accounts, in the order of their names. The service has them from {@link KnownAccounts}. */
export async function readAccounts(store: Store): Promise<Accounts> {
  const names = await accountNames(store)
  const found: Accounts = { accounts: [], damaged: [] }
  for (const [at, account] of (await readEach(names, (name) => readAccount(store, name))).entries())
    if (account === 'damaged' || account === 'unread') found.damaged.push(names[at] ?? '')
    else if (account) found.accounts.push(account)
  return found
}

/** The owner of this name; `undefined` when it is not declared. */
export async function readOwner(store: Store, name: string): Promise<Owner | undefined> {
  const text = isOwnerName(name) ? await store.read(ownerFile(name)) : undefined
  return text && parseOwner(name, text.toString())
}

/** The declared owners in the order of their names. */
export async function readOwners(store: Store): Promise<Owner[]> {
  const names = await ownerNames(store)
  return Promise.all(names.map(async (name) => parseOwner(name, await textOf(store, ownerFile(name)))))
}

/** Writes a file of the truth, durably. It gets its folder's user and group. */
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

/** A 404 that says how to declare the owner. */
export function notDeclared(owner: string): Refusal {
  const name = isOwnerName(owner) ? owner : 'NAME'
  return new Refusal(404, `no owner ${quote(owner)}: declare it with "${PLINTH} owner add ${name}"`)
}

/** Throws a {@link notDeclared}. */
export async function mustBeDeclared(store: Pick<Store, 'exists'>, owner: string): Promise<void> {
  if (!(await isDeclared(store, owner))) throw notDeclared(owner)
}
