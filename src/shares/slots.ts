// Counts what is under way, of all accounts and of each. What is over the share of its account does not begin.

import { shareOf } from './share.js'

/** What ran when one more did not begin: as much as all may have, or as much as its account may have. */
type Full = { of: 'all' | 'account'; count: number }

export class Slots {
  /** How many there are. */
  readonly #most: number
  /** How many are taken. */
  #taken = 0
  /** account → how many it has taken; an account without any is absent. */
  readonly #takenBy = new Map<string, number>()

  constructor(most: number) {
    this.#most = most
  }

  /** Runs `action` in a slot of `account`. When there is none for it, throws what `refuse` makes. */
  async run<T>(account: string, refuse: (full: Full) => Error, action: () => Promise<T>): Promise<T> {
    const mine = this.#takenBy.get(account) ?? 0
    const share = Math.max(1, shareOf(this.#most, this.#taken - mine))
    if (this.#taken >= this.#most) throw refuse({ of: 'all', count: this.#most })
    if (mine >= share) throw refuse({ of: 'account', count: mine })
    this.#add(account, 1)
    try {
      return await action()
    } finally {
      this.#add(account, -1)
    }
  }

  #add(account: string, count: 1 | -1): void {
    const mine = (this.#takenBy.get(account) ?? 0) + count
    this.#taken += count
    if (mine === 0) this.#takenBy.delete(account)
    else this.#takenBy.set(account, mine)
  }
}
