// Lets a few actions run at a time, and the others wait. An account that has many waiting delays its own, and no other
// account's: accounts take turns.

import { shareOf } from './share.js'

/** Runs when its turn has come. */
type Begin = () => void

export class FairTurns {
  /** How many run at a time, of all accounts. */
  readonly #most: number
  /** How many run at a time of one account, beside its share of {@link #most}. */
  readonly #each: number
  /** How many run. */
  #running = 0
  /** account → how many of its actions run; an account without any is absent. */
  readonly #runningOf = new Map<string, number>()
  /** account → its actions that wait, the first one first. The account whose turn is the longest ago comes first. */
  readonly #waiting = new Map<string, Begin[]>()

  constructor(most: number, each = Infinity) {
    this.#most = most
    this.#each = each
  }

  /** Runs `action` when it is the turn of `account`. Whoever calls bounds how many of one account wait. */
  async run<T>(account: string, action: () => Promise<T>): Promise<T> {
    if (!this.#isFree(account)) await this.#turnOf(account)
    else this.#begin(account)
    try {
      return await action()
    } finally {
      this.#end(account)
    }
  }

  // The share counts although nobody else waits: the next account to come shall find a free place.
  #isFree(account: string): boolean {
    const mine = this.#runningOf.get(account) ?? 0
    const share = Math.max(1, shareOf(this.#most, this.#running - mine))
    return this.#running < this.#most && mine < Math.min(share, this.#each)
  }

  #begin(account: string): void {
    this.#running++
    this.#runningOf.set(account, (this.#runningOf.get(account) ?? 0) + 1)
  }

  #turnOf(account: string): Promise<void> {
    return new Promise((resolve) => {
      const mine = this.#waiting.get(account)
      if (mine) mine.push(resolve)
      else this.#waiting.set(account, [resolve])
    })
  }

  #end(account: string): void {
    this.#running--
    const left = (this.#runningOf.get(account) ?? 1) - 1
    if (left === 0) this.#runningOf.delete(account)
    else this.#runningOf.set(account, left)
    const mine = this.#waiting.get(account)
    if (mine) {
      this.#waiting.delete(account)
      this.#waiting.set(account, mine) // it just had its turn: behind all other accounts
    }
    this.#next()
  }

  /** Begins what is first in turn, as long as there is a place for it: one that ended may enlarge others' shares. */
  #next(): void {
    for (const [account, [first, ...others]] of this.#waiting) {
      if (first === undefined || !this.#isFree(account)) continue
      this.#waiting.delete(account)
      if (others.length > 0) this.#waiting.set(account, others) // behind all other accounts
      this.#begin(account)
      first()
      return this.#next()
    }
  }
}
