// What commands ask of accounts, here and from other machines: requests and answers, as JSON has them.

import { Refusal } from '../errors.js'
import type { Store } from '../store/store.js'
import { addAccount, changeAccount, existingAccount, removeAccount } from './accounts.js'
import { readAccounts } from './files.js'
import { areOwnerNames, isExpired, type Account, type Rights } from './rights.js'
import { newToken } from './token.js'

/**
 * `expires` is in ISO 8601, `null` is never; what is absent stays as it is. `rotate` gives a new token, with `ifHash`
 * only to an account that still has this hash of its token.
 */
export type AccountRequest =
  | { action: 'list' }
  | { action: 'show' | 'remove'; name: string }
  | { action: 'add'; name: string; rights: Rights; expires?: string | null }
  | { action: 'set'; name: string; rights?: Rights; expires?: string | null }
  | { action: 'rotate'; name: string; expires?: string | null; ifHash?: string }

/** An account without what it keeps of its token. */
export type ShownAccount = Omit<Account, 'hash' | 'hint'> & { expired: boolean }

/**
 * `accounts` are those that the request is about; a removed one is not among them. `token` is that of a new account, or
 * a new one: nothing keeps it. `damaged` are names of accounts whose files cannot be read.
 */
export type AccountAnswer = { accounts: ShownAccount[]; token?: string; damaged?: string[] }

function shown({ hash: _hash, hint: _hint, ...account }: Account): ShownAccount {
  return { ...account, expired: isExpired({ ...account, hash: '' }, Date.now()) }
}

const malformed = (what: string): Refusal => new Refusal(400, `the request has no valid ${what}`)

function parseRights(value: unknown): Rights {
  const { admin, read, write } = Object(value) as Record<string, unknown>
  if (typeof admin !== 'boolean' || !areOwnerNames(read) || !areOwnerNames(write)) throw malformed('rights')
  return { admin, read, write }
}

function parseExpiry(value: unknown): { expires?: string | null } {
  if (value === undefined) return {}
  if (value === null) return { expires: null }
  if (typeof value !== 'string' || Number.isNaN(Date.parse(value))) throw malformed('expires')
  return { expires: value }
}

/** Reads a request that came as JSON. Throws a 400 for one that is malformed. */
export function parseAccountRequest(value: unknown): AccountRequest {
  const { action, name, rights, expires, ifHash } = Object(value) as Record<string, unknown>
  if (action === 'list') return { action }
  if (typeof name !== 'string') throw malformed('name')
  switch (action) {
    case 'show':
    case 'remove':
      return { action, name }
    case 'add':
      return { action, name, rights: parseRights(rights), ...parseExpiry(expires) }
    case 'set':
      return {
        action,
        name,
        ...(rights !== undefined && { rights: parseRights(rights) }),
        ...parseExpiry(expires),
      }
    case 'rotate':
      return { action, name, ...parseExpiry(expires), ...(typeof ifHash === 'string' && { ifHash }) }
    default:
      throw malformed('action')
  }
}

/** Whether an account may ask this about itself: who it is, and for a new token. It cannot live longer by that. */
export const isAboutItself = (request: AccountRequest, account: string): boolean =>
  (request.action === 'show' || (request.action === 'rotate' && request.expires === undefined)) &&
  request.name === account

/** Does what is asked. Throws the refusals of accounts.ts, and a 409 for a new token that would be dead already. */
export async function doWithAccounts(store: Store, request: AccountRequest): Promise<AccountAnswer> {
  switch (request.action) {
    case 'list': {
      const { accounts, damaged } = await readAccounts(store)
      return { accounts: accounts.map(shown), damaged }
    }
    case 'show':
      return { accounts: [shown(await existingAccount(store, request.name))] }
    case 'add': {
      const { name, rights, expires } = request
      const token = newToken()
      return { accounts: [shown(await addAccount(store, name, token, rights, expires ?? undefined))], token }
    }
    case 'set': {
      const { action: _action, name, ...change } = request
      return { accounts: [shown(await changeAccount(store, name, change))] }
    }
    case 'rotate': {
      const { action: _action, name, ifHash, ...change } = request
      await mustNotBeExpired(store, request)
      const token = newToken()
      return { accounts: [shown(await changeAccount(store, name, { ...change, token }, ifHash))], token }
    }
    case 'remove':
      await removeAccount(store, request.name)
      return { accounts: [] }
  }
}

async function mustNotBeExpired(
  store: Store,
  { name, expires }: { name: string; expires?: string | null },
): Promise<void> {
  const account = await existingAccount(store, name)
  if (expires === undefined && isExpired(account, Date.now()))
    throw new Refusal(409, `account ${name} expired on ${account.expires}: give a new time with --expires`)
}
