// Counts something that all accounts share, of each account and of all.

import { shareOf } from './share.js'

export class Tally {
  /** What all have, and what is counted for no account. */
  #all = 0
  /** account → what it has; an account without any is absent. */
  readonly #of = new Map<string, number>()

  get all(): number {
    return this.#all
  }

  of(account: string): number {
    return this.#of.get(account) ?? 0
  }

  /** Adds `count`, which may be negative, for all, and for `account` if there is one. */
  add(account: string | undefined, count: number): void {
    this.#all += count
    if (account === undefined) return
    const now = this.of(account) + count
    if (now === 0) this.#of.delete(account)
    else this.#of.set(account, now)
  }

  /** How many of `whole` the account may have now: its {@link shareOf} what the others leave, and one at least. */
  share(account: string, whole: number): number {
    return Math.max(1, shareOf(whole, this.#all - this.of(account)))
  }
}
