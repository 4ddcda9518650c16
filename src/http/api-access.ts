// Who may read what through the API. An owner that is private is not told from one that does not exist: without
// credentials the answer to both is 401, and 404 for an account without the right.

import { ownerNames, readOwner } from '../access/files.js'
import { isOwnerName, mayRead, mayWrite, type Account, type Owner } from '../access/rights.js'
import { quote, Refusal } from '../errors.js'
import { folders, publicMarker } from '../layout.js'
import type { Store } from '../store/store.js'
import type { Page } from './api-paging.js'
import { authenticated, unauthorized, type Needs } from './authorize.js'
import type { RequestContext } from './request-state.js'

const noSuchOwner = (name: string): Refusal =>
  new Refusal(404, `there is no owner ${quote(name)}, or this account may not read it`)

/** The account of the request; `undefined` without credentials. Throws a 401 for wrong ones. */
export async function accountOfRequest(needs: Needs, ctx: RequestContext): Promise<Account | undefined> {
  return ctx.get('Authorization') === '' ? undefined : mustBeAccount(needs, ctx)
}

/** The account of the request. Throws a 401 for missing and for wrong credentials. */
export async function mustBeAccount(needs: Needs, ctx: RequestContext): Promise<Account> {
  const { account, attempt } = await authenticated(needs, ctx)
  attempt.forgive()
  return account
}

/** The owner that the request may read. Throws a 401 or 404 when there is none. */
export async function ownerForReader(needs: Needs, ctx: RequestContext, name: string): Promise<Owner> {
  const account = await accountOfRequest(needs, ctx)
  const owner = await readableOwner(needs.store, account, name)
  if (owner) return owner
  throw account ? noSuchOwner(name) : unauthorized('credentials are needed: there is no such public owner')
}

// Whether a private owner exists is looked up for those alone who may read it: the time tells it nobody else.
async function readableOwner(
  store: Store,
  account: Account | undefined,
  name: string,
): Promise<Owner | undefined> {
  const isReader = account !== undefined && mayRead(account, name)
  if (!isReader && !(isOwnerName(name) && (await store.exists(publicMarker(name))))) return undefined
  const owner = await readOwner(store, name)
  return owner && (owner.public || isReader) ? owner : undefined
}

/** A page of the owners that an account may read, or anybody, in the order of their names, and how many they are. */
export async function readableOwners(
  store: Store,
  account: Account | undefined,
  { page, limit }: Page,
): Promise<{ shown: Owner[]; total: number }> {
  const names = account?.admin
    ? await ownerNames(store)
    : [
        ...new Set([
          ...(await store.names(folders.public)),
          ...(account ? [...account.read, ...account.write] : []),
        ]),
      ].sort()
  const shown: Owner[] = []
  for (const name of names.slice((page - 1) * limit, page * limit)) {
    const owner = await readOwner(store, name)
    if (owner && (owner.public || (account && mayRead(account, name)))) shown.push(owner)
  }
  return { shown, total: names.length }
}

/** {@link ownerForReader} for who may also delete. Throws a 403 for an account that may only read. */
export async function ownerForWriter(needs: Needs, ctx: RequestContext, name: string): Promise<Owner> {
  const account = await mustBeAccount(needs, ctx)
  const owner = await readableOwner(needs.store, account, name)
  if (!owner) throw noSuchOwner(name)
  if (!mayWrite(account, name)) throw new Refusal(403, `account ${account.name} may not write here`)
  return owner
}
