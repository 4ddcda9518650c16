import t from 'tap'
import { RestartDelay } from '../../src/service/restart-delay.js'

t.test('the delay grows from 0.2 s to 30 s', async (t) => {
  const delay = new RestartDelay()
  const delays = Array.from({ length: 10 }, () => delay.after(1000))
  t.same(delays, [200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000])
})

t.test('after a minute of life it begins anew', async (t) => {
  const delay = new RestartDelay()
  for (let times = 0; times < 5; times++) delay.after(0)
  t.equal(delay.after(59_999), 6400)
  t.equal(delay.after(60_000), 200)
  t.equal(delay.after(0), 400)
  delay.reset()
  t.equal(delay.after(0), 200)
})

t.test('the first delay may be none', async (t) => {
  const delay = new RestartDelay(0)
  t.same([delay.after(0), delay.after(0), delay.after(0), delay.after(60_000)], [0, 200, 400, 0])
})
