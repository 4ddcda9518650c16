import t from 'tap'
import { ClockWatch } from '../../src/service/clock-watch.js'

function watched() {
  const clocks = { wall: 1_700_000_000_000, steady: 5000 }
  const lines: object[] = []
  const watch = new ClockWatch((level, event, fields) => void lines.push({ level, event, ...fields }), {
    wall: () => clocks.wall,
    steady: () => clocks.steady,
  })
  /** Lets time pass, and moves the clock. */
  const pass = (ms: number, moved = 0): void => {
    clocks.steady += ms
    clocks.wall += ms + moved
    watch.look()
  }
  return { watch, lines, pass }
}

t.test('a clock that is kept right by small steps was not moved', async (t) => {
  const { watch, lines, pass } = watched()
  for (let n = 0; n < 1000; n++) pass(10_000, n % 3 === 0 ? -4000 : 4000)
  t.same(lines, [])
  t.equal(watch.movedSeconds, 0)
  t.equal(watch.problem(), undefined)
})

t.test('one that was put back is told, until it is right again', async (t) => {
  const { watch, lines, pass } = watched()
  pass(10_000, -3_600_000)
  t.equal(watch.problem(), 'the clock of the server was put back by 3600 s')
  t.equal(watch.movedSeconds, -3600)
  pass(20_000)
  t.ok(watch.problem())
  pass(10_000, 3_600_000)
  t.equal(watch.problem(), undefined)
  t.equal(watch.movedSeconds, 0)
  t.match(lines, [
    { level: 'warn', seconds: -3600, back: undefined },
    { level: 'warn', seconds: 3600, back: /where it was/ },
  ])
  t.equal(lines.length, 2, 'a move is logged once')
})

t.test('or for ten minutes', async (t) => {
  const { watch, pass } = watched()
  pass(10_000, -61_000)
  t.ok(watch.problem())
  pass(599_000)
  t.ok(watch.problem())
  pass(2000)
  t.equal(watch.problem(), undefined)
  t.equal(watch.movedSeconds, -61, 'the figure stays')
})

t.test('one that was put forward is logged, and stops nothing', async (t) => {
  const { watch, lines, pass } = watched()
  pass(10_000, 86_400_000)
  t.equal(watch.problem(), undefined)
  t.match(lines, [{ seconds: 86_400 }])
})
