// Turns for what takes long: addresses after one another, rests, and a bound on those that wait.

import t from 'tap'
import { ApiTurns } from '../../src/http/api-turns.js'
import type { RequestContext } from '../../src/http/request-state.js'

const from = (ip: string, destroyed = false): RequestContext => ({ ip, res: { destroyed } }) as RequestContext

// Nothing else keeps this process alive: a rest does not.
const alive = setInterval(() => {}, 1000)
t.teardown(() => clearInterval(alive))

/** A promise with its ends outside. */
function gate() {
  let open = (): void => {}
  const passed = new Promise<void>((resolve) => (open = resolve))
  return { open, passed }
}

t.test('one address has one turn, two addresses have two', async (t) => {
  const turns = new ApiTurns()
  const [a, b] = [gate(), gate()]
  const began: string[] = []
  const serve = (ip: string, until: Promise<void>) =>
    turns.run(from(ip), async () => {
      began.push(ip)
      await until
      return ip
    })
  const first = serve('a', a.passed)
  const second = serve('a', a.passed)
  const other = serve('b', b.passed)
  await new Promise(setImmediate)
  t.same(began, ['a', 'b'], 'the second of an address waits')
  b.open()
  t.equal(await other, 'b')
  a.open()
  t.same(await Promise.all([first, second]), ['a', 'a'])
})

t.test('too many that wait are refused, others than of that address are not', async (t) => {
  const turns = new ApiTurns()
  const { open, passed } = gate()
  const many = Array.from({ length: 60 }, () => turns.run(from('a'), () => passed))
  const ended = Promise.allSettled(many)
  t.equal(await turns.run(from('b'), async () => 'served'), 'served')
  open()
  const refused = (await ended).filter(({ status }) => status === 'rejected')
  t.equal(refused.length, 28, 'a quarter of 128 wait')
  t.match(refused[0], { reason: { status: 503, headers: { 'Retry-After': '2' } } })
})

t.test('an error is handed on, and the turn goes on', async (t) => {
  const turns = new ApiTurns()
  await t.rejects(
    turns.run(from('a'), async () => {
      throw new Error('broken')
    }),
    /broken/,
  )
  t.equal(await turns.run(from('a'), async () => 1), 1)
})

t.test('nothing is read for a client that has gone away', async (t) => {
  const turns = new ApiTurns()
  const error: unknown = await turns
    .run(from('a', true), async () => t.fail('read'))
    .catch((reason: unknown) => reason)
  t.match(error, { status: 499 })
})

t.test('after what took long there is a rest', async (t) => {
  const turns = new ApiTurns()
  const busy = (ms: number) => {
    const until = performance.now() + ms
    while (performance.now() < until);
  }
  // Both moments are taken inside of the turns: all of the rest is between them, however busy the machine is. The rest
  // is shorter by what the first turn took: timers count from when the thread was free before it.
  let [ended, begun] = [0, 0]
  const first = turns.run(from('a'), async () => {
    busy(100)
    ended = performance.now()
  })
  const second = turns.run(from('a'), async () => void (begun = performance.now()))
  await Promise.all([first, second])
  t.ok(begun - ended > 100, `${begun - ended} ms: three times as long, at least nearly`)
})
