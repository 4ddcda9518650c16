// Who may write where: credentials, then the owner, then the permission, all before a body is asked for.

import type { Context } from 'koa'
import type { Access } from '../access/access.js'
import { parseCredentials } from './credentials.js'
import { mayWrite } from '../access/rights.js'
import { Refusal } from '../errors.js'
import type { FailedLogins } from './failed-logins.js'

const unauthorized = (message: string): Refusal =>
  new Refusal(401, message, { headers: { 'WWW-Authenticate': 'Basic realm="plinth", charset="UTF-8"' } })

/**
 * Lets through who may write to `owner`. Throws 401 for wrong credentials and for missing rights alike, later and
 * later when many come from one address and in the end 429; and 404 for an owner that nobody declared, told only to
 * those who could write to it.
 */
export async function mustBeAllowed(
  ctx: Context,
  access: Access,
  failures: FailedLogins,
  owner: string,
): Promise<void> {
  const credentials = parseCredentials(ctx.get('Authorization'))
  if (!credentials) throw unauthorized('credentials are needed: curl --user ACCOUNT:TOKEN')
  const { account, claimed } = await access.authenticate(credentials)
  if (account && mayWrite(account, owner)) {
    ctx.state['account'] = account.name
    await access.mustBeDeclared(owner)
    return
  }
  // Only a name that an account has: a token may stand in the name's place, and that is not for the log.
  ctx.state[account ? 'account' : 'claimed'] = account?.name ?? claimed
  if (!(await failures.wait(ctx.ip)))
    throw new Refusal(429, 'too many wrong credentials from this address: try again later', {
      headers: { 'Retry-After': '5' },
    })
  throw unauthorized(
    account ? `account ${account.name} may not write here` : 'wrong credentials: no account has this token',
  )
}
