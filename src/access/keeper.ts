// Keeps what nginx reads of accounts and owners right while the service runs: an account that expires is refused
// within a second, and a change that a crash cut off in the middle is completed.

import { deriveAccess } from './derive.js'
import { readAccounts } from './files.js'
import { messageOf } from '../errors.js'
import { folders, packagesFolder } from '../layout.js'
import type { Log } from '../log.js'
import type { Store } from '../store/store.js'

const LOOK_EVERY_MS = 1000

/**
 * Derives now, and looks every second whether there is a reason to do it again: an expiry that has passed since, or
 * accounts and owners that were changed (a rename gives their folder a new time). Rejects when the first one fails.
 */
export async function keepAccessDerived(store: Store, log: Log, every = LOOK_EVERY_MS) {
  let seen = ''
  let nextExpiry = Infinity

  async function timesOfTruth(): Promise<string> {
    // The third is no truth, but a copy of a tree may take away an owner's folder that its marker leads to.
    const watched = [folders.accounts, folders.owners, packagesFolder]
    const found = await Promise.all(watched.map((folder) => store.status(folder)))
    return found.map((status) => status?.mtimeMs).join()
  }

  async function derive(): Promise<void> {
    const times = await timesOfTruth() // looked at before: what changes meanwhile is seen by the next look
    const now = Date.now()
    await deriveAccess(store)
    const { accounts, damaged } = await readAccounts(store)
    if (damaged.length > 0) log('warn', 'damaged account', { accounts: damaged.join(', ') })
    const expiries = accounts.map(({ expires }) => (expires === undefined ? Infinity : Date.parse(expires)))
    nextExpiry = Math.min(Infinity, ...expiries.filter((expiry) => expiry > now))
    seen = times
  }

  async function look(): Promise<void> {
    if (nextExpiry > Date.now() && (await timesOfTruth()) === seen) return
    await derive()
  }

  await derive()
  let looking: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout
  const schedule = (): void => {
    timer = setTimeout(() => {
      looking = look()
        .catch((error: unknown) => log('error', 'access could not be derived', { reason: messageOf(error) }))
        .finally(() => stopped || schedule())
    }, every)
    timer.unref()
  }
  let stopped = false
  schedule()
  return {
    stop: async (): Promise<void> => {
      stopped = true
      clearTimeout(timer)
      await looking
    },
  }
}
