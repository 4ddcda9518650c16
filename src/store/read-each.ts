// Reads many small files, some at a time.

import { waitForAll } from './wait-for-all.js'

/** One after the other, 10,000 files take over a second. */
const READ_AT_ONCE = 64

/**
 * Runs `read` for each of `items`, some at a time. Resolves with the results in the order of the items. When one fails,
 * those that run have ended before it rejects: some of them write.
 */
export async function readEach<Item, T>(
  items: readonly Item[],
  read: (item: Item) => Promise<T>,
): Promise<T[]> {
  const found: T[] = []
  for (let i = 0; i < items.length; i += READ_AT_ONCE)
    found.push(...(await waitForAll(items.slice(i, i + READ_AT_ONCE).map((item) => read(item)))))
  return found
}
