import t from 'tap'
import { filesOf, keyOfUpload } from '../../src/backup/package-files.js'
import { isUpload } from '../../src/layout.js'
import { ownerKey, removedOwner } from '../../src/packages/watch.js'

const TREE = 'tree/api/packages/admin'

t.test('which package an uploaded file belongs to', async (t) => {
  for (const [path, key] of [
    [`${TREE}/go/github.com/!azure/x/@v/v1.0.0.zip`, 'go admin github.com/Azure/x'],
    [`${TREE}/generic/my tool/1.0 b/x`, 'generic admin my tool'],
  ] as const) {
    t.ok(isUpload(path), path)
    t.equal(keyOfUpload(path), key)
  }
  for (const path of [
    `${TREE}/go/example.com/m/@v/latest.zip`,
    `${TREE}/go/example.com/m/@v/v1.0.0.mod`,
    `${TREE}/go/example.com/m/v1.0.0.zip`,
    `${TREE}/-/latest/tool/x`,
    `${TREE}/-/generic/tool/1.0/version.json`,
    `${TREE}/generic/tool/1.0`,
    'state/sums/go/x/@v/v1.0.0.zip',
  ])
    t.notOk(isUpload(path), path)
})

t.test('what belongs to a package', async (t) => {
  t.same(filesOf('go admin github.com/Azure/x'), {
    folders: [`${TREE}/go/github.com/!azure/x/@v`, `${TREE}/-/go/github.com/!azure/x/@`],
    files: [`${TREE}/go/github.com/!azure/x/@latest`],
    roots: [`${TREE}/go`, `${TREE}/-/go`],
  })
  t.same(filesOf('generic admin my tool').folders, [
    `${TREE}/generic/my tool`,
    `${TREE}/-/generic/my tool`,
    `${TREE}/-/latest/my tool`,
  ])
  for (const key of ['', 'go', 'go admin', 'other admin x', ownerKey('admin')])
    t.same(filesOf(key), { folders: [], files: [], roots: [] }, key)
  t.equal(removedOwner(ownerKey('admin')), 'admin')
  t.equal(removedOwner('go owner x'), undefined)
})
