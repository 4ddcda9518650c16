// Which files are in a sample, and what a sample may be.

import t from 'tap'
import { parseSample, sampleOf } from '../../src/inspection/sample.js'

const paths = Array.from({ length: 20_000 }, (_, at) => `tree/api/packages/admin/generic/tool/1.0/${at}`)
const inSample = (request: Parameters<typeof sampleOf>[0], uploads = paths.length): string[] =>
  paths.filter(sampleOf(request, uploads))

t.test('a share and a number choose about so many', async (t) => {
  for (const request of [
    { share: 0.1, seed: 'a' },
    { count: 2000, seed: 'a' },
  ]) {
    const { length } = inSample(request)
    t.ok(length > 1700 && length < 2300, `${length} of 2000`)
  }
  t.equal(inSample({ share: 1, seed: 'a' }).length, paths.length)
  t.equal(inSample({ count: paths.length, seed: 'a' }).length, paths.length)
  t.equal(inSample({ count: paths.length + 1, seed: 'a' }).length, paths.length, 'more than there are')
  t.equal(inSample({ count: 1, seed: 'a' }, 0).length, paths.length, 'when no number is known')
})

t.test('a seed chooses the same again, another one others', async (t) => {
  const first = inSample({ share: 0.01, seed: 'a' })
  t.same(inSample({ share: 0.01, seed: 'a' }), first)
  const other = inSample({ share: 0.01, seed: 'b' })
  t.ok(other.filter((path) => first.includes(path)).length < first.length / 4)
})

t.test('what is no sample is refused', async (t) => {
  t.equal(parseSample(undefined), undefined)
  t.same(parseSample({ share: 0.01, seed: 'a', x: 1 }), { share: 0.01, seed: 'a' })
  t.same(parseSample({ count: 5, seed: 'a' }), { count: 5, seed: 'a' })
  for (const wrong of [
    { seed: 'a' },
    { share: 0, seed: 'a' },
    { share: 1.1, seed: 'a' },
    { share: '1', seed: 'a' },
    { count: 0.5, seed: 'a' },
    { count: -1, seed: 'a' },
    { share: 1 },
    { share: 1, seed: '' },
    { share: 1, seed: 'a b' },
    { share: 1, seed: 'a'.repeat(65) },
  ])
    t.throws(() => parseSample(wrong), JSON.stringify(wrong))
})
