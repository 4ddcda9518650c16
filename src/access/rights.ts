// Accounts and owners as their files have them, and what an account may do. Pure.

import { isTokenHash, tokenMatches } from './token.js'

/** Names of owners and accounts: `[A-Za-z0-9][A-Za-z0-9._-]*`, at most 64 characters, compared as written. */
export const isOwnerName = (name: string): boolean => /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)

/** What an account may do. `admin`: everything, for every owner. Writing an owner implies reading it. */
export type Rights = { admin: boolean; read: string[]; write: string[] }

/** The token itself is nowhere. `created` and `expires` are times in ISO 8601; without `expires` it never does. */
export type Account = Rights & { name: string; hash: string; created: string; expires?: string }

/** Who may read what: of a public owner anyone, else accounts with the right. */
export type Owner = { name: string; public: boolean }

export const isExpired = (account: Account, now: number): boolean =>
  account.expires !== undefined && Date.parse(account.expires) <= now

/** The right to publish and delete. */
export const mayWrite = (rights: Rights, owner: string): boolean =>
  rights.admin || rights.write.includes(owner)

export const mayRead = (rights: Rights, owner: string): boolean =>
  mayWrite(rights, owner) || rights.read.includes(owner)

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

const areOwnerNames = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((name) => typeof name === 'string' && isOwnerName(name))

/** The account in a file's text; `undefined` for a damaged file, whatever is wrong: nobody can use that account. */
export function parseAccount(name: string, text: string): Account | undefined {
  const { hash, admin, read, write, created, expires } = parsed(text)
  if (typeof hash !== 'string' || !isTokenHash(hash) || typeof created !== 'string') return undefined
  if (typeof admin !== 'boolean' || !areOwnerNames(read) || !areOwnerNames(write)) return undefined
  const account = { name, hash, admin, read, write, created }
  if (expires === undefined) return account
  return typeof expires === 'string' && !Number.isNaN(Date.parse(expires))
    ? { ...account, expires }
    : undefined
}

export function accountText(account: Account): string {
  const { name: _name, ...stored } = account
  return `${JSON.stringify(stored)}\n`
}

/** The owner in a file's text. A damaged file is a private owner: public is only what says so. */
export const parseOwner = (name: string, text: string): Owner => ({
  name,
  public: parsed(text)['public'] === true,
})

export const ownerText = (owner: Owner): string => `${JSON.stringify({ public: owner.public })}\n`

/** What a client sent: a token, and the account's name where the spelling has one. */
export type Credentials = { account?: string; token: string }

/** `account`: whose credentials they are. `claimed`: the account that they name, right or not, if there is one. */
export type Finding = { account: Account | undefined; claimed: string | undefined }

/**
 * Looks for the account that the credentials are of. Every account is compared, in constant time each and without
 * stopping at the right one: the time tells neither whether a token is right nor whether an account exists.
 */
export function findAccount(
  accounts: readonly Account[],
  { account: name, token }: Credentials,
  now: number,
  matches = tokenMatches,
): Finding {
  const finding: Finding = { account: undefined, claimed: undefined }
  for (const account of accounts) {
    const tokenRight = matches(account.hash, token)
    const nameRight = name === undefined || name === account.name
    if (tokenRight && nameRight && !isExpired(account, now)) finding.account = account
    if (name === account.name) finding.claimed = name
  }
  return finding
}
