// The line that tells how far a long command is.

import t from 'tap'
import { Progress } from '../../src/commands/progress.js'

/** A terminal of so many columns, or none, and what was written to it. */
function screen(columns: number, isTTY = true) {
  const written: string[] = []
  const out = { isTTY, columns, write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream
  return { out, written }
}

t.test('what it shows', async (t) => {
  const shown = (show: (progress: Progress) => void, columns = 80): string => {
    const { out, written } = screen(columns)
    show(new Progress(out))
    return written.join('').replaceAll('\r\u001b[K', '')
  }
  t.equal(
    shown((progress) => progress.showCount('versions', 5, 10)),
    'versions 5 of 10',
  )
  t.equal(
    shown((progress) => progress.showCount('versions', 5, undefined, 'a\nb')),
    'versions 5; a\\u000ab',
  )
  t.equal(
    shown((progress) => progress.showBytes('uploading', 1e6, 2e6)),
    'uploading 1.0 of 2.0 MB',
  )
  t.equal(
    shown((progress) => progress.show('x'.repeat(100)), 20),
    'x'.repeat(19),
    'it stays one line',
  )
})

t.test('the time that is left follows from what is done', async (t) => {
  const now = performance.now.bind(performance)
  let ahead = 0
  t.intercept(performance, 'now', { value: () => now() + ahead })
  const { out, written } = screen(80)
  const progress = new Progress(out)
  for (const [ms, done, says] of [
    [1000, 1, /^versions 1 of 100$/],
    [10_000, 10, /^versions 10 of 100, 2 min left$/],
    [100_000, 50, /^versions 50 of 100, 2 min left$/],
    [100_200, 100, /^versions 100 of 100$/],
  ] as const) {
    ahead = ms
    progress.showCount('versions', done, 100)
    t.match((written.at(-1) ?? '').replace('\r\u001b[K', ''), says)
  }
})

t.test('without a terminal there is none', async (t) => {
  const { out, written } = screen(80, false)
  const progress = new Progress(out)
  progress.show('x')
  progress.clear()
  t.same(written, [])
  t.notOk(progress.isSeen)
})
