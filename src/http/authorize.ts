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

/** What a check of credentials and rights needs. */
export type Needs = { store: Store; accounts: KnownAccounts; failures: FailedLogins }

/** Asks again whether the request may write. Throws what the first answer would be now. */
export type StillAllowed = () => Promise<void>

export const unauthorized = (message: string): Refusal =>
  new Refusal(401, message, { headers: { 'WWW-Authenticate': 'Basic realm="plinth", charset="UTF-8"' } })

const tooMany = (): Refusal =>
  new Refusal(429, 'too many wrong credentials from this address: try again later', {
    headers: { 'Retry-After': '5' },
  })

const anothersToken = (name: string): Refusal =>
  unauthorized(`the token is right, but it is not that of account ${name}: it says itself who it is`)

// The same words whether the account is gone, expired, or has another token.
const refusalFor = (account: Account | undefined): Refusal =>
  unauthorized(
    account ? `account ${account.name} may not write here` : 'wrong credentials: no account has this token',
  )

/** Counts a request as a failed login at most once. */
class Attempt {
  readonly #failures: FailedLogins
  readonly #address: string
  /** How long the answer must wait, in ms, when it was counted. */
  #counted: number | undefined

  constructor(failures: FailedLogins, address: string) {
    this.#failures = failures
    this.#address = address
  }

  /** Throws a 429 when too many were counted. */
  count(): number {
    this.#counted ??= this.#failures.count(this.#address)
    if (this.#counted === undefined) throw tooMany()
    return this.#counted
  }

  forgive(): void {
    if (this.#counted !== undefined) this.#failures.forgive(this.#address)
  }

  /** Counts it, and resolves when the answer has waited. */
  async fail(): Promise<void> {
    await this.#failures.wait(this.count())
  }
}

/** Whose credentials these are; `claimed` is the account that they name, `refusal` the 401 for wrong ones. */
type Identity = { token: string; attempt: Attempt; claimed: string | undefined } & (
  { account: Account } | { refusal: Refusal }
)

/** Finds whose credentials a request has, and notes it for the log. Throws a 401 when it has none. */
export async function identify(
  { accounts, failures }: Omit<Needs, 'store'>,
  ctx: RequestContext,
): Promise<Identity> {
  const credentials = parseCredentials(ctx.get('Authorization'))
  if (!credentials) throw unauthorized('credentials are needed: curl --user ACCOUNT:TOKEN')
  const attempt = new Attempt(failures, ctx.ip)
  const { account, claimed, anothers } = await accounts.authenticate(credentials, () => attempt.count())
  const identity = { token: credentials.token, attempt, claimed }
  if (account) {
    ctx.state.account = account.name
    return { ...identity, account }
  }
  // Only the name of an existing account is logged: a client may have put its token in the name's place.
  if (claimed !== undefined) ctx.state.claimed = claimed
  const refusal = anothers && claimed !== undefined ? anothersToken(claimed) : refusalFor(undefined)
  return { ...identity, refusal }
}

/** The account of right credentials. */
type Proven = { account: Account; token: string; attempt: Attempt }

/**
 * Resolves with the account of the request. Throws a 401 for missing and for wrong credentials. The answer to wrong
 * ones waits when many come from one address, and in the end it is a 429.
 */
export async function authenticated(needs: Omit<Needs, 'store'>, ctx: RequestContext): Promise<Proven> {
  const identity = await identify(needs, ctx)
  if ('account' in identity) return identity
  await identity.attempt.fail()
  throw identity.refusal
}

/**
 * Resolves when the request may write to `owner`, with a function that asks the same again. Throws a 401 for wrong
 * credentials and for missing rights. That answer waits when many come from one address, and in the end it is a 429.
 * Throws a 404 for an owner that is not declared, which is told only to those who could write to it.
 */
export async function mustBeAllowed(needs: Needs, ctx: RequestContext, owner: string): Promise<StillAllowed> {
  const { account, token, attempt } = await authenticated(needs, ctx)
  if (!mayWrite(account, owner)) {
    await attempt.fail()
    throw refusalFor(account)
  }
  attempt.forgive()
  await mustBeDeclared(needs.store, owner)
  return () => mustStillBeAllowed(needs, { account: account.name, token }, owner)
}

/** The account of credentials that were right before: so a refusal is no failed login. Throws a 401 when it is gone. */
export async function mustStillBe(
  { accounts }: Pick<Needs, 'accounts'>,
  credentials: Required<Credentials>,
): Promise<Account> {
  const { account } = await accounts.authenticate(credentials, () => {})
  if (!account) throw refusalFor(undefined)
  return account
}

async function mustStillBeAllowed(
  needs: Pick<Needs, 'store' | 'accounts'>,
  credentials: Required<Credentials>,
  owner: string,
): Promise<void> {
  const account = await mustStillBe(needs, credentials)
  if (!mayWrite(account, owner)) throw refusalFor(account)
  await mustBeDeclared(needs.store, owner)
}
