// The views of a module, derived from all its versions together: `list`, `@latest`, `latest.*`, and the JSON that tells
// of it. A further view of a module belongs here.

import { ignoring } from '../errors.js'
import { extensions, modulePaths, moduleViews, versionFile, type Module } from '../layout.js'
import {
  placeFiles,
  stageFiles,
  unstageFiles,
  type PlannedFile,
  type StagedFile,
} from '../store/staged-files.js'
import { readModuleFacts } from '../packages/published.js'
import type { Store } from '../store/store.js'
import { readEach } from '../store/read-each.js'
import type { ModuleIndex, ModuleVersionFacts } from '../views/facts.js'
import { parseVersionFacts, retractionsOf, type Notices } from '../views/module-index.js'
import { modulePage, moduleVersionPage } from '../views/module-page.js'
import type { Site } from '../views/page-addresses.js'
import { linesOf } from './artifacts.js'
import { deriveIndex, entriesOf, type DerivedIndex, type FactsOf } from './facts.js'
import { KnownIndexes } from './known-indexes.js'
import { KnownVersions } from './known-versions.js'
import {
  countOf,
  highestFirst,
  withoutVersion,
  withVersion,
  type OrderedVersions,
} from './ordered-versions.js'

/** What the views should be: files with their bytes, hard links, and names that should not exist. */
type ViewPlan = {
  module: Module
  versions: OrderedVersions
  files: PlannedFile[]
  links: { path: string; target: string }[]
  /** Whether the links lead to an older version now. */
  moves?: boolean
  gone: string[]
  /** The index; what it says of retractions and deprecation, the pages of all versions must say. */
  index?: ModuleIndex
  /** Whether they may say something else. */
  pagesAreDue?: boolean
}

/** A plan whose files are on the disk under no name yet. */
export type StagedModuleViews = ViewPlan & { staged: StagedFile[] }

/** A version that is about to be visible, with the `.info` and the JSON that it will have. */
type Fresh = { version: string; info: string; json: string }

/**
 * The views of a module with these versions; `info` is the `.info` of the one that is `@latest`. A module without
 * versions has none.
 */
export function planViews(
  module: Module,
  versions: OrderedVersions,
  info: Uint8Array,
  derived: DerivedIndex | undefined,
  site: Site,
): ViewPlan {
  const paths = modulePaths(module)
  const views = moduleViews(module)
  const { listed, latest } = versions
  if (latest === undefined || !derived) {
    const gone = [paths.list, paths.latest, ...extensions.map(paths.latestFile), views.index, views.page]
    return { module, versions, files: [], links: [], gone }
  }
  return {
    module,
    versions,
    files: [
      { path: paths.list, content: Buffer.from(linesOf(listed)) },
      { path: paths.latest, content: Buffer.from(info) },
      { path: views.page, content: Buffer.from(modulePage(derived.index, derived.latestFacts, site)) },
      // The last one: as long as it has other notices, the pages of versions are due.
      { path: views.index, content: Buffer.from(`${JSON.stringify(derived.index)}\n`) },
    ],
    links: extensions.map((extension) => ({
      path: paths.latestFile(extension),
      target: versionFile({ ...module, version: latest }, extension),
    })),
    gone: [],
  }
}

/** Makes the pages of versions, whose facts it gets, with what the highest version says. */
export function versionPages(
  { deprecated, retracted }: Notices,
  site: Site,
): (facts: ModuleVersionFacts) => Buffer {
  const retractionOf = retractionsOf(retracted)
  return (facts) =>
    Buffer.from(moduleVersionPage(facts, { deprecated, retracted: retractionOf(facts.version) }, site))
}

const areSameNotices = (a: Notices, b: Notices): boolean =>
  a.deprecated === b.deprecated && JSON.stringify(a.retracted) === JSON.stringify(b.retracted)

/** What changes of a module: a version that is about to be visible, and one that goes. */
type Change = { fresh?: Fresh; without?: string }

export class Views {
  readonly #store: Store
  /** The versions of modules that were changed lately. */
  readonly #known: KnownVersions
  /** The indexes of modules with very many versions. */
  readonly #indexes: KnownIndexes
  /** What pages know of the server. */
  readonly #site: Site

  constructor(store: Store, site: Site) {
    this.#store = store
    this.#site = site
    this.#known = new KnownVersions(store)
    this.#indexes = new KnownIndexes(store)
  }

  /** Plans the views by the files that exist, with `fresh` and without `without`. */
  async plan(module: Module, { fresh, without }: Change = {}): Promise<ViewPlan> {
    const before = await this.#known.read(module)
    let versions = without === undefined ? before : withoutVersion(before, without)
    if (fresh) versions = withVersion(versions, fresh.version)
    const { latest } = versions
    if (latest === undefined) return planViews(module, versions, Buffer.alloc(0), undefined, this.#site)
    const info =
      latest === fresh?.version
        ? Buffer.from(fresh.info)
        : await this.#store.read(versionFile({ ...module, version: latest }, 'info'))
    const facts = fresh && parseVersionFacts(fresh.json)
    const factsOf: FactsOf = async (version) =>
      version === fresh?.version ? facts : readModuleFacts(this.#store, { ...module, version })
    const index = await this.#indexes.read(module)
    const entries = await entriesOf(versions, factsOf, index, before, fresh?.version)
    const derived = await deriveIndex(module, { ...versions, latest }, entries, factsOf)
    const plan = planViews(module, versions, info ?? Buffer.alloc(0), derived, this.#site)
    if (fresh) plan.files.unshift(...this.#versionFiles(module, fresh, facts, derived.index))
    const pagesAreDue = !index || !areSameNotices(index, derived.index)
    const isNew = fresh !== undefined && countOf(versions) > countOf(before)
    const { list, latest: latestPath } = modulePaths(module)
    // The others name the version: they are not what is there.
    if (isNew) for (const file of plan.files) file.isNew = file.path !== list && file.path !== latestPath
    const moves = isNew && before.latest !== undefined && before.latest !== latest
    return { ...plan, index: derived.index, pagesAreDue, moves }
  }

  #versionFiles(
    module: Module,
    { version, json }: Fresh,
    facts: ModuleVersionFacts | undefined,
    notices: Notices,
  ): PlannedFile[] {
    const views = moduleViews(module)
    const files = [{ path: views.facts(version), content: Buffer.from(json) }]
    if (!facts) return files
    return [...files, { path: views.versionPage(version), content: versionPages(notices, this.#site)(facts) }]
  }

  /** Writes the files of the plan whose bytes differ from the present ones, under no name yet. */
  async stage(plan: ViewPlan): Promise<StagedModuleViews> {
    return { ...plan, staged: await stageFiles(this.#store, plan.files) }
  }

  /** Removes what {@link stage} wrote. */
  unstage({ staged }: StagedModuleViews): Promise<void> {
    return unstageFiles(this.#store, staged)
  }

  /** Gives the staged views their names. The caller syncs the folders. */
  async place(plan: StagedModuleViews): Promise<void> {
    const { module, versions, staged, links, gone, index, pagesAreDue, moves } = plan
    this.forget(module) // should one of these steps fail, all is read again
    if (index && pagesAreDue) await this.#placePages(module, highestFirst(versions), index)
    await placeFiles(this.#store, staged)
    for (const { path, target } of links)
      await (moves ? this.#store.relink(target, path) : this.#store.linkOver(target, path))
    for (const path of gone) await this.#store.remove(path)
    await this.#known.keep(module, versions)
    if (index) await this.#indexes.keep(module, index)
  }

  /**
   * Makes the pages of versions say these notices. A version whose facts are not in the tree yet has its page staged.
   */
  async #placePages(module: Module, versions: readonly string[], notices: Notices): Promise<void> {
    const views = moduleViews(module)
    const pageOf = versionPages(notices, this.#site)
    await readEach(versions, async (version) => {
      const facts = await readModuleFacts(this.#store, { ...module, version })
      if (!facts) return
      const page = {
        path: views.versionPage(version),
        content: pageOf(facts),
      }
      await placeFiles(this.#store, await stageFiles(this.#store, [page]))
    })
    await ignoring(['ENOENT'], () => this.#store.sync(views.folder)) // the index says that they are right
  }

  /** Makes the views of a module again, without the version `without`. The caller syncs the folders. */
  async refresh(module: Module, without: string): Promise<void> {
    const plan = await this.plan(module, { without })
    // What is taken back may have changed some pages, and not the index by which that is found.
    await this.place(await this.stage({ ...plan, pagesAreDue: true }))
  }

  /** Forgets the versions of a module whose files somebody else changes. */
  forget(module: Module): void {
    this.#known.forget(module)
    this.#indexes.forget(module)
  }
}
