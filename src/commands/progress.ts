// The progress of a long command: one line that changes in place, on a terminal only.

const SHOW_EVERY_MS = 100

export class Progress {
  readonly #out: NodeJS.WriteStream
  /** When the line was shown last, of performance.now(); 0 when there is no line. */
  #shownAt = 0

  constructor(out: NodeJS.WriteStream = process.stderr) {
    this.#out = out
  }

  /** Shows `text` in place of the line before. It may be called as often as one likes. */
  show(text: string): void {
    if (!this.#out.isTTY || performance.now() - this.#shownAt < SHOW_EVERY_MS) return
    this.#shownAt = performance.now()
    this.#out.write(`\r\x1b[K${text}`)
  }

  /** Shows `done` of `total` bytes; `what` is done to them, as `uploading`. */
  showBytes(what: string, done: number, total: number): void {
    this.show(`${what} ${MB(done)} of ${MB(total)} MB`)
  }

  /** Removes the line. */
  clear(): void {
    if (this.#shownAt > 0) this.#out.write('\r\x1b[K')
    this.#shownAt = 0
  }
}

const MB = (bytes: number): string => (bytes / 1e6).toFixed(1)
