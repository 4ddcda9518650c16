// Counts how much work there is, beside the work itself, for the progress that a person watches.

export class CountAhead<Item> {
  #total: number | undefined
  #stopped = false

  /** Begins to count the items that `isCounted`. When that fails the total stays unknown: the work itself will tell. */
  constructor(items: AsyncIterable<Item>, isCounted: (item: Item) => boolean = () => true) {
    this.#count(items, isCounted).catch(() => {})
  }

  /** `of` is the total, when it is known. */
  get known(): { of?: number } {
    return this.#total === undefined ? {} : { of: this.#total }
  }

  /** Counts no further. */
  stop(): void {
    this.#stopped = true
  }

  async #count(items: AsyncIterable<Item>, isCounted: (item: Item) => boolean): Promise<void> {
    let count = 0
    for await (const item of items) {
      if (this.#stopped) return
      if (isCounted(item)) count++
    }
    this.#total = count
  }
}
