// Reads many small files, some at a time.

/** One after the other, 10,000 files take over a second. */
const READ_AT_ONCE = 64

/** Runs `read` for each of `items`, some at a time. Resolves with the results in the order of the items. */
export async function readEach<Item, T>(
  items: readonly Item[],
  read: (item: Item) => Promise<T>,
): Promise<T[]> {
  const found: T[] = []
  for (let i = 0; i < items.length; i += READ_AT_ONCE)
    found.push(...(await Promise.all(items.slice(i, i + READ_AT_ONCE).map((item) => read(item)))))
  return found
}
