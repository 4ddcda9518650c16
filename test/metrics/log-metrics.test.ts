import { Registry } from 'prom-client'
import t from 'tap'
import { LogMetrics } from '../../src/metrics/log-metrics.js'

t.test('lines of a problem are counted, and others are not', async (t) => {
  const registry = new Registry()
  const written: string[] = []
  const log = new LogMetrics(registry).hear((level) => void written.push(level))
  for (const level of ['debug', 'info', 'warn', 'error', 'error'] as const) log(level, 'x')
  t.same(written, ['debug', 'info', 'warn', 'error', 'error'], 'all of them go on')
  const { values } = (await registry.getMetricsAsJSON()).find(
    ({ name }) => name === 'plinth_log_lines_total',
  ) as { values: { labels: object; value: number }[] }
  t.same(
    values.map(({ labels, value }) => ({ ...labels, value })),
    [
      { level: 'warn', value: 1 },
      { level: 'error', value: 2 },
    ],
  )
})
