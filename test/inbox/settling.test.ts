import t from 'tap'
import { Settling } from '../../src/inbox/settling.js'

const HOUR = 3_600_000

/** A look that finds these files, `path => signature`; the paths that are due. */
function look(settling: Settling, now: number, files: Record<string, string>): string[] {
  settling.beginLook()
  const due = Object.entries(files).filter(([path, signature]) => settling.isDue(path, signature, now))
  settling.endLook()
  return due.map(([path]) => path)
}

t.test('a file is due when it has been left alone for long enough', async (t) => {
  const settling = new Settling(1000)
  t.equal(settling.nextLookIn(HOUR, 0), HOUR, 'nothing waits')
  t.same(look(settling, 0, { a: '1' }), [])
  t.equal(settling.nextLookIn(HOUR, 400), 600)
  t.same(look(settling, 999, { a: '1' }), [])
  t.same(look(settling, 1000, { a: '1', b: '1' }), ['a'])
  t.same(look(settling, 1500, { a: '2', b: '1' }), [], 'a write begins the wait anew')
  t.same(look(settling, 2500, { a: '2', b: '1' }), ['a', 'b'])
})

t.test('a file that was taken, or is gone, is forgotten', async (t) => {
  const settling = new Settling(0)
  look(settling, 0, { a: '1', b: '1' })
  t.same(look(settling, 1, { a: '1', b: '1' }), ['a', 'b'])
  settling.taken('a')
  look(settling, 2, {})
  t.equal(settling.nextLookIn(HOUR, 3), HOUR)
  t.same(look(settling, 4, { a: '1', b: '1' }), [], 'what comes under the same name settles anew')
})

t.test('a file that changed while it was taken asks for a look at once', async (t) => {
  const settling = new Settling(0)
  look(settling, 0, { a: '1' })
  settling.changed('a')
  t.equal(settling.nextLookIn(HOUR, 1), 0)
  look(settling, 2, {})
  t.equal(settling.nextLookIn(HOUR, 3), HOUR, 'once')
})

t.test('a file that could not be taken waits, longer each time', async (t) => {
  const settling = new Settling(0)
  look(settling, 0, { a: '1' })
  t.ok(settling.postpone('a', 'the disk is full', 0))
  t.notOk(settling.postpone('a', 'the disk is full', 0), 'the reason is told once')
  t.ok(settling.postpone('a', 'it cannot be read', 0))
  t.equal(settling.nextLookIn(HOUR, 0), 4000)
  t.same(look(settling, 3999, { a: '1' }), [])
  t.same(look(settling, 4000, { a: '1' }), ['a'])
  for (let i = 0; i < 20; i++) settling.postpone('a', 'it cannot be read', 0)
  t.equal(settling.nextLookIn(HOUR, 0), 60_000, 'a minute at most')
  t.same(look(settling, 1, { a: '2' }), [], 'another file at the same path')
  t.same(look(settling, 1, { a: '2' }), ['a'], 'does not wait for the first one')
  t.notOk(settling.postpone('never seen', 'whatever', 0))
})

t.test('its memory is bounded: the rest is found when there is place again', async (t) => {
  const settling = new Settling(0)
  const many = Object.fromEntries(Array.from({ length: 10_001 }, (_, i) => [`file ${i}`, '1']))
  look(settling, 0, many)
  t.equal(settling.nextLookIn(HOUR, 0), 0)
  t.equal(look(settling, 1, many).length, 10_000)
})
