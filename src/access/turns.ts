// Turns for costly work that strangers can ask for: one at a time, few that wait, and a rest after each. Whatever
// comes in, the work takes a small share of the time, and everybody else's requests the rest.

import { Refusal } from '../errors.js'

/** Who waits for a turn at most, the one whose turn it is included. */
const MOST = 8
/** The rest after a turn, in times of its duration. */
const REST = 4

export class Turns {
  /** Those that wait or have their turn. */
  #taken = 0
  /** Resolves when the last turn that was asked for is over, with the rest after it. */
  #last: Promise<void> = Promise.resolve()

  /** Throws a 429 when too many wait already. */
  mustHaveRoom(): void {
    if (this.#taken < MOST) return
    throw new Refusal(429, 'too many tokens are being looked for: try again later, or send ACCOUNT:TOKEN', {
      headers: { 'Retry-After': '2' },
    })
  }

  /** Runs `action` when every earlier turn is over. */
  async run<T>(action: () => Promise<T>): Promise<T> {
    this.#taken++
    const before = this.#last
    let end = (): void => {}
    this.#last = new Promise((resolve) => (end = resolve))
    await before
    const start = performance.now()
    try {
      return await action()
    } finally {
      this.#taken--
      setTimeout(end, (performance.now() - start) * REST)
    }
  }
}
