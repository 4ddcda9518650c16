import t from 'tap'
import { expiryAfter } from '../../src/commands/duration.js'

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
