// Counts what is under way, of all accounts and of each. What is over the share of its account does not begin.

import { Tally } from './tally.js'

/** What ran when one more did not begin: as much as all may have, or as much as its account may have. */
type Full = { of: 'all' | 'account'; count: number }

export class Slots {
  /** How many there are. */
  readonly #most: number
  /** How many are taken. */
  readonly #taken = new Tally()

  constructor(most: number) {
    this.#most = most
  }

  /** How many are taken now, of how many. */
  get figures(): { taken: number; most: number } {
    return { taken: this.#taken.all, most: this.#most }
  }

  /** Runs `action` in a slot of `account`. When there is none for it, throws what `refuse` makes. */
  async run<T>(account: string, refuse: (full: Full) => Error, action: () => Promise<T>): Promise<T> {
    if (this.#taken.all >= this.#most) throw refuse({ of: 'all', count: this.#most })
    const mine = this.#taken.of(account)
    if (mine >= this.#taken.share(account, this.#most)) throw refuse({ of: 'account', count: mine })
    this.#taken.add(account, 1)
    try {
      return await action()
    } finally {
      this.#taken.add(account, -1)
    }
  }
}
