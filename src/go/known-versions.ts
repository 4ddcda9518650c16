// What versions a module has: read from its folder, and remembered for as long as nobody but us changes that.
//
// To read a folder of 10,000 versions, parse and sort them takes longer than all else that publishing does. The one
// writer knows what it has changed; what others do to the folder (rsync, rebuild, a removed owner) gives it another
// time, and it is read anew. The kernel counts that time in ticks of some ms, so a stranger's change in the very tick
// of our own last one is not seen: like all that strangers copy into the tree it waits for a rebuild, which forgets.

import { modulePaths, type Module } from '../layout.js'
import type { Store } from '../store/store.js'
import { unescapePath } from '../gomod/module-path.js'
import { countOf, orderVersions, type OrderedVersions } from './ordered-versions.js'
import { parseVersion } from '../gomod/semver.js'

/** Versions that are remembered of all modules together, some 100 bytes each. */
const REMEMBERED_VERSIONS = 200_000
/** What a module costs beside its versions, in versions. */
const MODULE_COST = 10

type Memory = { folder: string; versions: OrderedVersions }

/** 'v1.0.0.zip' → v1.0.0; `undefined` for `latest.zip` and whatever else is no version's zip. */
export function versionOfZip(name: string): string | undefined {
  if (!name.endsWith('.zip')) return undefined
  const version = unescapePath(name.slice(0, -'.zip'.length))
  return version !== undefined && parseVersion(version) !== undefined ? version : undefined
}

export type KnownVersions = ReturnType<typeof makeKnownVersions>

export function makeKnownVersions(store: Store, limit = REMEMBERED_VERSIONS) {
  const remembered = new Map<string, Memory>() // by the module's folder; what was used last comes last
  let cost = 0

  const costOf = ({ versions }: Memory): number => countOf(versions) + MODULE_COST

  function forget(module: Module): void {
    const { versions: path } = modulePaths(module)
    const memory = remembered.get(path)
    if (!memory) return
    cost -= costOf(memory)
    remembered.delete(path)
  }

  /** What tells whether a folder was changed; `undefined` when there is none. */
  async function stateOf(path: string): Promise<string | undefined> {
    const status = await store.status(path)
    return status && `${status.dev} ${status.ino} ${status.mtimeMs} ${status.ctimeMs}`
  }

  function remember(module: Module, memory: Memory): void {
    forget(module)
    if (costOf(memory) > limit) return
    remembered.set(modulePaths(module).versions, memory)
    cost += costOf(memory)
    for (const [oldest, { versions }] of remembered) {
      if (cost <= limit) return
      cost -= countOf(versions) + MODULE_COST
      remembered.delete(oldest)
    }
  }

  /** The versions that have all their files, `.info` among them. Run it in the module's queue. */
  async function read(module: Module): Promise<OrderedVersions> {
    const { versions: path } = modulePaths(module)
    const folder = await stateOf(path)
    const memory = remembered.get(path)
    if (memory && memory.folder === folder) return memory.versions
    forget(module)
    const names = new Set(await store.names(path))
    const found: string[] = []
    for (const name of names) {
      const version = versionOfZip(name)
      if (version === undefined) continue
      const escaped = name.slice(0, -'.zip'.length)
      if (names.has(`${escaped}.mod`) && names.has(`${escaped}.info`)) found.push(version)
    }
    return orderVersions(found)
  }

  /** Remembers what we have just made of the module's folder. Run it in the module's queue. */
  async function keep(module: Module, versions: OrderedVersions): Promise<void> {
    const folder = await stateOf(modulePaths(module).versions)
    if (folder === undefined) forget(module)
    else remember(module, { folder, versions })
  }

  return { read, keep, forget }
}
