// What is derived from all versions of a module together: `list`, `@latest`, `latest.*`. A later view of a module
// (a JSON, a page) belongs here.

import { extensions, modulePaths, versionFile, type Module } from '../layout.js'
import type { Staged, Store } from '../store/store.js'
import { waitForAll } from '../store/wait-for-all.js'
import { linesOf } from './artifacts.js'
import { makeKnownVersions } from './known-versions.js'
import { withoutVersion, withVersion, type OrderedVersions } from './ordered-versions.js'

/** What the views should be: files with their bytes, hard links, and names that should not be there. */
export type ViewPlan = {
  module: Module
  versions: OrderedVersions
  files: { path: string; content: Buffer }[]
  links: { path: string; target: string }[]
  gone: string[]
}

/** A change of the views whose files are on the disk already: what is left is to give them their names. */
export type StagedViews = ViewPlan & { staged: { path: string; file: Staged }[] }

/** A version that is about to be visible, with the `.info` that it will have. */
export type Fresh = { version: string; info: string }

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

export function makeViews(store: Store) {
  const known = makeKnownVersions(store)

  /** What the views should be by the files that are there, with `fresh` and without `without`. */
  async function plan(
    { owner, module: name }: Module,
    change: { fresh?: Fresh; without?: string } = {},
  ): Promise<ViewPlan> {
    const { fresh, without } = change
    const module = { owner, module: name }
    let versions = await known.read(module)
    if (without !== undefined) versions = withoutVersion(versions, without)
    if (fresh) versions = withVersion(versions, fresh.version)
    const { latest } = versions
    if (latest === undefined) return planViews(module, versions, Buffer.alloc(0))
    const info =
      latest === fresh?.version
        ? Buffer.from(fresh.info)
        : await store.read(versionFile({ ...module, version: latest }, 'info'))
    return planViews(module, versions, info ?? Buffer.alloc(0))
  }

  /** Writes those of the plan's files that are not already so, under no name yet. */
  async function stage(views: ViewPlan): Promise<StagedViews> {
    const staged: StagedViews['staged'] = []
    try {
      await waitForAll(
        views.files.map(async ({ path, content }) => {
          if (!(await store.read(path))?.equals(content))
            staged.push({ path, file: await store.stage(content) })
        }),
      )
    } catch (error) {
      await unstage({ ...views, staged })
      throw error
    }
    return { ...views, staged }
  }

  const unstage = async ({ staged }: StagedViews): Promise<void> => {
    for (const { file } of staged) await store.unstage(file)
  }

  /** Gives the staged views their names. The folders are the caller's to sync. */
  async function place({ module, versions, staged, links, gone }: StagedViews): Promise<void> {
    known.forget(module) // should one of these fail, the folder is read anew
    for (const { path, file } of staged) await store.place(file, path)
    for (const { path, target } of links) await store.linkOver(target, path)
    for (const path of gone) await store.remove(path)
    await known.keep(module, versions)
  }

  const refresh = async (module: Module, without?: string): Promise<void> =>
    place(await stage(await plan(module, without === undefined ? {} : { without })))

  return { plan, stage, unstage, place, refresh, forget: known.forget }
}
