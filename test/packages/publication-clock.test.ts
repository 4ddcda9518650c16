import t from 'tap'
import { PublicationClock } from '../../src/packages/publication-clock.js'

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
