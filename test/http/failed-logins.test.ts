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
  /** Whether a failure is answered, after its wait. */
  const fail = async (address: string): Promise<boolean> => {
    const ms = failures.count(address)
    if (ms !== undefined) await failures.wait(ms)
    return ms !== undefined
  }
  return { clock, waits, failures, fail }
}

t.test('some at once are answered at once, more wait, and too many are refused', async (t) => {
  const { waits, fail } = make(5)
  for (let i = 0; i < 11; i++) t.ok(await fail('a'))
  t.same(waits, [])
  for (let i = 0; i < 10; i++) t.ok(await fail('a'))
  t.same(waits, [200, 400, 600, 800, 1000, 1200, 1400, 1600, 1800, 2000])
  t.notOk(await fail('a'))
  t.notOk(await fail('a'), 'and being refused does not make it worse')
  t.ok(await fail('b'), 'another address is not touched')
})

t.test('it passes', async (t) => {
  const { clock, waits, fail } = make(5)
  for (let i = 0; i < 30; i++) await fail('a')
  clock.ms += 200
  t.ok(await fail('a'), 'one more after the time of one')
  t.notOk(await fail('a'))
  clock.ms += 10_000
  waits.length = 0
  t.ok(await fail('a'))
  t.same(waits, [], 'after a while it is as new')
})

t.test('its memory is bounded', async (t) => {
  const { fail, clock } = make(1)
  for (let i = 0; i < 30_000; i++) {
    clock.ms += 1
    if (!(await fail(`address ${i}`))) t.fail('an address was mistaken for another')
  }
})

t.test('what was counted before the work is taken back when the credentials were right', async (t) => {
  const { waits, failures, fail } = make(1)
  for (let i = 0; i < 100; i++) {
    t.equal(failures.count('a'), 0)
    failures.forgive('a')
  }
  for (let i = 0; i < 11; i++) await fail('a')
  t.same(waits, [])
  t.equal(failures.count('a'), 1000)
  failures.forgive('a')
  t.equal(failures.count('a'), 1000)
})
