import t from 'tap'
import { placeOf } from '../../src/inbox/place.js'

t.test('places', async (t) => {
  t.same(placeOf('a/go/x.zip'), { kind: 'module', owner: 'a' })
  t.same(placeOf('a/generic/n/v/f'), {
    kind: 'file',
    owner: 'a',
    at: { owner: 'a', name: 'n', version: 'v' },
    file: 'f',
  })
  for (const path of [
    '',
    'a',
    'a/go',
    'a/generic',
    'a/generic/n',
    'a/generic/n/v',
    'a/x/y',
    '../go/x.zip',
    'a/go/x.ZIP',
  ])
    t.match(placeOf(path), { wrong: /is expected$/ }, path)
})
