// Lets a few actions run at a time, and the others wait. An account that has many waiting delays its own, and no other
// account's: accounts take turns.

import { Tally } from './tally.js'

/** Runs when its turn has come. */
type Begin = () => void

/** Further places that are for anybody, while `isFree`: nobody else needs what they take. */
export type SparePlaces = { places: number; isFree: () => boolean }

/** How many actions run now, of how many, and how many wait. */
export type TurnFigures = { running: number; most: number; waiting: number }

export class FairTurns {
  /** How many run at a time, of all accounts. */
  readonly #most: number
  /** How many run at a time of one account, beside its share of {@link #most}. */
  readonly #each: number
  /** Places beside {@link #most}. */
  readonly #spare: SparePlaces
  /** How many run. */
  readonly #running = new Tally()
  /** account → its actions that wait, the first one first. The account whose turn is the longest ago comes first. */
  readonly #waiting = new Map<string, Begin[]>()

  constructor(most: number, each = Infinity, spare: SparePlaces = { places: 0, isFree: () => false }) {
    this.#most = most
    this.#each = each
    this.#spare = spare
  }

  /** How many run now, of how many, and how many wait. */
  get figures(): TurnFigures {
    const waiting = [...this.#waiting.values()].reduce((sum, { length }) => sum + length, 0)
    return { running: this.#running.all, most: this.#most + this.#spare.places, waiting }
  }

  /** Runs `action` when it is the turn of `account`. Whoever calls bounds how many of one account wait. */
  async run<T>(account: string, action: () => Promise<T>): Promise<T> {
    if (!this.#isFree(account)) await this.#turnOf(account)
    else this.#running.add(account, 1)
    try {
      return await action()
    } finally {
      this.#end(account)
    }
  }

  // The share counts although nobody else waits: the next account to come shall find a free place.
  #isFree(account: string): boolean {
    const { all } = this.#running
    if (all >= this.#most) return all < this.#most + this.#spare.places && this.#spare.isFree()
    return this.#running.of(account) < Math.min(this.#running.share(account, this.#most), this.#each)
  }

  #turnOf(account: string): Promise<void> {
    return new Promise((resolve) => {
      const mine = this.#waiting.get(account)
      if (mine) mine.push(resolve)
      else this.#waiting.set(account, [resolve])
    })
  }

  #end(account: string): void {
    this.#running.add(account, -1)
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
      this.#running.add(account, 1)
      first()
      return this.#next()
    }
  }
}
