// A wait that has an end.

/** Resolves with `promise`, or with `late` when that takes longer than `ms`. No timer is left behind. */
export async function inTime<T, const L>(ms: number, late: L, promise: Promise<T>): Promise<T | L> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<L>((resolve) => {
    timer = setTimeout(resolve, ms, late)
  })
  try {
    return await Promise.race([promise, over])
  } finally {
    clearTimeout(timer)
  }
}
