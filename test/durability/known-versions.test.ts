// A disk that fails for a while at any change leaves list right, whatever the publisher remembers of the module.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { settledViolations } from '../support/invariants.js'
import { openParts } from '../support/parts.js'
import { memoryFolder } from '../support/temp-folder.js'
import { watchedStore } from '../support/watched-store.js'

const newData = (): string => join(memoryFolder(), 'data')
const MODULE = 'example.com/m'
const FOLDER = `tree/api/packages/admin/go/${MODULE}/@v`
const PSEUDO = 'v1.0.1-0.20991109021931-daa7c04131f5'
const at = (version: string) => ({ owner: 'admin', module: MODULE, version })

t.test('a disk that fails at any step leaves list right, remembered or not', async (t) => {
  const data = newData()
  const { seen, wrap } = watchedStore()
  const parts = await openParts(data, wrap)
  const versions = ['v1.0.0', 'v1.1.0', 'v1.2.0', 'v1.10.0-rc.1', PSEUDO]
  const there = new Set<string>()
  let failures = 0
  for (let step = 0; step < 400; step++) {
    const version = versions[(step * 7) % versions.length] ?? ''
    // the n-th change of this step fails, and those after it for a while: undoing meets them, too
    let left = step % 23
    let broken = step % 3
    seen.instead = (name) => {
      if (!['claim', 'place', 'linkOver', 'relink', 'remove', 'syncAll', 'stage'].includes(name))
        return undefined
      if (left-- > 0 || broken-- <= 0) return undefined
      return () => Promise.reject(Object.assign(new Error('EIO: i/o error'), { code: 'EIO' }))
    }
    try {
      if (there.has(version)) await parts.modules.remove(at(version))
      else await parts.publishModule(MODULE, version)
    } catch {
      failures++
    }
    seen.instead = () => undefined
    // the next request settles what is left
    await parts.modules.remove(at('v9.9.9')).catch(() => {})
    if (existsSync(join(data, FOLDER, `${version}.info`))) there.add(version)
    else there.delete(version)
    const broke = await settledViolations(data)
    if (broke.length > 0) return t.same(broke, [], `step ${step}, ${version}`)
  }
  t.comment(`${failures} failures`)
  t.ok(failures > 100)
})
