// The progress of a long command: one line that changes in place, on a terminal only.

const SHOW_EVERY_MS = 100

/** `show` may be told as often as one likes. */
export function makeProgress(out: NodeJS.WriteStream) {
  let shown = 0
  return {
    show: (text: string): void => {
      if (!out.isTTY || performance.now() - shown < SHOW_EVERY_MS) return
      shown = performance.now()
      out.write(`\r\x1b[K${text}`)
    },
    clear: (): void => {
      if (shown > 0) out.write('\r\x1b[K')
      shown = 0
    },
  }
}

const MB = (bytes: number): string => (bytes / 1e6).toFixed(1)

/** The same for `what` is done to bytes: `show` is told those done, and those in all. */
export function makeBytesProgress(what: string, out: NodeJS.WriteStream = process.stderr) {
  const { show, clear } = makeProgress(out)
  return {
    show: (done: number, total: number): void => show(`${what} ${MB(done)} of ${MB(total)} MB`),
    clear,
  }
}
