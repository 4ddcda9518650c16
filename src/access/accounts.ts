// Accounts: who has one, and how it is changed. A change writes the account's file first (the truth), then what nginx
// reads (derived). It counts in both when its promise resolves.

import { quote, Refusal } from '../errors.js'
import { accountFile, folders } from '../layout.js'
import type { Store } from '../store/store.js'
import { changeAccess } from './derive.js'
import { mustBeDeclared, readAccount, readAccounts, writeTruth } from './files.js'
import { accountText, mustBeName, type Account, type Rights } from './rights.js'
import { hashToken, tokenHint } from './token.js'

/** What to change of an account; an absent field stays as it is. `expires: null` is never. */
type AccountChange = { rights?: Rights; token?: string; expires?: string | null }

const writeAccount = (store: Store, account: Account): Promise<void> =>
  writeTruth(store, folders.accounts, accountFile(account.name), accountText(account))

async function mustHaveOwners(store: Store, { read, write }: Rights): Promise<void> {
  for (const owner of [...read, ...write]) await mustBeDeclared(store, owner)
}

/** What an account keeps of its token. */
const kept = (token: string): Pick<Account, 'hash' | 'hint'> => ({
  hash: hashToken(token),
  hint: tokenHint(token),
})

const noAccount = (name: string): Refusal => new Refusal(404, `no account ${quote(name)}`)

/** The account of this name. Throws a 404 when there is none, a 409 when its file is damaged, a 503 when unread. */
export async function existingAccount(store: Store, name: string): Promise<Account> {
  mustBeName('account', name)
  const account = await readAccount(store, name)
  if (account === 'unread') throw new Refusal(503, `the file of account ${name} could not be read: try again`)
  if (account === 'damaged')
    throw new Refusal(409, `the file of account ${name} is damaged: remove the account and add it again`)
  if (!account) throw noAccount(name)
  return account
}

/** Makes an account with this token. Throws a 409 when the name is taken, a 404 for an owner that is not declared. */
export const addAccount = (
  store: Store,
  name: string,
  token: string,
  rights: Rights,
  expires?: string,
): Promise<Account> =>
  changeAccess(store, async () => {
    mustBeName('account', name)
    if (await store.exists(accountFile(name)))
      throw new Refusal(
        409,
        `account ${name} is there already: "account set" changes it, "account rotate" gives a new token`,
      )
    await mustHaveOwners(store, rights)
    const account: Account = {
      name,
      ...kept(token),
      ...rights,
      created: new Date().toISOString(),
      ...(expires !== undefined && { expires }),
    }
    await writeAccount(store, account)
    return account
  })

/**
 * Changes an account, in the service and in nginx from the next request on. A replaced token is refused at once.
 * Throws a 404 when there is no such account, a 409 when its file is damaged, a 401 when the hash of its token is not
 * `ifHash`.
 */
export const changeAccount = (
  store: Store,
  name: string,
  change: AccountChange,
  ifHash?: string,
): Promise<Account> =>
  changeAccess(store, async () => {
    const before = await existingAccount(store, name)
    if (ifHash !== undefined && before.hash !== ifHash)
      throw new Refusal(401, `account ${name} has another token meanwhile`)
    if (change.rights) await mustHaveOwners(store, change.rights)
    const { expires: expiry, ...others } = { ...before, ...change.rights }
    const expires = change.expires === undefined ? expiry : (change.expires ?? undefined)
    const account: Account = {
      ...others,
      ...(change.token !== undefined && kept(change.token)),
      ...(expires !== undefined && { expires }),
    }
    await writeAccount(store, account)
    return account
  })

/** Removes an account. Throws a 404 when there is no such account. */
export const removeAccount = (store: Store, name: string): Promise<void> =>
  changeAccess(store, async () => {
    mustBeName('account', name)
    if (!(await store.remove(accountFile(name)))) throw noAccount(name)
    await store.sync(folders.accounts)
  })

/** Takes every right to `owner` from every account. The caller holds the access lock. */
export async function takeRights(store: Store, owner: string): Promise<void> {
  const others = (names: string[]): string[] => names.filter((name) => name !== owner)
  for (const account of (await readAccounts(store)).accounts) {
    if (!account.read.includes(owner) && !account.write.includes(owner)) continue
    await writeAccount(store, { ...account, read: others(account.read), write: others(account.write) })
  }
}
