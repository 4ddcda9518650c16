// The indexes of the few modules with very many versions that were published last: parsing one of 10,000 versions
// costs a publish more than its zip. An index is read again when its file is not the one that we have written.

import { moduleViews, type Module } from '../layout.js'
import { readModuleIndex } from '../packages/published.js'
import type { Store } from '../store/store.js'
import type { ModuleIndex } from '../views/facts.js'

/** Versions from which on parsing costs more than it is worth to save. */
const MANY_VERSIONS = 1000
/** Modules that are remembered. The names of 100,000 versions take some 10 MB; known-versions.ts has them, too. */
const MOST_MODULES = 2

type Memory = { file: string; index: ModuleIndex }

export class KnownIndexes {
  readonly #store: Store
  /** The path of an index → what it says. The one that was used last comes last. */
  readonly #remembered = new Map<string, Memory>()

  constructor(store: Store) {
    this.#store = store
  }

  /** The index in the tree; `undefined` when there is none. Run it in the module's queue. */
  async read(module: Module): Promise<ModuleIndex | undefined> {
    const { index: path } = moduleViews(module)
    const memory = this.#remembered.get(path)
    if (!memory) return readModuleIndex(this.#store, module)
    if (memory.file === (await this.#stateOf(path))) return memory.index
    this.forget(module)
    return readModuleIndex(this.#store, module)
  }

  /** Remembers the index that we have just written. Run it in the module's queue. */
  async keep(module: Module, index: ModuleIndex): Promise<void> {
    this.forget(module)
    if (index.count < MANY_VERSIONS) return
    const { index: path } = moduleViews(module)
    const file = await this.#stateOf(path)
    if (file === undefined) return
    this.#remembered.set(path, { file, index })
    for (const oldest of this.#remembered.keys()) {
      if (this.#remembered.size <= MOST_MODULES) return
      this.#remembered.delete(oldest)
    }
  }

  forget(module: Module): void {
    this.#remembered.delete(moduleViews(module).index)
  }

  /** Tells one file from another; every index that is written is a new file. */
  async #stateOf(path: string): Promise<string | undefined> {
    const status = await this.#store.status(path)
    return status && `${status.dev} ${status.ino} ${status.size} ${status.mtimeMs} ${status.ctimeMs}`
  }
}
