// One line that changes in place, on a terminal only.

const SHOW_EVERY_MS = 100

const MB = (bytes: number): string => (bytes / 1e6).toFixed(1)

/** `show` is told bytes done and bytes in all, as often as one likes. */
export function makeProgress(what: string, out: NodeJS.WriteStream = process.stderr) {
  let shown = 0
  return {
    show: (done: number, total: number): void => {
      if (!out.isTTY || performance.now() - shown < SHOW_EVERY_MS) return
      shown = performance.now()
      out.write(`\r\x1b[K${what} ${MB(done)} of ${MB(total)} MB`)
    },
    clear: (): void => {
      if (shown > 0) out.write('\r\x1b[K')
      shown = 0
    },
  }
}
