// Which versions an inspection looks at that is told since when. The time of a publication is the zip's mtime. Whatever
// is done to a file later, its bytes, its mode or its name, gives it a later ctime, which nobody can set back.

import type { Stats } from 'node:fs'
import {
  extensions,
  genericFile,
  genericPackageViews,
  genericVersionFolder,
  genericFolder,
  genericViews,
  latestFolder,
  modulePaths,
  moduleViews,
  sumFile,
  versionFile,
  type GenericVersion,
  type Module,
  type ModuleVersion,
} from '../layout.js'
import type { Store } from '../store/store.js'

/** Milliseconds since 1970; `undefined` looks at everything. */
export type Since = number | undefined

const isLater = (status: Stats | undefined, since: number): boolean =>
  !status || status.mtimeMs >= since || status.ctimeMs >= since

/** Whether one of these files or folders is from then or later, or missing. */
async function hasLater(store: Store, since: Since, paths: readonly string[]): Promise<boolean> {
  if (since === undefined) return true
  for (const path of paths) if (isLater(await store.status(path), since)) return true
  return false
}

/** Whether the version was published since, or one of its files was changed or is missing. */
export function isRecentVersion(store: Store, since: Since, at: ModuleVersion): Promise<boolean> {
  const views = moduleViews(at)
  const own = extensions.map((extension) => versionFile(at, extension))
  const derived = [views.facts(at.version), views.versionPage(at.version)]
  return hasLater(store, since, [...own, sumFile(versionFile(at, 'zip')), ...derived])
}

/** Whether a file of the module that is of no single version was changed, or a name in its folders came or went. */
export function isRecentModule(store: Store, since: Since, module: Module): Promise<boolean> {
  const { versions, list, latest, latestFile } = modulePaths(module)
  const { folder, index, page } = moduleViews(module)
  return hasLater(store, since, [versions, list, latest, ...extensions.map(latestFile), folder, index, page])
}

/** Whether a file of this version was published since, changed, or came or went. `files` are its names. */
export async function isRecentGeneric(
  store: Store,
  since: Since,
  at: GenericVersion,
  files: readonly string[],
): Promise<boolean> {
  const { folder, sums, facts, versionPage } = genericViews(at)
  const own = files.map((file) => genericFile(at, file))
  const folders = [genericVersionFolder(at), folder]
  return hasLater(store, since, [...folders, ...own, ...own.map(sumFile), sums, facts, versionPage])
}

/** Whether a view of the package was changed, or what it follows from. */
export async function isRecentPackage(
  store: Store,
  since: Since,
  { owner, name }: Omit<GenericVersion, 'version'>,
  versions: readonly string[],
): Promise<boolean> {
  const { packageFolder, index, page } = genericPackageViews({ owner, name })
  const facts = versions.map((version) => genericViews({ owner, name, version }).facts)
  const folders = [`${genericFolder(owner)}/${name}`, packageFolder, latestFolder(owner, name)]
  return hasLater(store, since, [...folders, index, page, ...facts])
}
