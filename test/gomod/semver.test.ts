import t from 'tap'
import {
  canonicalVersion,
  checkVersion,
  compareVersions,
  isPrerelease,
  isPseudoVersion,
  pseudoVersionTime,
} from '../../src/gomod/semver.js'

const canonical = [
  'v0.0.0',
  'v1.2.3',
  'v1.2.0-RC1',
  'v1.2.3-rc.1.0',
  'v1.0.0--',
  'v1.0.0-0a', // not numeric, so its zero leads nothing
  'v2.0.0+incompatible',
  'v2.0.0-rc.1+incompatible',
  'v99999999999999999999999.0.0',
  'v0.0.0-20191109021931-daa7c04131f5',
]
const refused: [version: string, why: string][] = [
  ['', 'empty'],
  ['1.2.3', 'no v'],
  ['v1', 'short'],
  ['v1.2', 'short'],
  ['v1.2.3.4', 'long'],
  ['v01.2.3', 'leading zero'],
  ['v1.02.3', 'leading zero'],
  ['v1.2.3-01', 'leading zero in a numeric identifier'],
  ['v1.2.3-', 'empty pre-release'],
  ['v1.2.3-a..b', 'empty identifier'],
  ['v1.2.3-a_b', 'underscore'],
  ['v1.2.3-é', 'not ASCII'],
  ['v1.2.3+meta', 'build'],
  ['v1.2.3+incompatible.1', 'build'],
  ['v1.2.3-+incompatible', 'empty pre-release'],
  ['V1.2.3', 'capital V'],
  ['v1.2.3 ', 'space'],
  ['v1.2.3\n', 'newline'],
  ['v1.-2.3', 'sign'],
  ['latest', 'a word'],
]

t.test('canonical versions are accepted', async (t) => {
  for (const version of canonical) t.equal(checkVersion(version), undefined, version)
})

t.test('everything else is refused, with the version in the message', async (t) => {
  for (const [version, why] of refused)
    t.match(checkVersion(version), JSON.stringify(version), `${version}: ${why}`)
})

t.test('order is semver precedence', async (t) => {
  const ordered = [
    'v0.0.0-20180101000000-000000000000',
    'v0.9.0',
    'v1.0.0-1',
    'v1.0.0-2',
    'v1.0.0-10', // numeric, not text
    'v1.0.0-99999999999999999999', // longer than a double can tell
    'v1.0.0-99999999999999999999.0',
    'v1.0.0-RC1', // ASCII order: capitals first
    'v1.0.0-alpha',
    'v1.0.0-alpha.1',
    'v1.0.0-alpha.beta',
    'v1.0.0-beta',
    'v1.0.0',
    'v1.0.5',
    'v1.0.10',
    'v1.9.0',
    'v1.10.0',
    'v2.0.0+incompatible',
    'v10.0.0',
  ]
  t.same(ordered.toReversed().sort(compareVersions), ordered)
})

t.test('pseudo-versions are told from pre-releases', async (t) => {
  const pseudo = [
    'v0.0.0-20191109021931-daa7c04131f5',
    'v1.2.4-0.20191109021931-daa7c04131f5',
    'v1.2.3-pre.0.20191109021931-daa7c04131f5',
    'v2.0.1-0.20191109021931-daa7c04131f5+incompatible',
  ]
  const not = [
    'v1.2.3',
    'v1.2.3-pre',
    'v1.2.3-20191109021931-daa7c04131f5', // no 0. before the time
    'v0.0.0-2019110902193-daa7c04131f5', // 13 digits
    'v0.0.0-20191109021931', // no revision
    'v1.2.3-0.20191109021931',
  ]
  for (const version of pseudo) {
    t.ok(isPseudoVersion(version), version)
    t.notOk(isPrerelease(version), version)
    t.same(pseudoVersionTime(version), new Date('2019-11-09T02:19:31Z'), version)
  }
  for (const version of not) t.notOk(isPseudoVersion(version), version)
  t.ok(isPrerelease('v1.2.3-pre'))
  t.notOk(isPrerelease('v1.2.3'))
})

t.test('digits that are no date give no time', async (t) => {
  t.equal(pseudoVersionTime('v0.0.0-20191399000000-daa7c04131f5'), undefined)
  t.equal(pseudoVersionTime('v0.0.0-20190230000000-daa7c04131f5'), undefined, '30 February')
  t.equal(pseudoVersionTime('v1.0.0'), undefined)
})

t.test('a version that is not canonical is made so, as x/mod/module does', async (t) => {
  const table: [text: string, version: string | undefined][] = [
    ['v1', 'v1.0.0'],
    ['v1.2', 'v1.2.0'],
    ['v1.2.3', 'v1.2.3'],
    ['v1.2.3-rc.1', 'v1.2.3-rc.1'],
    ['v1.2.3+meta.1', 'v1.2.3'],
    ['v1.2.3-rc.1+meta', 'v1.2.3-rc.1'],
    ['v2.0.0+incompatible', 'v2.0.0+incompatible'],
    ['v1.2+meta', undefined],
    ['v1.2.3+', undefined],
    ['v1.2.3+a..b', undefined],
    ['v1.2.3-', undefined],
    ['v1-rc', undefined],
    ['v01', undefined],
    ['v1.02', undefined],
    ['1.2.3', undefined],
    ['v', undefined],
    ['', undefined],
  ]
  for (const [text, version] of table) t.equal(canonicalVersion(text), version, text)
})
