import t from 'tap'
import { NameStates } from '../../src/packages/name-states.js'

t.test('each name has the state that it was given last, however many there are', async (t) => {
  const states = new NameStates()
  const names = 20_000
  for (let n = 0; n < names; n++) states.set(`example.com/m${n}@v1.0.0`, 1)
  for (let n = 0; n < names; n += 2) states.set(`example.com/m${n}@v1.0.0`, 2)
  const wrong = Array.from({ length: names }, (_, n) => n).filter(
    (n) => states.get(`example.com/m${n}@v1.0.0`) !== (n % 2 === 0 ? 2 : 1),
  )
  t.same(wrong, [])
  t.equal(states.get('example.com/m1@v1.0.1'), 0, 'one without a state')
  t.equal(states.count(1), names / 2)
  t.equal(states.count(2), names / 2)
})

t.test('a million names take a few bytes each', async (t) => {
  const before = process.memoryUsage().arrayBuffers
  const states = new NameStates()
  for (let n = 0; n < 1_000_000; n++) states.set(`example.com/group/module@v1.${n}.0`, 1)
  t.equal(states.count(1), 1_000_000)
  t.ok(process.memoryUsage().arrayBuffers - before < 60 * 2 ** 20, 'with what it has grown out of')
})
