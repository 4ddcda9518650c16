import t from 'tap'
import {
  countOf,
  orderVersions,
  withoutVersion,
  withVersion,
  type OrderedVersions,
} from '../../src/go/ordered-versions.js'

const VERSIONS = [
  'v1.0.0',
  'v1.10.0',
  'v1.9.0',
  'v1.9.0-rc.1',
  'v1.9.0-rc.10',
  'v1.9.0-rc.2',
  'v2.0.0-alpha',
  'v2.0.0+incompatible',
  'v0.0.0-20191109021931-daa7c04131f5',
  'v0.0.0-20191109021931-daa7c04131f6',
  'v1.0.1-0.20991109021931-daa7c04131f5',
  'v1.0.1-RC1',
  'v1.0.1-rc1',
]

const same = ({ listed, pseudo, latest }: OrderedVersions): unknown => [listed, [...pseudo].sort(), latest]

t.test('one more or one less is as if all were ordered anew, whatever came before', async (t) => {
  let seed = 7
  const next = (below: number): number => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed % below
  }
  const there = new Set<string>()
  let known = orderVersions([])
  for (let step = 0; step < 2000; step++) {
    const version = VERSIONS[next(VERSIONS.length)] ?? ''
    const before = JSON.stringify(known)
    const after = next(5) < 3 ? withVersion(known, version) : withoutVersion(known, version)
    if (after.listed.includes(version) || after.pseudo.includes(version)) there.add(version)
    else there.delete(version)
    const wanted = same(orderVersions([...there]))
    if (JSON.stringify(same(after)) !== JSON.stringify(wanted)) {
      t.same(same(after), wanted, `${version} at step ${step}`)
      return
    }
    if (JSON.stringify(known) !== before) t.fail('what was known stays as it was')
    known = after
  }
  t.equal(countOf(known), there.size)
})
