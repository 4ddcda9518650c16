// A small number for each of very many names, in a few bytes.

import { hash, randomBytes } from 'node:crypto'

/** The names that there is room for at first. */
const FIRST_CAPACITY = 1024

/**
 * Keeps a state, 0 to 255, for each name, in 12 to 27 bytes. It is 0 for a name that has none. A name is known by 64
 * bits of a salted hash. So nobody can choose two that are taken for one, and with ten million names it happens in one
 * of 370,000 runs.
 */
export class NameStates {
  readonly #salt = randomBytes(16).toString('hex')
  /** How many names have had each state last. */
  readonly #counts = new Float64Array(256)
  /** Two halves of a hash and a state for each place. A place without a name is 0, 0. */
  #high = new Uint32Array(FIRST_CAPACITY)
  #low = new Uint32Array(FIRST_CAPACITY)
  #states = new Uint8Array(FIRST_CAPACITY)
  #used = 0

  get(name: string): number {
    return this.#states[this.#placeOf(...this.#hashOf(name))] ?? 0
  }

  set(name: string, state: number): void {
    const [high, low] = this.#hashOf(name)
    let place = this.#placeOf(high, low)
    if (this.#isFree(place)) {
      // Three of four places are taken at most: so a search is short.
      if (4 * (this.#used + 1) > 3 * this.#high.length) {
        this.#grow()
        place = this.#placeOf(high, low)
      }
      this.#used++
      this.#high[place] = high
      this.#low[place] = low
    } else this.#count(this.#states[place] ?? 0, -1)
    this.#count(state, 1)
    this.#states[place] = state
  }

  /** How many names were set to `state` and to no other since. */
  count(state: number): number {
    return this.#counts[state] ?? 0
  }

  #count(state: number, more: number): void {
    this.#counts[state] = this.count(state) + more
  }

  #hashOf(name: string): [high: number, low: number] {
    const digest = hash('sha256', this.#salt + name, 'buffer')
    return [digest.readUInt32LE(0), digest.readUInt32LE(4) || 1] // 0, 0 is no name
  }

  #isFree(place: number): boolean {
    return this.#high[place] === 0 && this.#low[place] === 0
  }

  /** Where the hash is, or the free place where it belongs. */
  #placeOf(high: number, low: number): number {
    const last = this.#high.length - 1 // the length is a power of two
    let place = low & last
    while (!this.#isFree(place) && (this.#high[place] !== high || this.#low[place] !== low))
      place = (place + 1) & last
    return place
  }

  #grow(): void {
    const [highs, lows, states] = [this.#high, this.#low, this.#states]
    this.#high = new Uint32Array(2 * highs.length)
    this.#low = new Uint32Array(2 * lows.length)
    this.#states = new Uint8Array(2 * states.length)
    for (const [at, high] of highs.entries()) {
      const low = lows[at] ?? 0
      if (high === 0 && low === 0) continue
      const place = this.#placeOf(high, low)
      this.#high[place] = high
      this.#low[place] = low
      this.#states[place] = states[at] ?? 0
    }
  }
}
