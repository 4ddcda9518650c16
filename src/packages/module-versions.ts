// The versions of modules that are in the tree. A version is there when it has its .info.

import { unescapePath } from '../gomod/module-path.js'
import { parseVersion } from '../gomod/semver.js'
import { goFolder, sumdbRoot } from '../layout.js'
import type { Store } from '../store/store.js'

/** A version of a module of some owner, unescaped. */
type Visible = { module: string; version: string }

/** Yields the versions of all modules of an owner, module by module. */
export const visibleVersions = (store: Store, owner: string): AsyncGenerator<Visible> =>
  versionsBelow(store, { root: goFolder(owner), notModules: sumdbRoot(owner) }, '')

/** `below` is the path below `root`, with its slash. */
async function* versionsBelow(
  store: Store,
  where: { root: string; notModules: string },
  below: string,
): AsyncGenerator<Visible> {
  const { root, notModules } = where
  for (const name of await store.names(`${root}${below}`)) {
    if (name === '@latest' || `${root}${below}/${name}` === notModules) continue
    if (name !== '@v') {
      yield* versionsBelow(store, where, `${below}/${name}`)
      continue
    }
    const module = unescapePath(below.slice(1))
    if (module === undefined) continue
    for (const file of await store.names(`${root}${below}/@v`)) {
      const version = file.endsWith('.info') ? unescapePath(file.slice(0, -'.info'.length)) : undefined
      if (version !== undefined && parseVersion(version)) yield { module, version }
    }
  }
}
