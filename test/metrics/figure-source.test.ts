import { Registry } from 'prom-client'
import t from 'tap'
import { FigureSource } from '../../src/metrics/figure-source.js'

/** A source that answers what `answer.now` does, and what a scrape shows of it. */
function makeSource(mostMs?: number) {
  const registry = new Registry()
  const lines: string[] = []
  const answer = { now: async (): Promise<Record<string, number | Record<string, number>>> => ({}) }
  let looks = 0
  const figures = {
    one: { help: 'One.' },
    many: { help: 'Many.', label: 'lane' },
    grown_total: { help: 'Grown.', total: true as const },
  }
  const source = new FigureSource(
    { registry, log: (level, event, fields) => lines.push(`${level} ${event} ${fields?.['reason']}`) },
    'a',
    figures,
    () => (looks++, answer.now()),
    mostMs,
  )
  const shown = async (): Promise<string[]> =>
    (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return { source, answer, shown, lines, looks: () => looks }
}

t.test('what is not known is absent, and what is gone does not stay', async (t) => {
  const { source, answer, shown } = makeSource()
  answer.now = async () => ({ one: 0, many: { a: 1, b: 2 }, grown_total: 7 })
  t.ok(await source.collect())
  t.same(await shown(), ['one 0', 'many{lane="a"} 1', 'many{lane="b"} 2', 'grown_total 7'])
  answer.now = async () => ({ many: { b: 3 }, grown_total: 9 })
  t.ok(await source.collect())
  t.same(await shown(), ['many{lane="b"} 3', 'grown_total 9'])
})

t.test('a look that fails leaves nothing to be shown, and one line in the log', async (t) => {
  const { source, answer, shown, lines } = makeSource()
  answer.now = async () => ({ one: 1, grown_total: 1 })
  await source.collect()
  answer.now = () => Promise.reject(new Error('EIO'))
  for (let time = 0; time < 2; time++) t.notOk(await source.collect())
  t.same(await shown(), [])
  t.same(lines, ['warn metrics EIO'])
  answer.now = async () => ({ one: 2 })
  t.ok(await source.collect())
  t.same(await shown(), ['one 2'])
})

t.test('a look that hangs is given up, and is not begun twice', async (t) => {
  const { source, answer, shown, lines, looks } = makeSource(1)
  let end = (_values: Record<string, number>): void => {}
  answer.now = () => new Promise((resolve) => (end = resolve))
  for (let time = 0; time < 3; time++) t.notOk(await source.collect())
  t.equal(looks(), 1)
  t.same(lines, ['warn metrics no answer within 0.001 s'])
  end({ one: 1 })
  await new Promise((resolve) => setImmediate(resolve))
  answer.now = async () => ({ one: 2 })
  t.ok(await source.collect())
  t.same(await shown(), ['one 2'])
})
