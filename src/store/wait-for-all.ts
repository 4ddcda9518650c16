/**
 * Promise.all that ends when all have ended, and then throws the first failure: what is still writing must not meet
 * what cleans up after it.
 */
export async function waitForAll<T extends readonly unknown[]>(
  actions: readonly [...{ [K in keyof T]: Promise<T[K]> }],
): Promise<T>
export async function waitForAll<T>(actions: readonly Promise<T>[]): Promise<T[]>
export async function waitForAll(actions: readonly Promise<unknown>[]): Promise<unknown[]> {
  const failed = (await Promise.allSettled(actions)).find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
  return Promise.all(actions)
}
