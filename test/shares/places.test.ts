import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { Places } from '../../src/shares/places.js'

t.test('places are taken in the order in which they were asked for', async (t) => {
  const places = new Places(2)
  const taken: { who: string; leave: () => void }[] = []
  const take = async (who: string): Promise<void> => void taken.push({ who, leave: await places.take() })
  const all = ['a', 'b', 'c', 'd', 'e'].map(take)
  const names = async (): Promise<string> => {
    await setImmediate()
    return taken.map(({ who }) => who).join('')
  }
  t.equal(await names(), 'ab')
  taken[1]?.leave()
  taken[1]?.leave()
  t.equal(await names(), 'abc', 'a place that is left twice is free once')
  taken[0]?.leave()
  taken[2]?.leave()
  t.equal(await names(), 'abcde')
  await Promise.all(all)
  for (const { leave } of taken) leave()
  await Promise.all([take('f'), take('g')])
  const last = take('h')
  t.equal(await names(), 'abcdefg', 'there are as many as before')
  taken.at(-1)?.leave()
  await last
})
