// How the benchmark computes its figures.

import t from 'tap'
import { inTurns, isReached, median, quantile, ratioOf, type Row } from '../../scripts/bench/row.js'
import { tableLine } from '../../scripts/bench/table.js'

const row = (more: Partial<Row>): Row => ({ name: 'x', unit: 'ms', ours: [10, 20, 30], ...more })

t.test('quantiles', async (t) => {
  t.equal(median([3, 1, 2]), 2)
  t.equal(quantile([1, 2, 3, 4], 0.99), 4)
  t.ok(Number.isNaN(median([])))
})

t.test('rounds are compared with those that ran beside them', async (t) => {
  t.equal(ratioOf(row({ base: [10, 10, 60] })), 1, 'not the median of ours by the median of theirs')
  t.ok(Number.isNaN(ratioOf(row({}))))
})

t.test('goals', async (t) => {
  const table: [row: Row, reached: boolean | undefined][] = [
    [row({}), undefined],
    [row({ goal: '< 21 ms' }), true],
    [row({ goal: '< 20 ms' }), false],
    [row({ base: [10, 10, 60], goal: '≥ 1' }), true],
    [row({ base: [10, 10, 60], goal: '≤ 0.9' }), false],
    [row({ goal: '≥ 1' }), false],
    [row({ goal: '< 150 MB', peakMb: 149 }), true],
    [row({ goal: '< 150 MB' }), false],
    [row({ unit: 'MB', goal: '< 15 MB' }), false],
  ]
  for (const [one, reached] of table) t.equal(isReached(one), reached, JSON.stringify(one))
  t.equal(
    tableLine(row({ base: [10, 10, 60], baseName: 'else', goal: '≥ 1', peakMb: 90.2 })),
    '| x | 20.0 ms (10.0–30.0) | 10.0 ms (10.0–60.0), else | 1.00 (0.50–2.00) | ≥ 1 ✓ | 90 MB |',
  )
})

t.test('rounds go in turns, each way, and the first does not count', async (t) => {
  const order: string[] = []
  const contestant = (name: string) => async (): Promise<number> => order.push(name)
  const found = await inTurns(3, { a: contestant('a'), b: contestant('b') })
  t.equal(order.join(''), 'baabbaab')
  t.same(found, { a: [3, 6, 7], b: [4, 5, 8] })
})
