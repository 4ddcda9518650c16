// Remembers which packages were changed, for a backup that copies files beside the changes.

/** Keys are those of queueKey, and of {@link ownerKey}. */
export class Watch {
  /** key → the count at its last change */
  readonly #touched = new Map<string, number>()
  /** The changes so far. */
  #count = 0

  /** `keys` may be changing already. */
  constructor(keys: Iterable<string>) {
    for (const key of keys) this.touch(key)
  }

  /** Call it before a change of `key` can be seen. */
  touch(key: string): void {
    this.#touched.set(key, ++this.#count)
  }

  /** What was changed after the `count` of an earlier answer, or since the beginning for 0. */
  since(count: number): Touched {
    const keys = [...this.#touched].flatMap(([key, at]) => (at > count ? [key] : []))
    return { keys, count: this.#count }
  }
}

/** The keys that were changed. Ask with `count` for the changes after these. */
export type Touched = { keys: string[]; count: number }

const OWNER = 'owner '

/** Stands for an owner that is removed with its packages. No key of a package is like it. */
export const ownerKey = (owner: string): string => `${OWNER}${owner}`

/** The owner of an {@link ownerKey}; `undefined` for the key of a package. */
export const removedOwner = (key: string): string | undefined =>
  key.startsWith(OWNER) ? key.slice(OWNER.length) : undefined
