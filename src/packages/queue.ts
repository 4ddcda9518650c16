// Runs actions of one key one after the other, and actions of different keys side by side.

export class Queue {
  /** key → the last action of that key; a key without an action under way is absent. */
  readonly #tails = new Map<string, Promise<unknown>>()

  /** Runs `action` when every earlier action of the same key has ended, failed or not. */
  async run<T>(key: string, action: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key) ?? Promise.resolve()
    const mine = before.then(action, action)
    this.#tails.set(key, mine)
    try {
      return await mine
    } finally {
      if (this.#tails.get(key) === mine) this.#tails.delete(key)
    }
  }

  /** The keys of which an action is under way or waits. */
  keys(): Iterable<string> {
    return this.#tails.keys()
  }

  /** Resolves when every action has ended that is under way or waits now and whose key `isMeant`. */
  async idle(isMeant: (key: string) => boolean): Promise<void> {
    await Promise.allSettled([...this.#tails].flatMap(([key, tail]) => (isMeant(key) ? [tail] : [])))
  }
}
