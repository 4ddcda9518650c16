// The progress of a long command: one line that changes in place, on a terminal only.

import { visible } from '../errors.js'

const SHOW_EVERY_MS = 100
/** Before this the time that is left is not guessed. */
const UNSURE_MS = 2000

export class Progress {
  readonly #out: NodeJS.WriteStream
  /** When the work began, of performance.now(). */
  readonly #begun = performance.now()
  /** When the line was shown last, of performance.now(); 0 when there is no line. */
  #shownAt = 0

  constructor(out: NodeJS.WriteStream = process.stderr) {
    this.#out = out
  }

  /** Shows `text` in place of the line before. It may be called as often as one likes. */
  show(text: string): void {
    if (!this.isSeen || performance.now() - this.#shownAt < SHOW_EVERY_MS) return
    this.#shownAt = performance.now()
    // a line that is longer than the terminal would not be one line
    this.#out.write(`\r\x1b[K${text.slice(0, (this.#out.columns || 80) - 1)}`)
  }

  /** Shows `done` of `total` bytes; `what` is done to them, as `uploading`. */
  showBytes(what: string, done: number, total: number): void {
    this.show(`${what} ${MB(done)} of ${MB(total)} MB${this.#left(done, total)}`)
  }

  /** Whether anybody sees the line. */
  get isSeen(): boolean {
    return this.#out.isTTY === true
  }

  // versions 5 of 10, 7 s left; 1.2 MB: example.com/m@v1.0.0
  /** Shows `done` of `total` things, and behind them what else there is to say. The total may not be known yet. */
  showCount(what: string, done: number, total: number | undefined, more = ''): void {
    const of = total === undefined ? '' : ` of ${total}${this.#left(done, total)}`
    this.show(`${what} ${done}${of}${more && `; ${visible(more)}`}`)
  }

  // (5, 10) after 7 s → , 7 s left
  #left(done: number, total: number): string {
    const ms = performance.now() - this.#begun
    if (done <= 0 || done >= total || ms < UNSURE_MS) return ''
    return `, ${duration(((total - done) / done) * ms)} left`
  }

  /** Removes the line. */
  clear(): void {
    if (this.#shownAt > 0) this.#out.write('\r\x1b[K')
    this.#shownAt = 0
  }
}

const MB = (bytes: number): string => (bytes / 1e6).toFixed(1)

// 95_000 → 2 min
function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  if (seconds < 90) return `${seconds} s`
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`
}
