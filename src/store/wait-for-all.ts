/**
 * Promise.all that waits until all have settled, and then throws the first failure: an action that still writes must
 * not meet the cleanup after it.
 */
export async function waitForAll<T extends readonly Promise<unknown>[] | []>(
  actions: T,
): Promise<{ -readonly [Index in keyof T]: Awaited<T[Index]> }> {
  const untyped: readonly Promise<unknown>[] = actions
  const failed = (await Promise.allSettled(untyped)).find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
  return Promise.all(actions)
}
