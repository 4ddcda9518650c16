import t from 'tap'
import { readEach } from '../../src/store/read-each.js'

t.test('results come in the order of the items, some items at a time', async (t) => {
  let [running, most] = [0, 0]
  const items = Array.from({ length: 200 }, (_, at) => at)
  const found = await readEach(items, async (item) => {
    most = Math.max(most, ++running)
    await new Promise((resolve) => setImmediate(resolve))
    running--
    return item * 2
  })
  t.same(
    found,
    items.map((item) => item * 2),
  )
  t.equal(most, 64)
})

t.test('when one fails, those that run have ended before it rejects, and no other begins', async (t) => {
  const ended: number[] = []
  const items = Array.from({ length: 65 }, (_, at) => at)
  const reading = readEach(items, async (item) => {
    if (item === 0) throw new Error('EIO')
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
    ended.push(item)
  })
  await t.rejects(reading, /EIO/)
  t.same(ended, items.slice(1, 64))
})
