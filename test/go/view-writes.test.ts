// What a publish does for the views of its module: no more than is needed, and always what is right.

import { readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import { settledViolations } from '../support/invariants.js'
import { openParts, withMethods } from '../support/parts.js'
import { memoryFolder } from '../support/temp-folder.js'

const MODULE = 'example.com/m'
const FOLDER = `tree/api/packages/admin/go/${MODULE}/@v`
const PSEUDO = 'v1.0.1-0.20991109021931-daa7c04131f5'

t.test('the links to the latest version move when there is a later one', async (t) => {
  const data = join(memoryFolder(), 'data')
  const moved: string[] = []
  const parts = await openParts(data, (store) =>
    withMethods(store, {
      relink: (target, path) => {
        moved.push(basename(path))
        return store.relink(target, path)
      },
    }),
  )
  const links = ['latest.info', 'latest.mod', 'latest.zip']
  const steps: ['publish' | 'delete', version: string, latest: string, moves: string[]][] = [
    ['publish', PSEUDO, PSEUDO, []], // there is none yet
    ['publish', 'v1.0.0', 'v1.0.0', links],
    ['publish', 'v1.2.0', 'v1.2.0', links],
    ['publish', 'v1.1.0', 'v1.2.0', []],
    ['publish', 'v1.9.0-rc.1', 'v1.2.0', []],
    ['delete', 'v1.2.0', 'v1.1.0', []], // the links are looked at first
    ['publish', 'v1.3.0', 'v1.3.0', links],
  ]
  for (const [act, version, latest, moves] of steps) {
    moved.length = 0
    if (act === 'publish') await parts.publishModule(MODULE, version)
    else await parts.modules.remove({ owner: 'admin', module: MODULE, version })
    const what = `${act} ${version}`
    t.same(moved.toSorted(), moves, what)
    for (const extension of ['info', 'mod', 'zip'])
      t.equal(
        statSync(join(data, FOLDER, `latest.${extension}`)).ino,
        statSync(join(data, FOLDER, `${latest}.${extension}`)).ino,
        `${what}: latest.${extension}`,
      )
    t.same(readdirSync(join(data, 'state/tmp')), [], what)
    await parts.ownerViews.settle()
    t.same(await settledViolations(data), [], what)
  }
})

t.test('files that name a new version are written without a look at what is there', async (t) => {
  const data = join(memoryFolder(), 'data')
  const looked: string[] = []
  const parts = await openParts(data, (store) =>
    withMethods(store, {
      status: (path) => {
        if (path.includes(`/${MODULE}/`)) looked.push(basename(path)) // those of the owner follow when they follow
        return store.status(path)
      },
    }),
  )
  await parts.publishModule(MODULE, 'v1.0.0')
  looked.length = 0
  await parts.publishModule(MODULE, 'v1.1.0')
  t.same(
    looked.filter((name) => /^(v.*\.(json|html)|index\.(json|html)|list|@latest)$/.test(name)).toSorted(),
    ['@latest', 'list'],
  )
  parts.ownerViews.stop()
})
