// What the views say of one package: which versions it has, which of them is the latest, and the files of each.

import {
  genericFile,
  genericPackageViews,
  genericVersionFolder,
  genericViews,
  moduleViews,
  versionFile,
} from '../layout.js'
import type { Store } from '../store/store.js'
import type { GenericIndex, ModuleIndex } from '../views/facts.js'
import { parseGenericIndex, parseGenericVersion } from '../views/generic-index.js'
import { parseModuleIndex } from '../views/module-index.js'
import { parseRecord } from '../views/parse-record.js'
import type { PackageVersion } from './version-index.js'

/** A package of an owner. */
export type PackageName = Pick<PackageVersion, 'kind' | 'name'>

/** An uploaded file of a version: `path` is one of layout.ts. */
type PublishedFile = { file: string; path: string; size: number; sha256: string }

/** The files of a version, and the path under which other hashes of them are kept. */
type PublishedFiles = { at: string; files: PublishedFile[] }

/** The index of a package; `undefined` when it has no versions. */
export async function readIndexOf(
  store: Store,
  owner: string,
  { kind, name }: PackageName,
): Promise<ModuleIndex | GenericIndex | undefined> {
  const path =
    kind === 'go' ? moduleViews({ owner, module: name }).index : genericPackageViews({ owner, name }).index
  const text = (await store.read(path))?.toString()
  return text === undefined ? undefined : kind === 'go' ? parseModuleIndex(text) : parseGenericIndex(text)
}

/** The uploaded files of a version: a module's zip, or all files of a generic version. `undefined` without them. */
export async function readFilesOf(
  store: Store,
  owner: string,
  { kind, name, version }: PackageVersion,
): Promise<PublishedFiles | undefined> {
  if (kind === 'go') {
    const at = { owner, module: name, version }
    const text = await store.read(moduleViews(at).facts(version))
    const { size, sha256 } = parseRecord(text?.toString() ?? '')
    if (typeof size !== 'number' || typeof sha256 !== 'string') return undefined
    const path = versionFile(at, 'zip')
    return { at: path, files: [{ file: `${version}.zip`, path, size, sha256 }] }
  }
  const at = { owner, name, version }
  const text = await store.read(genericViews(at).facts)
  const facts = text && parseGenericVersion(text.toString())
  const files = facts?.files.map((each) => ({ ...each, path: genericFile(at, each.file) }))
  return files && { at: genericVersionFolder(at), files }
}
