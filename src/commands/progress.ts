// How far a long command is.

const SHOW_EVERY_MS = 100

/** One line that changes in place, on a terminal only. */
export function makeProgress(out: NodeJS.WriteStream) {
  let shown = 0
  return {
    clear: (): void => void (shown > 0 && out.write('\r\x1b[K')),
    show: (text: string): void => {
      if (!out.isTTY || performance.now() - shown < SHOW_EVERY_MS) return
      shown = performance.now()
      out.write(`\r\x1b[K${text}`)
    },
  }
}
