import t from 'tap'
import { expiryAfter, timeBefore } from '../../src/commands/duration.js'

const NOW = Date.parse('2026-01-01T00:00:00Z')

t.test('hours, days and weeks', async (t) => {
  t.equal(expiryAfter('12h', NOW), '2026-01-01T12:00:00.000Z')
  t.equal(expiryAfter('90d', NOW), '2026-04-01T00:00:00.000Z')
  t.equal(expiryAfter('2w', NOW), '2026-01-15T00:00:00.000Z')
  t.equal(expiryAfter('never', NOW), null)
})

t.test('all else is a mistake', async (t) => {
  for (const text of ['', '0d', '-1d', '90', 'd', '1.5d', '90 d', '1y', '1m', '999999w', '90D', 'Never'])
    t.throws(() => expiryAfter(text, NOW), { message: /hours, days or weeks/ }, text)
})

t.test('since when', async (t) => {
  const table: [text: string, time: string][] = [
    ['30m', '2025-12-31T23:30:00Z'],
    ['1h', '2025-12-31T23:00:00Z'],
    ['2d', '2025-12-30T00:00:00Z'],
    ['1w', '2025-12-25T00:00:00Z'],
    ['2025-06-01', '2025-06-01T00:00:00Z'],
    ['2025-06-01T12:30Z', '2025-06-01T12:30:00Z'],
    ['2025-06-01T12:30:15.5+02:00', '2025-06-01T10:30:15.500Z'],
    ['2025-06-01T12:30', '2025-06-01T12:30'],
  ]
  for (const [text, time] of table) t.equal(timeBefore(text, NOW), Date.parse(time), text)
  for (const text of [
    '',
    '0h',
    '1',
    'h',
    '-1h',
    '1.5h',
    '1 h',
    '1y',
    'yesterday',
    '2026',
    '2026-13-01',
    '2026-01-01 12:00',
  ])
    t.throws(() => timeBefore(text, NOW), { message: /--since .* is expected/ }, text)
})
