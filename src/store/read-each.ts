// Reads many small files, some at a time.

/** One after the other, 10,000 files take over a second. */
const READ_AT_ONCE = 64

/** Runs `read` for each name, some at a time. Resolves with the results in the order of the names. */
export async function readEach<T>(
  names: readonly string[],
  read: (name: string) => Promise<T>,
): Promise<T[]> {
  const found: T[] = []
  for (let i = 0; i < names.length; i += READ_AT_ONCE)
    found.push(...(await Promise.all(names.slice(i, i + READ_AT_ONCE).map(read))))
  return found
}
