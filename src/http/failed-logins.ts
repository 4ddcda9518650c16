// Wrong credentials slowed down, per address: a leaky bucket for each. Who sends right ones never waits. nginx does
// the same for reads; the numbers here are those of its limit_req.

/** Failures at once that are answered at once, and those that are in the bucket at most, the waiting included. */
const FREE = 10
const MOST = 20
const REMEMBERED_ADDRESSES = 10_000

export type FailedLogins = ReturnType<typeof makeFailedLogins>

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** `perSecond` failures leave an address's bucket; `now` and `sleep` are in ms. */
export function makeFailedLogins(perSecond: number, now = () => performance.now(), sleep = pause) {
  const buckets = new Map<string, { level: number; at: number }>()

  function levelOf(address: string, at: number): number {
    const bucket = buckets.get(address)
    return bucket ? Math.max(0, bucket.level - ((at - bucket.at) * perSecond) / 1000) : 0
  }

  function forgetEmpty(at: number): void {
    for (const address of buckets.keys()) if (levelOf(address, at) === 0) buckets.delete(address)
    if (buckets.size >= REMEMBERED_ADDRESSES) buckets.clear() // so many at once are not slowed: memory comes first
  }

  return {
    /** One more failure from `address`: waits as long as its answer must; `false` at once when too many wait. */
    async wait(address: string): Promise<boolean> {
      const at = now()
      const level = levelOf(address, at) + 1
      if (level > MOST + 1) return false
      if (buckets.size >= REMEMBERED_ADDRESSES) forgetEmpty(at)
      buckets.set(address, { level, at })
      const excess = level - 1 - FREE
      if (excess > 0) await sleep((excess * 1000) / perSecond)
      return true
    },
  }
}
