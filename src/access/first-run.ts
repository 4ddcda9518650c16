// The first run on a data folder makes the account `admin` with its token, and the public owner `admin`.

import type { AuditLog } from '../audit/audit-log.js'
import type { Config } from '../config.js'
import { Store } from '../store/store.js'
import { addAccount } from './accounts.js'
import { deriveAccess } from './derive.js'
import { isDeclared } from './files.js'
import { addOwner } from './owners.js'
import { isExpired } from './rights.js'
import { newToken, tokenMatches } from './token.js'

export const FIRST_NAME = 'admin'

/** `token` is set only when this run made the account. It is stored nowhere and shown once. */
type FirstRun = { token?: string; warning?: string }

/** What to type where the first run made no account, because its token could be shown to nobody. */
const NO_ACCOUNT =
  'there is no account yet: make one with plinth account add admin --admin, which shows its token'

/**
 * Makes account and owner unless the folder has accounts. Call it while no service runs on the folder. Without
 * `mayShowToken`, and where no token is given, it makes the owner alone.
 */
export async function firstRun(
  config: Config,
  { mayShowToken = true, audit }: { mayShowToken?: boolean; audit?: AuditLog } = {},
): Promise<FirstRun> {
  const store = new Store(config.data)
  await store.prepare()
  const { accounts, damaged } = await deriveAccess(store) // nginx must not read what was lost or damaged meanwhile
  if (accounts.length + damaged.length > 0) {
    if (damaged.length > 0)
      return {
        warning: `damaged: the file of account ${damaged.join(', ')}; remove the account and add it again`,
      }
    const { adminToken } = config
    if (adminToken === undefined) return {}
    const now = Date.now()
    return accounts.some((account) => !isExpired(account, now) && tokenMatches(account.hash, adminToken))
      ? {}
      : { warning: 'PLINTH_ADMIN_TOKEN matches no account: it is read on the first run only' }
  }
  if (!(await isDeclared(store, FIRST_NAME))) await addOwner(store, { name: FIRST_NAME, public: true })
  if (config.adminToken === undefined && !mayShowToken) return { warning: NO_ACCOUNT }
  const token = config.adminToken ?? newToken()
  await addAccount(store, FIRST_NAME, token, { admin: true, read: [], write: [] })
  const by = { by: 'first run', result: 'done' } as const
  audit?.record({ ...by, kind: 'account', action: 'add', what: FIRST_NAME, rights: 'admin' })
  return { token }
}
