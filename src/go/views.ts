// What is derived from all versions of a module together: `list`, `@latest`, `latest.*`. A later view of a module
// (a JSON, a page) belongs here.

import { extensions, modulePaths, versionFile, type Module } from '../layout.js'
import type { Staged, Store } from '../store.js'
import { waitForAll } from '../wait-for-all.js'
import { latestVersion, listText } from './artifacts.js'
import { unescapePath } from './module-path.js'
import { parseVersion } from './semver.js'

/** What the views should be: files with their bytes, hard links, and names that should not be there. */
export type ViewPlan = {
  files: { path: string; content: Buffer }[]
  links: { path: string; target: string }[]
  gone: string[]
}

/** A change of the views whose files are on the disk already: what is left is to give them their names. */
export type StagedViews = ViewPlan & { staged: { path: string; file: Staged }[] }

/** A version that is about to be visible, with the `.info` that it will have. */
export type Fresh = { version: string; info: string }

/** 'v1.0.0.zip' → v1.0.0; `undefined` for `latest.zip` and whatever else is no version's zip. */
export function versionOfZip(name: string): string | undefined {
  if (!name.endsWith('.zip')) return undefined
  const version = unescapePath(name.slice(0, -'.zip'.length))
  return version !== undefined && parseVersion(version) !== undefined ? version : undefined
}

/** The views of a module with these versions; `info` is the `.info` of the one that is `@latest`. */
export function planViews(module: Module, versions: readonly string[], info: Uint8Array): ViewPlan {
  const paths = modulePaths(module)
  const latest = latestVersion(versions)
  if (latest === undefined)
    return { files: [], links: [], gone: [paths.list, paths.latest, ...extensions.map(paths.latestFile)] }
  return {
    files: [
      { path: paths.list, content: Buffer.from(listText(versions)) },
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
  /** The versions that have all their files, `.info` among them, in no order. */
  async function versionsOf(module: Module): Promise<string[]> {
    const names = new Set(await store.names(modulePaths(module).versions))
    const found: string[] = []
    for (const name of names) {
      const version = versionOfZip(name)
      if (version === undefined) continue
      const escaped = name.slice(0, -'.zip'.length)
      if (names.has(`${escaped}.mod`) && names.has(`${escaped}.info`)) found.push(version)
    }
    return found
  }

  /** What the views should be by the files that are there, with `fresh` and without `without`. */
  async function plan(module: Module, change: { fresh?: Fresh; without?: string } = {}): Promise<ViewPlan> {
    const { fresh, without } = change
    const versions = (await versionsOf(module)).filter((version) => version !== (without ?? fresh?.version))
    if (fresh) versions.push(fresh.version)
    const latest = latestVersion(versions)
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
  async function place({ staged, links, gone }: StagedViews): Promise<void> {
    for (const { path, file } of staged) await store.place(file, path)
    for (const { path, target } of links) await store.linkOver(target, path)
    for (const path of gone) await store.remove(path)
  }

  const refresh = async (module: Module, without?: string): Promise<void> =>
    place(await stage(await plan(module, without === undefined ? {} : { without })))

  return { versionsOf, plan, stage, unstage, place, refresh }
}
