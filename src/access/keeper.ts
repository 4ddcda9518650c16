// Keeps what nginx reads of accounts and owners right while the service runs. nginx refuses an expired account within a
// second, and a change that a crash cut off is completed.

import { messageOf } from '../errors.js'
import { folders, packagesFolder } from '../layout.js'
import type { Log } from '../log.js'
import type { Store } from '../store/store.js'
import { deriveAccess } from './derive.js'
import type { KnownAccounts } from './known-accounts.js'

const LOOK_EVERY_MS = 1000

/** How many accounts there are, those that can be read and those that cannot, and when they expire in ms (epoch). */
type AccountFigures = { accounts: number; damaged: number; expiries: readonly number[] }

/** Looks every second whether a reason to derive has come up: an expiry that has passed, or a changed file. */
export class AccessKeeper {
  readonly #store: Store
  readonly #accounts: KnownAccounts
  readonly #log: Log
  /** The times of the watched folders, and who nginx's workers are, at the last derivation. */
  #seen = ''
  /** When the next account expires, in ms since the epoch. */
  #nextExpiry = Infinity
  /** The accounts, as the last derivation found them. */
  #figures: AccountFigures = { accounts: 0, damaged: 0, expiries: [] }
  /** The look that is under way. */
  #looking: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor({ store, accounts, log }: { store: Store; accounts: KnownAccounts; log: Log }) {
    this.#store = store
    this.#accounts = accounts
    this.#log = log
  }

  /** Derives now, then looks regularly. Rejects when the first derivation fails. */
  async start(): Promise<void> {
    await this.#derive()
    this.#schedule()
  }

  /** Ends the looks and waits for the one that is under way. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#looking
  }

  /** The accounts, as they were a second ago at most. */
  get figures(): AccountFigures {
    return this.#figures
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      this.#looking = this.#look()
        .catch((error: unknown) =>
          this.#log('error', 'access could not be derived', { reason: messageOf(error) }),
        )
        .finally(() => this.#stopped || this.#schedule())
    }, LOOK_EVERY_MS)
    this.#timer.unref()
  }

  async #look(): Promise<void> {
    if (this.#nextExpiry > Date.now() && (await this.#times()) === this.#seen) return
    await this.#derive()
  }

  async #derive(): Promise<void> {
    const times = await this.#times() // taken first: the next look sees a change that comes meanwhile
    const now = Date.now()
    const { accounts, damaged } = await deriveAccess(this.#store, () => this.#accounts.all())
    if (damaged.length > 0) this.#log('warn', 'damaged account', { accounts: damaged.join(', ') })
    const expiries = accounts.map(({ expires }) => (expires === undefined ? Infinity : Date.parse(expires)))
    this.#figures = {
      accounts: accounts.length,
      damaged: damaged.length,
      expiries: expiries.filter(Number.isFinite),
    }
    this.#nextExpiry = Math.min(Infinity, ...expiries.filter((expiry) => expiry > now))
    this.#seen = times
  }

  async #times(): Promise<string> {
    // The third folder is derived, but copying a tree into it may remove the folder that an owner's marker leads to.
    const watched = [folders.accounts, folders.owners, packagesFolder]
    const found = await Promise.all(watched.map((folder) => this.#store.status(folder)))
    // A start of nginx with other workers gives the folder of readers to another group.
    const readers = await this.#store.status(folders.readers)
    return [...found.map((status) => status?.mtimeMs), readers?.gid, readers?.mode].join()
  }
}
