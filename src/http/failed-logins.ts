// Slows down wrong credentials, by a leaky bucket for each address. Requests with right credentials never wait: only
// those that make the service compare many tokens are counted first. nginx does the same for reads, and the numbers
// here are those of its limit_req.

/** Failures of a full bucket that are answered without a wait. */
const FREE = 10
/** Failures in a bucket at most, those that wait included. */
const MOST = 20
const REMEMBERED_ADDRESSES = 10_000

/** `level` is the number of failures in the bucket at the time `at`, in ms. */
type Bucket = { level: number; at: number }

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export class FailedLogins {
  /** Failures that leave a bucket each second. */
  readonly #perSecond: number
  /** The time in ms. */
  readonly #now: () => number
  /** Resolves after so many ms. */
  readonly #sleep: (ms: number) => Promise<void>
  /** address => its bucket, as it was at the last failure */
  readonly #buckets = new Map<string, Bucket>()

  constructor(perSecond: number, now = () => performance.now(), sleep = pause) {
    this.#perSecond = perSecond
    this.#now = now
    this.#sleep = sleep
  }

  /**
   * Counts a failure from `address`. Returns the time in ms that its answer must wait; `undefined`, and counts nothing,
   * when too many are counted already.
   */
  count(address: string): number | undefined {
    const at = this.#now()
    const level = this.#levelOf(address, at) + 1
    if (level > MOST + 1) return undefined
    if (this.#buckets.size >= REMEMBERED_ADDRESSES) this.#forgetEmpty(at)
    this.#buckets.set(address, { level, at })
    return (Math.max(0, level - 1 - FREE) * 1000) / this.#perSecond
  }

  /** Takes back what {@link count} counted: the credentials were right. */
  forgive(address: string): void {
    const at = this.#now()
    const level = this.#levelOf(address, at) - 1
    if (level > 0) this.#buckets.set(address, { level, at })
    else this.#buckets.delete(address)
  }

  /** Resolves when the answer has waited as long as {@link count} said. */
  async wait(ms: number): Promise<void> {
    if (ms > 0) await this.#sleep(ms)
  }

  #levelOf(address: string, at: number): number {
    const bucket = this.#buckets.get(address)
    return bucket ? Math.max(0, bucket.level - ((at - bucket.at) * this.#perSecond) / 1000) : 0
  }

  #forgetEmpty(at: number): void {
    for (const address of this.#buckets.keys())
      if (this.#levelOf(address, at) === 0) this.#buckets.delete(address)
    // So many addresses at once are not slowed down: memory comes first.
    if (this.#buckets.size >= REMEMBERED_ADDRESSES) this.#buckets.clear()
  }
}
