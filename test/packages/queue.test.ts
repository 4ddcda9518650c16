import t from 'tap'
import { PublicationClock } from '../../src/packages/publication-clock.js'
import { Queue } from '../../src/packages/queue.js'

t.test(
  'actions of one key run one after the other, failed ones included; other keys do not wait',
  async (t) => {
    const queue = new Queue()
    const events: string[] = []
    let release = (): void => {}
    const gate = new Promise<void>((resolve) => (release = resolve))
    const first = queue.run('a', async () => {
      events.push('first in')
      await gate
      events.push('first out')
      throw new Error('first failed')
    })
    const second = queue.run('a', async () => void events.push('second'))
    await queue.run('b', async () => void events.push('other key'))
    t.same(events, ['first in', 'other key'])
    release()
    await t.rejects(first, { message: 'first failed' })
    await second
    t.same(events, ['first in', 'other key', 'first out', 'second'])
  },
)

t.test('a file published anew in the second of its deletion gets a later time', async (t) => {
  let now = 1_000_500
  const clock = new PublicationClock(() => now)
  const first = clock.publicationTime('x')
  t.equal(first.getTime(), 1_000_000, 'whole seconds')
  clock.removed('x', first)
  const second = clock.publicationTime('x')
  t.equal(second.getTime(), 1_001_000)
  clock.removed('x', second)
  t.equal(clock.publicationTime('x').getTime(), 1_002_000)
  t.equal(clock.publicationTime('y').getTime(), 1_000_000)
  now = 1_003_000
  t.equal(clock.publicationTime('x').getTime(), 1_003_000)
})
