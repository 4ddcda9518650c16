// nginx asks who may read, for credentials in spellings that it does not know.

import { isDeclared } from '../access/files.js'
import { mayRead } from '../access/rights.js'
import { Refusal } from '../errors.js'
import { identify, type Needs } from './authorize.js'
import type { RequestContext } from './request-state.js'

/** Headers that nginx sets, whatever the client sent. */
const OWNER_HEADER = 'X-Plinth-Owner'
const PATH_HEADER = 'X-Plinth-Path'

/**
 * `GET /-/asked` → 204 · 401. nginx slows wrong credentials down, as it does with those that it knows. `account:token`
 * is nginx's own to check: when a derived file is lost, it stays closed.
 */
export async function answerWhetherReader(needs: Needs, ctx: RequestContext): Promise<void> {
  ctx.state.path = ctx.get(PATH_HEADER).split('?', 1)[0] ?? ''
  const owner = ctx.get(OWNER_HEADER)
  const identity = await identify(needs, ctx).catch(unlessTooMany)
  const isReader =
    identity !== undefined &&
    'account' in identity &&
    identity.account.name !== identity.claimed &&
    mayRead(identity.account, owner) &&
    (await isDeclared(needs.store, owner))
  if (isReader) identity.attempt.forgive()
  ctx.status = isReader ? 204 : 401
  ctx.state.isQuiet = !isReader // nginx logs what it refuses
}

/** nginx would take a 429 for a failure. It is not known whether the credentials are right: they are slowed down. */
function unlessTooMany(error: unknown): undefined {
  if (!(error instanceof Refusal && error.status === 429)) throw error
}
