// One at a time per key: changes of one module run after each other, those of different modules side by side.

/** Runs `action` when every earlier action of the same key has ended, failed or not. */
export type Exclusively = <T>(key: string, action: () => Promise<T>) => Promise<T>

/** `idle` resolves when all actions of such keys that are there now have ended. */
export type Queue = Exclusively & { idle: (isMeant: (key: string) => boolean) => Promise<void> }

export function makeQueue(): Queue {
  const tails = new Map<string, Promise<unknown>>()
  const exclusively: Exclusively = async (key, action) => {
    const before = tails.get(key) ?? Promise.resolve()
    const mine = before.then(action, action)
    tails.set(key, mine)
    try {
      return await mine
    } finally {
      if (tails.get(key) === mine) tails.delete(key)
    }
  }
  const idle: Queue['idle'] = async (isMeant) => {
    await Promise.allSettled([...tails].flatMap(([key, tail]) => (isMeant(key) ? [tail] : [])))
  }
  return Object.assign(exclusively, { idle })
}
