// One at a time per key: changes of one module run after each other, those of different modules side by side.

/** Runs `action` when every earlier action of the same key has ended, failed or not. */
export type Exclusively = <T>(key: string, action: () => Promise<T>) => Promise<T>

export function makeQueue(): Exclusively {
  const tails = new Map<string, Promise<unknown>>()
  return async (key, action) => {
    const before = tails.get(key) ?? Promise.resolve()
    const mine = before.then(action, action)
    tails.set(key, mine)
    try {
      return await mine
    } finally {
      if (tails.get(key) === mine) tails.delete(key)
    }
  }
}
