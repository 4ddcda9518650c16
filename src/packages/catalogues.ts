// The catalogues of owners, and what follows from them. Each package's line comes from its own index. The lines of a
// few owners are remembered, so that a refresh reads the packages that have changed, and no others.

import { setImmediate } from 'node:timers/promises'
import { ignoring } from '../errors.js'
import { unescapePath } from '../gomod/module-path.js'
import { ownerViews, viewsFolder } from '../layout.js'
import { placeFiles, stageFiles, type PlannedFile } from '../store/staged-files.js'
import type { Store } from '../store/store.js'
import {
  catalogueText,
  entryOfModule,
  entryOfPackage,
  newestFirst,
  packageKey,
  parseCatalogue,
} from '../views/catalogue.js'
import type { CatalogueEntry, GenericIndex, ModuleIndex } from '../views/facts.js'
import { byTime, FEED_ENTRIES, feedText, type Publication } from '../views/feed.js'
import { allPackagesPage, ownerPage } from '../views/index-pages.js'
import { ownerAddresses, type Site } from '../views/page-addresses.js'
import type { Operation } from './operation.js'
import { readIndexOf, type PackageName } from './published.js'

/** Packages of all remembered owners together, some 300 bytes each. */
const REMEMBERED_PACKAGES = 50_000

/** An owner's packages by their keys, and for those that are in the feed their newest versions. */
type Memory = { entries: Map<string, CatalogueEntry>; newest: Map<string, Publication[]> }

/** What the views should be. An owner without packages has none. */
type Plan = { files: PlannedFile[]; gone: string[] }

export class Catalogues {
  readonly #store: Store
  /** What pages know of the server. */
  readonly #site: Site
  /** owner → its packages. The owner that was used last comes last. */
  readonly #remembered = new Map<string, Memory>()

  constructor(store: Store, site: Site) {
    this.#store = store
    this.#site = site
  }

  /** Makes the views again after these changes. */
  async update(owner: string, changes: readonly Operation[]): Promise<void> {
    const memory = this.#remembered.get(owner) ?? (await this.#load(owner))
    if (!memory) return this.remake(owner)
    const changed = new Map<string, PackageName>()
    for (const change of changes) {
      const at: PackageName =
        'module' in change ? { kind: 'go', name: change.module } : { kind: 'generic', name: change.name }
      changed.set(packageKey(at), at)
    }
    await Promise.all(
      [...changed].map(async ([key, at]) => {
        const entry = entryOf(await readIndexOf(this.#store, owner, at))
        memory.newest.delete(key)
        if (entry) memory.entries.set(key, entry)
        else memory.entries.delete(key)
      }),
    )
    await this.#write(owner, memory)
  }

  /** Makes the views from the indexes of all packages. */
  async remake(owner: string): Promise<void> {
    await this.#write(owner, await this.#read(owner))
  }

  /** What {@link remake} would write and remove. Nothing is written. */
  async derive(owner: string): Promise<Plan> {
    return this.#plan(owner, await this.#read(owner))
  }

  forget(owner: string): void {
    this.#remembered.delete(owner)
  }

  async #load(owner: string): Promise<Memory | undefined> {
    const text = await this.#store.read(ownerViews(owner).catalogue)
    const entries = text && parseCatalogue(text.toString())
    return (
      entries && { entries: new Map(entries.map((entry) => [packageKey(entry), entry])), newest: new Map() }
    )
  }

  /** Reads the indexes of all packages. */
  async #read(owner: string): Promise<Memory> {
    const memory: Memory = { entries: new Map(), newest: new Map() }
    for await (const index of this.#indexes(owner)) {
      const entry = entryOf(index)
      memory.entries.set(packageKey(entry), entry)
    }
    return memory
  }

  async #write(owner: string, memory: Memory): Promise<void> {
    this.#remembered.delete(owner) // should a step fail, everything is read again
    const { files, gone } = await this.#plan(owner, memory)
    await placeFiles(this.#store, await stageFiles(this.#store, files))
    for (const path of gone) await this.#store.remove(path)
    await ignoring(['ENOENT'], () => this.#store.sync(viewsFolder(owner)))
    this.#remember(owner, memory)
  }

  async #plan(owner: string, memory: Memory): Promise<Plan> {
    const views = ownerViews(owner)
    if (memory.entries.size === 0)
      return { files: [], gone: [views.catalogue, views.feed, views.page, views.all] }
    const entries = [...memory.entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry)
    const newest = newestFirst(entries)
    const [total, site] = [entries.length, this.#site]
    const publications = await this.#publications(owner, memory, newest.slice(0, FEED_ENTRIES))
    const texts: [path: string, text: () => string][] = [
      [views.catalogue, () => catalogueText(owner, entries)],
      [views.feed, () => feedText(owner, ownerAddresses(site, owner), publications)],
      [views.page, () => ownerPage({ owner, entries: newest, total, site })],
      [views.all, () => allPackagesPage({ owner, entries, total, site })],
    ]
    const files: PlannedFile[] = []
    for (const [path, text] of texts) {
      await setImmediate() // one with 60,000 packages takes 0.1 s: requests come in between
      files.push({ path, content: Buffer.from(text()) })
    }
    return { files, gone: [] }
  }

  /** The newest versions of all packages. They are of the packages that were updated last, as many as the feed has. */
  async #publications(
    owner: string,
    memory: Memory,
    updated: readonly CatalogueEntry[],
  ): Promise<Publication[]> {
    const newest = new Map<string, Publication[]>()
    for (const at of updated) {
      const key = packageKey(at)
      const known = memory.newest.get(key)
      newest.set(key, known ?? this.#publicationsOf(owner, await readIndexOf(this.#store, owner, at)))
    }
    memory.newest = newest
    return [...newest.values()].flat().sort(byTime).slice(0, FEED_ENTRIES)
  }

  /** Reads the index of each package of an owner. */
  async *#indexes(owner: string): AsyncGenerator<ModuleIndex | GenericIndex> {
    const folder = viewsFolder(owner)
    for await (const path of this.#modulesBelow(`${folder}/go`)) {
      const module = unescapePath(path.slice(folder.length + '/go/'.length))
      const index = module && (await readIndexOf(this.#store, owner, { kind: 'go', name: module }))
      if (index) yield index
    }
    for (const name of await this.#store.names(`${folder}/generic`)) {
      const index = await readIndexOf(this.#store, owner, { kind: 'generic', name })
      if (index) yield index
    }
  }

  /** Yields the folders that have an `@`. */
  async *#modulesBelow(folder: string): AsyncGenerator<string> {
    for (const name of await this.#store.names(folder))
      if (name === '@') yield folder
      else yield* this.#modulesBelow(`${folder}/${name}`)
  }

  #publicationsOf(owner: string, index: ModuleIndex | GenericIndex | undefined): Publication[] {
    if (!index) return []
    const addresses = ownerAddresses(this.#site, owner)
    const { kind } = index
    const name = kind === 'go' ? index.module : index.name
    const urlOf = kind === 'go' ? addresses.moduleVersion : addresses.genericVersion
    return index.versions.map(({ version, time }) => ({
      kind,
      name,
      version,
      time,
      url: urlOf(name, version),
    }))
  }

  #remember(owner: string, memory: Memory): void {
    this.#remembered.delete(owner)
    this.#remembered.set(owner, memory)
    let packages = [...this.#remembered.values()].reduce((sum, { entries }) => sum + entries.size, 0)
    for (const [oldest, { entries }] of this.#remembered) {
      if (packages <= REMEMBERED_PACKAGES) return
      packages -= entries.size
      this.#remembered.delete(oldest)
    }
  }
}

function entryOf(index: ModuleIndex | GenericIndex): CatalogueEntry
function entryOf(index: ModuleIndex | GenericIndex | undefined): CatalogueEntry | undefined
function entryOf(index: ModuleIndex | GenericIndex | undefined): CatalogueEntry | undefined {
  return index && (index.kind === 'go' ? entryOfModule(index) : entryOfPackage(index))
}
