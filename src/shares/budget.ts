// Bytes that all accounts together hold of something. One account holds at most its share. Whoever finds no room is
// told so, and nobody waits here: so nobody can keep another one waiting.

import { Tally } from './tally.js'

/** What one body holds. */
export type Holding = {
  /** Adds `bytes` to it. `false`, and nothing is added, when they are over the share of the account. */
  take: (bytes: number) => boolean
  /** Takes back `bytes` that were taken. */
  give: (bytes: number) => void
  /** Takes back what is left. Nothing is taken afterwards. */
  end: () => void
}

export class Budget {
  /** Bytes that all may hold. */
  readonly #whole: number
  /** Bytes that are held. */
  readonly #held = new Tally()

  constructor(whole: number) {
    this.#whole = whole
  }

  /** Bytes that all hold now. */
  get held(): number {
    return this.#held.all
  }

  /** Begins to count what a body of `account` holds: nothing yet. The caller ends it. */
  hold(account: string): Holding {
    let mine = 0
    const add = (bytes: number): void => {
      mine += bytes
      this.#held.add(account, bytes)
    }
    return {
      take: (bytes) => {
        const fits = this.#held.of(account) + bytes <= this.#held.share(account, this.#whole)
        if (fits) add(bytes)
        return fits
      },
      give: (bytes) => add(-Math.min(bytes, mine)),
      end: () => add(-mine),
    }
  }
}
