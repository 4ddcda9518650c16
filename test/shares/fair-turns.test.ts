import t from 'tap'
import { FairTurns } from '../../src/shares/fair-turns.js'

/** Runs actions, each until it is ended, and notes the order in which they began. */
function makeTurns(most: number, each?: number) {
  const turns = new FairTurns(most, each)
  const begun: string[] = []
  const ends = new Map<string, { well: (name: string) => void; badly: (error: Error) => void }>()
  return {
    begun,
    /** `name` begins with the letter of its account. */
    run: (name: string) =>
      turns.run(name.charAt(0), () => {
        begun.push(name)
        return new Promise<string>((well, badly) => ends.set(name, { well, badly }))
      }),
    end: async (name: string, error?: Error) => {
      if (error) ends.get(name)?.badly(error)
      else ends.get(name)?.well(name)
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

t.test('accounts take turns, each with what it asked for first', async (t) => {
  const { run, end, begun } = makeTurns(1)
  const names = ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1']
  const all = names.map(run)
  for (let i = 0; i < names.length; i++) await end(begun[i] ?? '')
  t.same(begun, ['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4'])
  t.same(await Promise.all(all), names)
})

t.test('an account has its share at a time although nobody else waits', async (t) => {
  const { run, end, begun } = makeTurns(8)
  const all = ['a1', 'a2', 'a3'].map(run)
  t.same(begun, ['a1', 'a2'], 'a quarter')
  all.push(run('b1'), run('b2'))
  t.same(begun, ['a1', 'a2', 'b1'], 'a quarter of what others leave')
  await end('a1')
  await end('a2')
  t.same(begun, ['a1', 'a2', 'b1', 'b2', 'a3'], 'whoever has just ended one comes last')
  await end('b1')
  await end('a3')
  await end('b2')
  await Promise.all(all)
})

t.test('a share may be smaller, and is one at least', async (t) => {
  const { run, end, begun } = makeTurns(100, 1)
  const all = ['a1', 'a2', 'b1'].map(run)
  t.same(begun, ['a1', 'b1'])
  for (const name of ['a1', 'b1', 'a2']) await end(name)
  await Promise.all(all)
})

t.test('an action that fails makes place like any other', async (t) => {
  const { run, end, begun } = makeTurns(1)
  const first = run('a1')
  const second = run('a2')
  void end('a1', new Error('it failed'))
  await t.rejects(first, { message: 'it failed' })
  await end('a2')
  t.equal(await second, 'a2')
  t.same(begun, ['a1', 'a2'])
})

t.test('it tells how many run and wait', async (t) => {
  const turns = new FairTurns(4)
  t.same(turns.figures, { running: 0, most: 4, waiting: 0 })
  const ends: (() => void)[] = []
  const wait = (): Promise<void> => new Promise((resolve) => ends.push(resolve))
  const all = ['a', 'a', 'a', 'b', 'b'].map((account) => turns.run(account, wait))
  t.same(turns.figures, { running: 2, most: 4, waiting: 3 })
  for (let nth = 0; nth < all.length; nth++) {
    ends[nth]?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  await Promise.all(all)
  t.same(turns.figures, { running: 0, most: 4, waiting: 0 })
})

t.test('further places are for anybody, while they are free', async (t) => {
  let isFree = false
  const turns = new FairTurns(1, 1, { places: 2, isFree: () => isFree })
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  const run = (name: string): Promise<void> =>
    turns.run(name.charAt(0), () => {
      begun.push(name)
      return new Promise((resolve) => ends.set(name, resolve))
    })
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const all = ['a1', 'a2'].map(run)
  t.same(begun, ['a1'], 'none is free')
  isFree = true
  all.push(...['a3', 'b1'].map(run))
  t.same(begun, ['a1', 'a3', 'b1'], 'all are, and the first account may have several')
  all.push(...['a4', 'b2'].map(run))
  isFree = false
  await end('b1')
  await end('a3')
  t.equal(begun.length, 3, 'what is no longer free is left empty')
  await end('a1')
  t.equal(begun.length, 4, 'but for the one that is always there')
  isFree = true
  await end(begun[3] ?? '')
  t.equal(begun.length, 6, 'and taken again')
  t.same(turns.figures, { running: 2, most: 3, waiting: 0 })
  for (const name of begun.slice(4)) await end(name)
  await Promise.all(all)
})
