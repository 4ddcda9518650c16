// Who may write where. The credentials are checked first, then the right to the owner, then whether the owner is
// declared; all of it before the body is asked for, and once more when it has come.

import { mustBeDeclared } from '../access/files.js'
import type { KnownAccounts } from '../access/known-accounts.js'
import { mayWrite, type Account, type Credentials } from '../access/rights.js'
import { Refusal } from '../errors.js'
import type { Store } from '../store/store.js'
import { parseCredentials } from './credentials.js'
import type { FailedLogins } from './failed-logins.js'
import type { RequestContext } from './request-state.js'

type Needs = { store: Store; accounts: KnownAccounts; failures: FailedLogins }

/** Asks again whether the request may write. Throws what the first answer would be now. */
export type StillAllowed = () => Promise<void>

const unauthorized = (message: string): Refusal =>
  new Refusal(401, message, { headers: { 'WWW-Authenticate': 'Basic realm="plinth", charset="UTF-8"' } })

const tooMany = (): Refusal =>
  new Refusal(429, 'too many wrong credentials from this address: try again later', {
    headers: { 'Retry-After': '5' },
  })

// The same words whether the account is gone, expired, or has another token.
const refusalFor = (account: Account | undefined): Refusal =>
  unauthorized(
    account ? `account ${account.name} may not write here` : 'wrong credentials: no account has this token',
  )

/**
 * Resolves when the request may write to `owner`, with a function that asks the same again. Throws a 401 for wrong
 * credentials and for missing rights. That answer waits when many come from one address, and in the end it is a 429.
 * Throws a 404 for an owner that is not declared, which is told only to those who could write to it.
 */
export async function mustBeAllowed(
  { store, accounts, failures }: Needs,
  ctx: RequestContext,
  owner: string,
): Promise<StillAllowed> {
  const credentials = parseCredentials(ctx.get('Authorization'))
  if (!credentials) throw unauthorized('credentials are needed: curl --user ACCOUNT:TOKEN')
  let counted: number | undefined
  const count = (): number => {
    counted ??= failures.count(ctx.ip)
    if (counted === undefined) throw tooMany()
    return counted
  }
  const { account, claimed } = await accounts.authenticate(credentials, count)
  if (account) ctx.state.account = account.name
  if (account && mayWrite(account, owner)) {
    if (counted !== undefined) failures.forgive(ctx.ip)
    await mustBeDeclared(store, owner)
    return () =>
      mustStillBeAllowed({ store, accounts }, { account: account.name, token: credentials.token }, owner)
  }
  // Only the name of an existing account is logged: a client may have put its token in the name's place.
  if (!account && claimed !== undefined) ctx.state.claimed = claimed
  await failures.wait(count())
  throw refusalFor(account)
}

/** `credentials` were right before. So a refusal is no failed login. */
async function mustStillBeAllowed(
  { store, accounts }: Pick<Needs, 'store' | 'accounts'>,
  credentials: Required<Credentials>,
  owner: string,
): Promise<void> {
  const { account } = await accounts.authenticate(credentials, () => {})
  if (!account || !mayWrite(account, owner)) throw refusalFor(account)
  await mustBeDeclared(store, owner)
}
