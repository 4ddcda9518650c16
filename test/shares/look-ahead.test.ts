import t from 'tap'
import { lookAhead } from '../../src/shares/look-ahead.js'

async function* count(to: number, asked: number[]): AsyncGenerator<number> {
  for (let n = 1; n <= to; n++) {
    asked.push(n)
    yield n
  }
}

const never = (): boolean => false

t.test('items keep their order, and so many are begun before their turn', async (t) => {
  const begun: number[] = []
  const seen: number[] = []
  const begin = async (n: number): Promise<number> => begun.push(n)
  for await (const { item, result } of lookAhead(count(10, []), { most: 3, begin, isEnd: never })) {
    seen.push(item)
    t.ok(begun.length <= item + 3, `${begun.length} were begun at ${item}`)
    t.equal(await result, item)
    if (item === 1) t.equal(begun.length, 4)
  }
  t.same(seen, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
})

t.test('after an end nothing is asked for before all items up to it were taken', async (t) => {
  const asked: number[] = []
  const ahead = lookAhead(count(9, asked), { most: 5, begin: async (n) => n, isEnd: (n) => n === 4 })
  for await (const { item } of ahead) if (item <= 4) t.equal(asked.at(-1), 4, `at ${item}`)
  t.equal(asked.at(-1), 9)
})

t.test('nothing comes of nothing', async (t) => {
  for await (const _ of lookAhead(count(0, []), { most: 1, begin: async (n) => n, isEnd: never })) t.fail()
})
