/**
 * Runs `work` for each item of `source`, at most `most` of them at the same time. Yields the results as they come.
 * Takes no item before it can run. When it is left early, or something throws, it waits for the items that run.
 */
export async function* someAtOnce<T, R>(
  most: number,
  source: AsyncIterable<T>,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const running = new Map<number, Promise<{ id: number; result: R }>>()
  let count = 0
  async function next(): Promise<R> {
    const { id, result } = await Promise.race(running.values())
    running.delete(id)
    return result
  }
  try {
    for await (const item of source) {
      const id = count++
      running.set(
        id,
        work(item).then((result) => ({ id, result })),
      )
      if (running.size >= most) yield await next()
    }
    while (running.size > 0) yield await next()
  } finally {
    await Promise.allSettled(running.values())
  }
}
