import t from 'tap'
import { FailedLogins } from '../../src/http/failed-logins.js'

/** A bucket with a clock of our own; `waits` collects what was slept. */
function make(perSecond: number) {
  const clock = { ms: 0 }
  const waits: number[] = []
  const failures = new FailedLogins(
    perSecond,
    () => clock.ms,
    async (ms) => void waits.push(ms),
  )
  return { clock, waits, failures }
}

t.test('some at once are answered at once, more wait, and too many are refused', async (t) => {
  const { waits, failures } = make(5)
  for (let i = 0; i < 11; i++) t.ok(await failures.wait('a'))
  t.same(waits, [])
  for (let i = 0; i < 10; i++) t.ok(await failures.wait('a'))
  t.same(waits, [200, 400, 600, 800, 1000, 1200, 1400, 1600, 1800, 2000])
  t.notOk(await failures.wait('a'))
  t.notOk(await failures.wait('a'), 'and being refused does not make it worse')
  t.ok(await failures.wait('b'), 'another address is not touched')
})

t.test('it passes', async (t) => {
  const { clock, waits, failures } = make(5)
  for (let i = 0; i < 30; i++) await failures.wait('a')
  clock.ms += 200
  t.ok(await failures.wait('a'), 'one more after the time of one')
  t.notOk(await failures.wait('a'))
  clock.ms += 10_000
  waits.length = 0
  t.ok(await failures.wait('a'))
  t.same(waits, [], 'after a while it is as new')
})

t.test('its memory is bounded', async (t) => {
  const { failures, clock } = make(1)
  for (let i = 0; i < 30_000; i++) {
    clock.ms += 1
    if (!(await failures.wait(`address ${i}`))) t.fail('an address was mistaken for another')
  }
})
