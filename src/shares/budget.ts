// Bytes that all accounts together hold of something. One account holds at most its share. Whoever finds no room is
// told so, and nobody waits here: so nobody can keep another one waiting.

import { Tally } from './tally.js'

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

  /** Adds `bytes` to what the account holds. `false`, and nothing is added, when they are over its share. */
  take(account: string, bytes: number): boolean {
    if (this.#held.of(account) + bytes > this.#held.share(account, this.#whole)) return false
    this.#held.add(account, bytes)
    return true
  }

  /** Takes back `bytes` that were taken. */
  give(account: string, bytes: number): void {
    this.#held.add(account, -bytes)
  }
}
