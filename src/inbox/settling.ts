// Which files of the inbox may be taken, and when. A file must have been left alone for a while. A file that could not
// be taken waits, longer each time. Times are of performance.now(), in ms.

/** Files that are remembered. The others are found when these have been taken. */
const MAX_WAITING = 10_000
const MAX_DELAY_MS = 60_000

/** A file that waits to be taken: what it is like `since`, and why and how often it could not be taken. */
type Waiting = { signature: string; since: number; notBefore: number; tries: number; reason?: string }

export class Settling {
  /** How long a file must have been left alone. */
  readonly #settleMs: number
  /** path => the file as it was seen last */
  readonly #waiting = new Map<string, Waiting>()
  /** The waiting files that this look has seen. */
  #seen = new Set<string>()
  /** Whether the next look must come at once: for more files than are remembered, or a file that must settle anew. */
  #again = false

  constructor(settleMs: number) {
    this.#settleMs = settleMs
  }

  /** Begins a look at the whole inbox. */
  beginLook(): void {
    this.#seen = new Set()
    this.#again = false
  }

  /** Remembers a file that the look has found. Returns whether it may be taken now. */
  isDue(path: string, signature: string, now: number): boolean {
    const before = this.#waiting.get(path)
    if (!before && this.#waiting.size >= MAX_WAITING) {
      this.#again = true
      return false
    }
    this.#seen.add(path)
    if (before?.signature === signature)
      return now - before.since >= this.#settleMs && now >= before.notBefore
    this.#waiting.set(path, { signature, since: now, notBefore: 0, tries: 0 })
    return false
  }

  /** Ends a look: forgets the files that it has not seen. */
  endLook(): void {
    for (const path of this.#waiting.keys()) if (!this.#seen.has(path)) this.#waiting.delete(path)
  }

  /** Forgets a file that was taken. */
  taken(path: string): void {
    this.#waiting.delete(path)
  }

  /** A file has changed while it was taken: it settles anew. */
  changed(path: string): void {
    this.#waiting.delete(path)
    this.#again = true
  }

  /** A file could not be taken. Returns whether the reason is another one than the last time. */
  postpone(path: string, reason: string, now: number): boolean {
    const before = this.#waiting.get(path)
    if (!before) return false
    const notBefore = now + Math.min(1000 * 2 ** before.tries, MAX_DELAY_MS)
    this.#waiting.set(path, { ...before, tries: before.tries + 1, notBefore, reason })
    return reason !== before.reason
  }

  /** In how many ms the next look is worth while, `most` at most; 0 or less for at once. */
  nextLookIn(most: number, now: number): number {
    if (this.#again) return 0
    let next = most
    for (const { since, notBefore } of this.#waiting.values())
      next = Math.min(next, Math.max(since + this.#settleMs, notBefore) - now)
    return next
  }
}
