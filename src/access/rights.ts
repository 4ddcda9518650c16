// Accounts and owners as their files have them, and the rights of an account. Pure.

import { parseJson } from '../store/parse-json.js'
import { quote, Refusal } from '../errors.js'
import { isTokenHash, isTokenHint } from './token.js'

/** Names of owners and accounts: `[A-Za-z0-9][A-Za-z0-9._-]*`, at most 64 characters, compared as written. */
export const isOwnerName = (name: string): boolean => /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)

/** Throws a 400 for a text that can name neither an account nor an owner. */
export function mustBeName(kind: 'account' | 'owner', name: string): void {
  if (isOwnerName(name)) return
  const rule = '[A-Za-z0-9][A-Za-z0-9._-]*, at most 64 characters'
  throw new Refusal(400, `invalid ${kind} name ${quote(name)}: ${rule}`)
}

/** The rights of an account. `admin`: everything, for every owner. Writing an owner implies reading it. */
export type Rights = { admin: boolean; read: string[]; write: string[] }

/**
 * An account. The token itself is not kept. `hint` is that of the token; accounts of earlier versions have none. Times
 * are in ISO 8601. Without `expires` the account never expires.
 */
export type Account = Rights & {
  name: string
  hash: string
  hint?: string
  created: string
  expires?: string
}

/**
 * An owner. Anyone may read a public one; an account needs the right to read another. What was published under an
 * immutable one, and deleted, can come back only as it was.
 */
export type Owner = { name: string; public: boolean; immutable?: true }

export const isExpired = (account: Account, now: number): boolean =>
  account.expires !== undefined && Date.parse(account.expires) <= now

/** The right to publish and delete. */
export const mayWrite = (rights: Rights, owner: string): boolean =>
  rights.admin || rights.write.includes(owner)

export const mayRead = (rights: Rights, owner: string): boolean =>
  mayWrite(rights, owner) || rights.read.includes(owner)

function parsed(text: string): Record<string, unknown> {
  const value = parseJson(text)
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

export const areOwnerNames = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((name) => typeof name === 'string' && isOwnerName(name))

/** The account in a file's text; `undefined` for a damaged file. Nobody can use such an account. */
export function parseAccount(name: string, text: string): Account | undefined {
  const { hash, hint, admin, read, write, created, expires } = parsed(text)
  if (typeof hash !== 'string' || !isTokenHash(hash) || typeof created !== 'string') return undefined
  if (typeof admin !== 'boolean' || !areOwnerNames(read) || !areOwnerNames(write)) return undefined
  const hinted = typeof hint === 'string' && isTokenHint(hint) ? { hint } : {}
  const account = { name, hash, ...hinted, admin, read, write, created }
  if (expires === undefined) return account
  return typeof expires === 'string' && !Number.isNaN(Date.parse(expires))
    ? { ...account, expires }
    : undefined
}

export function accountText(account: Account): string {
  const { name: _name, ...stored } = account
  return `${JSON.stringify(stored)}\n`
}

/**
 * The owner in a file's text. A damaged file makes a private owner: only an explicit `true` is public. It makes an
 * immutable one, too: nobody knows what the file said.
 */
export function parseOwner(name: string, text: string): Owner {
  const value: unknown = parseJson(text)
  const isDamaged = typeof value !== 'object' || value === null || Array.isArray(value)
  const { public: isPublic, immutable = false } = isDamaged ? { immutable: true } : (value as OwnerFields)
  return { name, public: isPublic === true, ...(immutable !== false && { immutable: true }) }
}

type OwnerFields = { public?: unknown; immutable?: unknown }

export const ownerText = (owner: Owner): string =>
  `${JSON.stringify({ public: owner.public, ...(owner.immutable && { immutable: true }) })}\n`

/** Credentials of a client: a token, and the account's name where the spelling of the header has one. */
export type Credentials = { account?: string; token: string }

/**
 * `account` owns the credentials. `claimed` is the existing account that they name, with a right token or not. With
 * `anothers` the token is right, but of another account than `claimed`.
 */
export type AccountMatch = { account: Account | undefined; claimed: string | undefined; anothers?: true }
