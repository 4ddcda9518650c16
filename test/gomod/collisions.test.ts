import t from 'tap'
import { Collisions } from '../../src/gomod/collisions.js'
import { randomOf } from '../support/random.js'

/** What is said of each path, in their order. A path that ends in a slash is a folder. */
function verdicts(paths: readonly string[]): (string | undefined)[] {
  const bare = paths.map((path) => path.replace(/\/$/, ''))
  const collisions = new Collisions((index) => bare[index] ?? '')
  return bare.map((path, index) => collisions.add(path, path !== paths[index], index))
}

t.test('which names cannot stand side by side', async (t) => {
  const table: [paths: string[], last: string | undefined][] = [
    [['a', 'b'], undefined],
    [['a/x', 'b/x'], undefined],
    [['a', 'A'], 'case-insensitive file name collision: "a" and "A"'],
    [['k', '\u212a'], 'case-insensitive file name collision: "k" and "\u212a"'],
    [['a/x', 'A/y'], 'case-insensitive file name collision: "a" and "A"'],
    [['a/x/1', 'b/1', 'a/X/2'], 'case-insensitive file name collision: "a/x" and "a/X"'],
    [['a', 'a'], 'multiple entries for file "a"'],
    [['a/', 'a/'], undefined],
    [['a/', 'a/x'], undefined],
    [['a/x', 'a'], 'entry "a" is both a file and a directory'],
    [['a', 'a/x'], 'entry "a" is both a file and a directory'],
    [['a', 'a/'], 'entry "a" is both a file and a directory'],
    [['a/x', 'a/y', 'c', 'a/z', 'a/x'], 'multiple entries for file "a/x"'],
  ]
  for (const [paths, last] of table) t.equal(verdicts(paths).at(-1), last, paths.join(' '))
})

t.test('thousands of names, in any order, are each compared with all', async (t) => {
  const random = randomOf(1)
  const seen = new Map<string, string>()
  const paths: string[] = []
  const expected: boolean[] = []
  for (let i = 0; i < 20_000; i++) {
    const letters = Array.from({ length: 1 + random.below(4) }, () => random.of([...'abcABCxyz']))
    const path = `${letters.join('')}${random.below(100)}`
    expected.push(seen.has(path.toLowerCase()))
    seen.set(path.toLowerCase(), path)
    paths.push(path)
  }
  t.same(
    verdicts(paths).map((problem) => problem !== undefined),
    expected,
  )
})

t.test('there is an end to how many are compared', async (t) => {
  const paths = Array.from({ length: 250_001 }, (_, i) => `f${i}`)
  const found = verdicts(paths)
  t.equal(found.at(-2), undefined)
  t.equal(found.at(-1), 'one of over 250000 files and folders')
})
