/** A number of places. Whoever finds none free waits for one, and comes before those who wait since later. */
export class Places {
  #free: number
  /** Each gets the place of one that leaves. */
  readonly #waiting: (() => void)[] = []

  constructor(most: number) {
    this.#free = most
  }

  /** Resolves with a place, as the function that leaves it. Leaving it twice is leaving it once. */
  async take(): Promise<() => void> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    let isLeft = false
    return () => {
      if (isLeft) return
      isLeft = true
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }
}
