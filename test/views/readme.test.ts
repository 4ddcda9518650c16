import t from 'tap'
import { readmeRank } from '../../src/views/readme.js'

t.test('Markdown is preferred, in any case of letters', async (t) => {
  const order = ['README.md', 'README.markdown', 'README', 'README.txt', 'README.rst']
  const ranks = order.map((name) => readmeRank(name) ?? NaN)
  t.strictSame(ranks.toSorted(), ranks)
  t.equal(new Set(ranks).size, order.length)
  for (const name of order) t.equal(readmeRank(name.toLowerCase()), readmeRank(name), name)
  t.equal(readmeRank('ReadMe.MD'), 0)
})

t.test('what is no README', async (t) => {
  const names = [
    'README.go',
    'readme.vendor',
    'README.de.md',
    'README-de.md',
    'READMEmd',
    'a/README.md',
    'READ.ME',
    '',
  ]
  for (const name of names) t.equal(readmeRank(name), undefined, name)
})
