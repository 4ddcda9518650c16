import t from 'tap'
import { infoText, latestVersion, listText } from '../../src/go/artifacts.js'
import { syntheticMod } from '../../src/gomod/modfile.js'

const P1 = 'v0.0.0-20191109021931-daa7c04131f5'
const P2 = 'v0.0.0-20211109021931-aaa7c04131f5'

t.test('.info has whole seconds of UTC, and the time that a pseudo-version names', async (t) => {
  const published = new Date('2026-11-21T01:02:03.456Z')
  t.equal(infoText('v1.2.3', published), '{"Version":"v1.2.3","Time":"2026-11-21T01:02:03Z"}')
  t.equal(infoText(P1, published), `{"Version":"${P1}","Time":"2019-11-09T02:19:31Z"}`)
})

t.test('list is in semver order and leaves pseudo-versions out', async (t) => {
  t.equal(listText(['v1.10.0', P1, 'v1.2.0', 'v1.2.0-rc.1']), 'v1.2.0-rc.1\nv1.2.0\nv1.10.0\n')
  t.equal(listText([P1]), '', 'a 404 would keep go from asking @latest')
})

t.test('@latest: release before pre-release before pseudo-version', async (t) => {
  const table: [versions: string[], latest: string | undefined][] = [
    [[], undefined],
    [['v1.1.0', 'v1.0.5'], 'v1.1.0'],
    [['v1.0.5', 'v1.1.0'], 'v1.1.0'],
    [['v1.0.0', 'v2.0.0-rc.1'], 'v1.0.0'],
    [['v1.0.0-rc.1', 'v1.0.0-rc.2', P2], 'v1.0.0-rc.2'],
    [['v0.1.0', 'v1.0.1-0.20991109021931-daa7c04131f5'], 'v0.1.0'],
    [[P1, P2], P2],
    [[P2, P1], P2],
    [['v1.0.1-0.20181109021931-daa7c04131f5', P2], P2], // newest by time, not by number
    [['v1.0.0', 'v2.0.0+incompatible'], 'v2.0.0+incompatible'],
  ]
  for (const [versions, latest] of table) t.equal(latestVersion(versions), latest, versions.join(' '))
})

t.test('the synthetic go.mod has its newline', async (t) => {
  t.equal(syntheticMod('example.com/m'), 'module example.com/m\n')
})
