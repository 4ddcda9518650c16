// How long to wait before a process that has ended is started again. Pure.

const LEAST_MS = 200
const MOST_MS = 30_000
/** A process that lived as long as this counts as one that works. */
const STEADY_MS = 60_000

export class RestartDelay {
  /** The delay after a process that worked, in ms. */
  readonly #firstMs: number
  /** The next delay, in ms. */
  #nextMs: number

  constructor(firstMs = LEAST_MS) {
    this.#firstMs = firstMs
    this.#nextMs = firstMs
  }

  /** The delay in ms after a process that worked for `livedMs`. It doubles from time to time, up to 30 s. */
  after(livedMs: number): number {
    if (livedMs >= STEADY_MS) this.reset()
    const delay = this.#nextMs
    this.#nextMs = Math.min(Math.max(delay * 2, LEAST_MS), MOST_MS)
    return delay
  }

  /** Begins anew with the first delay. */
  reset(): void {
    this.#nextMs = this.#firstMs
  }
}
