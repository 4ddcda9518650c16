// The lines of go.sum files.

import t from 'tap'
import { GoSum, parseGoSum } from '../../src/gomod/go-sum.js'

const A = `h1:${'A'.repeat(43)}=`
const B = `h1:${'B'.repeat(43)}=`

t.test('lines are read as go reads them', async (t) => {
  const text = `example.com/m v1.0.0 ${A}\nexample.com/m v1.0.0/go.mod ${B}\r\n\n example.com/M\tv2.0.0+incompatible  ${A}\n`
  t.same(parseGoSum(`${text}example.com/m v1.1.0 h2:other\n`), [
    { module: 'example.com/m', version: 'v1.0.0', of: 'zip', hash: A },
    { module: 'example.com/m', version: 'v1.0.0', of: 'mod', hash: B },
    { module: 'example.com/M', version: 'v2.0.0+incompatible', of: 'zip', hash: A },
  ])
  t.same(parseGoSum(''), [])
})

t.test('what go would not take is named with its line', async (t) => {
  const wrong: [text: string, message: RegExp][] = [
    [`a.b v1.0.0 ${A}\nexample.com/m v1.0.0\n`, /line 2 .* "example\.com\/m v1\.0\.0"/],
    [`a.b v1.0.0 ${A} more`, /line 1 .*three words/],
    ['\n<<<<<<< HEAD\n', /line 2 /],
    ['a.b v1.0.0 h1:short=', /line 1 .*no whole hash: "h1:short="/],
    [`a.b v1.0.0 ${A}x`, /no whole hash/],
  ]
  for (const [text, message] of wrong) t.throws(() => parseGoSum(text), message, text)
})

t.test('the lines of several files together', async (t) => {
  const sums = new GoSum()
  for (const line of parseGoSum(`b.c/m v1.0.0/go.mod ${B}\nb.c/m v1.0.0 ${A}\na.b/m v1.0.0/go.mod ${A}\n`))
    t.equal(sums.add(line), undefined)
  t.equal(
    sums.add({ module: 'b.c/m', version: 'v1.0.0', of: 'zip', hash: A }),
    undefined,
    'the same line again',
  )
  t.equal(sums.add({ module: 'b.c/m', version: 'v1.0.0', of: 'zip', hash: B }), A, 'another hash of it')
  t.same(sums.of('b.c/m', 'v1.0.0'), { zip: A, mod: B }, 'the first one stays')
  t.same(sums.of('a.b/m', 'v1.0.0'), { mod: A })
  t.same(sums.of('a.b/m', 'v1.0.1'), {})
  t.same(
    [...sums.versions()],
    [
      { module: 'b.c/m', version: 'v1.0.0' },
      { module: 'a.b/m', version: 'v1.0.0' },
    ],
  )
  t.equal(sums.text(), `a.b/m v1.0.0/go.mod ${A}\nb.c/m v1.0.0 ${A}\nb.c/m v1.0.0/go.mod ${B}\n`)
})
