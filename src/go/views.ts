// The views of a module, derived from all its versions together: `list`, `@latest`, `latest.*`. A further view of a
// module, such as a JSON or a page, belongs here.

import { extensions, modulePaths, versionFile, type Module } from '../layout.js'
import type { Staged, Store } from '../store/store.js'
import { waitForAll } from '../store/wait-for-all.js'
import { linesOf } from './artifacts.js'
import { KnownVersions } from './known-versions.js'
import { withoutVersion, withVersion, type OrderedVersions } from './ordered-versions.js'

/** What the views should be: files with their bytes, hard links, and names that should not exist. */
type ViewPlan = {
  module: Module
  versions: OrderedVersions
  files: { path: string; content: Buffer }[]
  links: { path: string; target: string }[]
  gone: string[]
}

/** A plan whose files are on the disk under no name yet. */
export type StagedViews = ViewPlan & { staged: { path: string; file: Staged }[] }

/** A version that is about to be visible, with the `.info` that it will have. */
type Fresh = { version: string; info: string }

/** The views of a module with these versions; `info` is the `.info` of the one that is `@latest`. */
export function planViews(module: Module, versions: OrderedVersions, info: Uint8Array): ViewPlan {
  const paths = modulePaths(module)
  const { listed, latest } = versions
  if (latest === undefined) {
    const gone = [paths.list, paths.latest, ...extensions.map(paths.latestFile)]
    return { module, versions, files: [], links: [], gone }
  }
  return {
    module,
    versions,
    files: [
      { path: paths.list, content: Buffer.from(linesOf(listed)) },
      { path: paths.latest, content: Buffer.from(info) },
    ],
    links: extensions.map((extension) => ({
      path: paths.latestFile(extension),
      target: versionFile({ ...module, version: latest }, extension),
    })),
    gone: [],
  }
}

/** What changes of a module: a version that is about to be visible, and one that goes. */
type Change = { fresh?: Fresh; without?: string }

export class Views {
  readonly #store: Store
  /** The versions of modules that were changed lately. */
  readonly #known: KnownVersions

  constructor(store: Store) {
    this.#store = store
    this.#known = new KnownVersions(store)
  }

  /** Plans the views by the files that exist, with `fresh` and without `without`. */
  async plan(module: Module, { fresh, without }: Change = {}): Promise<ViewPlan> {
    let versions = await this.#known.read(module)
    if (without !== undefined) versions = withoutVersion(versions, without)
    if (fresh) versions = withVersion(versions, fresh.version)
    const { latest } = versions
    if (latest === undefined) return planViews(module, versions, Buffer.alloc(0))
    const info =
      latest === fresh?.version
        ? Buffer.from(fresh.info)
        : await this.#store.read(versionFile({ ...module, version: latest }, 'info'))
    return planViews(module, versions, info ?? Buffer.alloc(0))
  }

  /** Writes the files of the plan whose bytes differ from the present ones, under no name yet. */
  async stage(plan: ViewPlan): Promise<StagedViews> {
    const staged: StagedViews['staged'] = []
    try {
      await waitForAll(
        plan.files.map(async ({ path, content }) => {
          const isSame = (await this.#store.read(path))?.equals(content) ?? false
          if (!isSame) staged.push({ path, file: await this.#store.stage(content) })
        }),
      )
    } catch (error) {
      await this.unstage({ ...plan, staged })
      throw error
    }
    return { ...plan, staged }
  }

  /** Removes what {@link stage} wrote. */
  async unstage({ staged }: StagedViews): Promise<void> {
    for (const { file } of staged) await this.#store.unstage(file)
  }

  /** Gives the staged views their names. The caller syncs the folders. */
  async place({ module, versions, staged, links, gone }: StagedViews): Promise<void> {
    this.#known.forget(module) // should one of these steps fail, the folder is read again
    for (const { path, file } of staged) await this.#store.place(file, path)
    for (const { path, target } of links) await this.#store.linkOver(target, path)
    for (const path of gone) await this.#store.remove(path)
    await this.#known.keep(module, versions)
  }

  /** Makes the views of a module again, without the version `without`. The caller syncs the folders. */
  async refresh(module: Module, without: string): Promise<void> {
    await this.place(await this.stage(await this.plan(module, { without })))
  }

  /** Forgets the versions of a module whose files somebody else changes. */
  forget(module: Module): void {
    this.#known.forget(module)
  }
}
