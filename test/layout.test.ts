import t from 'tap'
import { genericFile, goneFile, modulePaths, urlPath, versionFile } from '../src/layout.js'
import { checkFits } from '../src/store/fits.js'
import { isOwnerName } from '../src/access/rights.js'

t.test('paths of the tree', async (t) => {
  const at = { owner: 'admin', module: 'github.com/Azure/x', version: 'v1.2.0-RC1' }
  const folder = 'tree/api/packages/admin/go/github.com/!azure/x'
  t.equal(versionFile(at, 'zip'), `${folder}/@v/v1.2.0-!r!c1.zip`)
  t.match(goneFile(versionFile(at, 'zip')), /^state\/gone\/([0-9a-f]{2})\/\1[0-9a-f]{62}\.json$/)
  t.equal(modulePaths(at).list, `${folder}/@v/list`)
  t.equal(modulePaths(at).latest, `${folder}/@latest`)
  t.equal(modulePaths(at).latestFile('mod'), `${folder}/@v/latest.mod`)
  t.equal(
    genericFile({ owner: 'admin', name: 'tool', version: '1.0 b' }, 'x#y'),
    'tree/api/packages/admin/generic/tool/1.0 b/x#y',
  )
})

t.test('urls are percent-encoded', async (t) => {
  t.equal(urlPath('tree/api/packages/a/generic/t/1.0 b/x#%'), '/api/packages/a/generic/t/1.0%20b/x%23%25')
  t.equal(urlPath('tree/api/packages/a/go/x.y/!a/@latest'), '/api/packages/a/go/x.y/!a/@latest')
})

t.test('what the file system cannot hold', async (t) => {
  t.equal(checkFits(`a/${'x'.repeat(255)}/b`, 'it'), undefined)
  t.match(checkFits(`a/${'x'.repeat(256)}/b`, 'it'), /it is too long/)
  t.match(checkFits(`a/${'年'.repeat(86)}`, 'it'), /255 bytes/)
  t.match(checkFits('abcdefghi/'.repeat(301), 'it'), /3000 bytes/)
})

t.test('names of owners', async (t) => {
  for (const name of ['a', 'A.b_c-d', '0', 'x'.repeat(64)]) t.ok(isOwnerName(name), name)
  for (const name of ['', '.', '..', '.a', '-a', '_a', 'a/b', 'a b', 'é', 'a\n', 'x'.repeat(65)])
    t.notOk(isOwnerName(name), name)
})
