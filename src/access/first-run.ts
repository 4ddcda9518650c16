// The first run on a data folder: the account `admin` with its token, and the public owner `admin`.

import { openAccess } from './access.js'
import type { Config } from '../config.js'
import { deriveAccess } from './derive.js'
import { openStore } from '../store/store.js'
import { newToken } from './token.js'

export const FIRST_NAME = 'admin'

/** `token` is there only when this run made the account: it is stored nowhere and shown once. */
export type FirstRun = { token?: string; warning?: string }

/** Makes what the first run makes, unless there are accounts already. Call it while no service runs on the folder. */
export async function firstRun(config: Config): Promise<FirstRun> {
  const store = openStore(config.data)
  await store.prepare()
  const access = openAccess(store)
  const { accounts, damaged } = await access.accounts()
  if (accounts.length + damaged.length > 0) {
    await deriveAccess(store) // whatever was lost or damaged meanwhile, before nginx reads it
    if (damaged.length > 0)
      return {
        warning: `damaged: the file of account ${damaged.join(', ')}; remove the account and add it again`,
      }
    if (config.adminToken === undefined) return {}
    const { account } = await access.authenticate({ token: config.adminToken })
    return account
      ? {}
      : { warning: 'PLINTH_ADMIN_TOKEN is no token of any account: it is read on the first run only' }
  }
  const token = config.adminToken ?? newToken()
  if (!(await access.ownerExists(FIRST_NAME))) await access.addOwner({ name: FIRST_NAME, public: true })
  await access.addAccount(FIRST_NAME, token, { admin: true, read: [], write: [] })
  return { token }
}
