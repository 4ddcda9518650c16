import t from 'tap'
import type { ModuleFacts, ModuleVersionFacts, VersionEntry } from '../../src/views/facts.js'
import {
  entryOf,
  MOST_ENTRIES,
  moduleIndex,
  noticesOf,
  parseModuleIndex,
  parseVersionFacts,
  retractionsOf,
  versionText,
} from '../../src/views/module-index.js'

const facts: ModuleFacts = {
  h1: 'h1:zip',
  goModH1: 'h1:mod',
  files: 2,
  go: '1.21',
  retracts: [],
  requires: [{ path: 'example.com/x', version: 'v1.0.0' }],
  packages: [{ path: 'example.com/m', name: 'm', synopsis: 'Package m.' }],
  licences: [],
  readme: { file: 'README.md', html: '<p>x</p>' },
}
const at = { owner: 'a', module: 'example.com/m' }
const textOf = (version: string, seconds: number): string =>
  versionText(
    { ...at, version, time: new Date(seconds * 1000), size: 5, sha256: 'ab' },
    JSON.stringify(facts),
  )

t.test("a version's JSON has the facts of its zip byte for byte", async (t) => {
  const text = textOf('v1.0.0', 60)
  t.ok(text.includes(JSON.stringify(facts).slice(1, -1)))
  t.same(parseVersionFacts(text), {
    format: 1,
    kind: 'go',
    ...at,
    version: 'v1.0.0',
    time: '1970-01-01T00:01:00Z',
    size: 5,
    sha256: 'ab',
    ...facts,
  })
  for (const damaged of ['', '{}', 'null', '7', text.slice(1), text.replace('"retracts":[]', '"retracts":7')])
    t.equal(parseVersionFacts(damaged), undefined, damaged.slice(0, 20))
})

t.test('retractions: both ends belong to the range, rationales are joined', async (t) => {
  const range = (low: string, high: string, rationale = ''): ModuleFacts['retracts'][number] => ({
    low,
    high,
    rationale,
  })
  const table: [string, ModuleFacts['retracts'], string | undefined][] = [
    ['v1.0.0', [], undefined],
    ['v1.0.0', [range('v1.0.0', 'v1.0.0')], ''],
    ['v1.0.0', [range('v1.0.0', 'v1.2.0', 'bad')], 'bad'],
    ['v1.2.0', [range('v1.0.0', 'v1.2.0', 'bad')], 'bad'],
    ['v1.2.1', [range('v1.0.0', 'v1.2.0', 'bad')], undefined],
    ['v1.10.0', [range('v1.2.0', 'v1.9.0', 'bad')], undefined],
    [
      'v1.1.0',
      [range('v1.0.0', 'v1.2.0', 'a'), range('v1.1.0', 'v1.1.0'), range('v1.1.0', 'v1.1.0', 'b')],
      'a; b',
    ],
    ['v1.1.0', [range('junk', 'v9.0.0', 'a')], undefined],
  ]
  for (const [version, retracts, expected] of table)
    t.equal(retractionsOf(retracts)(version), expected, `${version} ${JSON.stringify(retracts)}`)
})

t.test('an index: details of the highest versions, names of all others', async (t) => {
  const names = Array.from({ length: MOST_ENTRIES + 5 }, (_, index) => `v1.${200 - index}.0`)
  const latestFacts = parseVersionFacts(textOf('v1.200.0', 60)) as ModuleVersionFacts
  const entries = new Map<string, VersionEntry>(
    names.map((version, index) => [
      version,
      entryOf({ ...latestFacts, version, time: `2026-01-01T00:00:00.${100 + index}` }),
    ]),
  )
  entries.delete('v1.190.0') // published before there were views
  const retracted = [{ low: 'v1.150.0', high: 'v1.150.0', rationale: 'broken' }]
  const notices = noticesOf({ retracts: retracted, deprecated: 'use n' })
  const index = moduleIndex({ ...at, names, entries, notices, latest: 'v1.200.0', latestFacts })
  t.equal(index.versions.length, MOST_ENTRIES - 1)
  t.same(index.older, ['v1.190.0', ...names.slice(MOST_ENTRIES)])
  t.match(index, { count: names.length, deprecated: 'use n', retracted, readme: 'README.md', go: '1.21' })
  t.equal(index.updated, index.versions.at(-1)?.time, 'the newest time, wherever it is')
  t.equal(index.versions.find(({ version }) => version === 'v1.150.0')?.retracted, 'broken')
  t.equal(index.versions.filter((version) => 'retracted' in version).length, 1)
  t.same(parseModuleIndex(JSON.stringify(index)), index)
  t.equal(parseModuleIndex('{"format":1,"kind":"go"}'), undefined)
})
