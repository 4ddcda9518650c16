import t from 'tap'
import type { GenericEntry } from '../../src/views/facts.js'
import {
  genericIndex,
  genericVersion,
  orderEntries,
  parseGenericIndex,
  parseGenericVersion,
  semverOf,
  sumsText,
  withEntry,
  withoutEntry,
  type OrderedEntries,
} from '../../src/views/generic-index.js'
import { MOST_ENTRIES } from '../../src/views/module-index.js'

const entry = (version: string, second = 0): GenericEntry => ({
  version,
  time: new Date(second * 1000).toISOString().replace('.000', ''),
  size: 1,
  files: 1,
})
const namesOf = ({ versions, older }: OrderedEntries): string[] => [
  ...versions.map(({ version }) => version),
  ...older,
]

t.test('what is a semantic version', async (t) => {
  const table: [string, string | undefined][] = [
    ['1.2.3', 'v1.2.3'],
    ['v1.2.3', 'v1.2.3'],
    ['1.2.3-rc.1', 'v1.2.3-rc.1'],
    ['1.2.3+build.7', 'v1.2.3'],
    ['1.2', undefined],
    ['01.2.3', undefined],
    ['latest', undefined],
    ['@', undefined],
    ['vv1.2.3', undefined],
    ['', undefined],
  ]
  for (const [version, semver] of table) t.equal(semverOf(version), semver, version)
})

t.test('the latest: releases, then pre-releases, then other names by their time', async (t) => {
  const entries = [
    entry('nightly', 90),
    entry('2.0.0-rc.1', 80),
    entry('1.2.0', 1),
    entry('v1.10.0', 2),
    entry('2026-01-01', 95),
    entry('1.2.0+b', 3),
  ]
  const expected = ['v1.10.0', '1.2.0+b', '1.2.0', '2.0.0-rc.1', '2026-01-01', 'nightly']
  t.same(namesOf(orderEntries(entries)), expected)
  t.same(namesOf(orderEntries(entries.toReversed())), expected, 'whatever their order')
})

t.test('one change after the other leads to the same order as all at once', async (t) => {
  // a seeded sequence: linear congruential, Numerical Recipes
  let state = 7
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state % below
  }
  for (let run = 0; run < 20; run++) {
    const all = new Map<string, GenericEntry>()
    let known: OrderedEntries = { versions: [], older: [] }
    for (let step = 0; step < 300; step++) {
      const version = random(3) === 0 ? `build-${random(200)}` : `1.${random(20)}.${random(20)}`
      if (random(4) === 0 && all.has(version)) {
        all.delete(version)
        known = withoutEntry(known, version)
        const [next] = known.older
        if (known.versions.length < MOST_ENTRIES && next !== undefined)
          known = {
            versions: [...known.versions, all.get(next) as GenericEntry],
            older: known.older.slice(1),
          }
      } else {
        const fresh = entry(version, 1000 * run + step)
        all.set(version, fresh)
        known = withEntry(known, fresh) ?? orderEntries([...all.values()])
      }
    }
    t.same(known, orderEntries([...all.values()]), `run ${run}: ${all.size} versions`)
  }
})

t.test('a version: its files in the order of names, their sums as sha256sum reads them', async (t) => {
  const at = { owner: 'a', name: 'tool', version: '1.0' }
  const facts = genericVersion(at, [
    { file: 'b c', size: 2, sha256: 'bb', time: '2026-01-01T00:00:00Z' },
    { file: 'SHA256SUMS', size: 3, sha256: 'aa', time: '2026-01-02T00:00:00Z' },
  ])
  t.match(facts, { time: '2026-01-02T00:00:00Z', size: 5 })
  t.equal(sumsText(facts.files), 'aa  SHA256SUMS\nbb  b c\n')
  t.same(parseGenericVersion(JSON.stringify(facts)), facts)
  const index = genericIndex(at, orderEntries([entry('1.0', 5)]))
  t.match(index, { latest: '1.0', updated: '1970-01-01T00:00:05Z', count: 1, older: [] })
  t.same(parseGenericIndex(JSON.stringify(index)), index)
  for (const text of [
    '',
    '[]',
    'null',
    '{"format":2}',
    '{"format":1,"kind":"go"}',
    JSON.stringify(index).slice(1),
  ]) {
    t.equal(parseGenericVersion(text), undefined)
    t.equal(parseGenericIndex(text), undefined)
  }
})
