// The versions of a module: read from its folder, and remembered as long as nobody else changes the folder.
//
// Reading, parsing and sorting a folder of 10,000 versions takes longer than the rest of a publish. The one writer
// knows its own changes. A change by others (rsync, rebuild, a removed owner) gives the folder another time, and it is
// read again. The kernel counts this time in ticks of some ms: it hides a stranger's change in the same tick as our own
// last one. Like everything that strangers copy into the tree, such a change waits for a rebuild, which forgets.

import { unescapePath } from '../gomod/module-path.js'
import { parseVersion } from '../gomod/semver.js'
import { modulePaths, type Module } from '../layout.js'
import type { Store } from '../store/store.js'
import { countOf, orderVersions, type OrderedVersions } from './ordered-versions.js'

/** Versions of all modules together that are remembered, some 100 bytes each. */
const REMEMBERED_VERSIONS = 200_000
/** The memory of a module beside its versions, in versions. */
const MODULE_COST = 10

type Memory = { folder: string; versions: OrderedVersions }

const costOf = ({ versions }: Memory): number => countOf(versions) + MODULE_COST

// 'v1.0.0.zip' → v1.0.0
/** The version of a zip's name; `undefined` for `latest.zip` and any other name. */
export function versionOfZip(name: string): string | undefined {
  if (!name.endsWith('.zip')) return undefined
  const version = unescapePath(name.slice(0, -'.zip'.length))
  return version !== undefined && parseVersion(version) !== undefined ? version : undefined
}

export class KnownVersions {
  readonly #store: Store
  /** Versions and modules (each {@link MODULE_COST}) that are remembered at most. */
  readonly #limit: number
  /** The folder of a module's versions → its versions. The one that was used last comes last. */
  readonly #remembered = new Map<string, Memory>()
  /** What the remembered modules cost together, in versions. */
  #cost = 0

  constructor(store: Store, limit = REMEMBERED_VERSIONS) {
    this.#store = store
    this.#limit = limit
  }

  /** The versions that have all their files, `.info` among them. Run it in the module's queue. */
  async read(module: Module): Promise<OrderedVersions> {
    const { versions: path } = modulePaths(module)
    const folder = await this.#stateOf(path)
    const memory = this.#remembered.get(path)
    if (memory && memory.folder === folder) return memory.versions
    this.forget(module)
    const names = new Set(await this.#store.names(path))
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
  async keep(module: Module, versions: OrderedVersions): Promise<void> {
    const folder = await this.#stateOf(modulePaths(module).versions)
    if (folder === undefined) this.forget(module)
    else this.#remember(module, { folder, versions })
  }

  forget(module: Module): void {
    const { versions: path } = modulePaths(module)
    const memory = this.#remembered.get(path)
    if (!memory) return
    this.#cost -= costOf(memory)
    this.#remembered.delete(path)
  }

  /** Tells whether a folder was changed; `undefined` when there is no such folder. */
  async #stateOf(path: string): Promise<string | undefined> {
    const status = await this.#store.status(path)
    return status && `${status.dev} ${status.ino} ${status.mtimeMs} ${status.ctimeMs}`
  }

  #remember(module: Module, memory: Memory): void {
    this.forget(module)
    if (costOf(memory) > this.#limit) return
    this.#remembered.set(modulePaths(module).versions, memory)
    this.#cost += costOf(memory)
    for (const [oldest, other] of this.#remembered) {
      if (this.#cost <= this.#limit) return
      this.#cost -= costOf(other)
      this.#remembered.delete(oldest)
    }
  }
}
