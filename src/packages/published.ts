// What the views say of one package: which versions it has, which of them is the latest, and the files of each.

import {
  genericFile,
  genericPackageViews,
  genericVersionFolder,
  genericViews,
  moduleViews,
  versionFile,
  type GenericVersion,
  type Module,
  type ModuleVersion,
} from '../layout.js'
import type { Store } from '../store/store.js'
import type {
  CatalogueEntry,
  GenericIndex,
  GenericVersionFacts,
  ModuleIndex,
  ModuleVersionFacts,
} from '../views/facts.js'
import { parseGenericIndex, parseGenericVersion } from '../views/generic-index.js'
import { parseModuleIndex, parseVersionFacts } from '../views/module-index.js'

/** Reads files of the tree, here or on a server, by their paths. */
export type TreeReader = Pick<Store, 'read'>

/** A package of an owner. */
export type PackageName = Pick<CatalogueEntry, 'kind' | 'name'>

/** A version of a package. */
export type PackageVersion = PackageName & { version: string }

/** Reads a view and parses it; `undefined` when it is not there. */
async function parsed<T>(
  store: TreeReader,
  path: string,
  parse: (text: string) => T | undefined,
): Promise<T | undefined> {
  const text = await store.read(path)
  return text && parse(text.toString())
}

/** What a module version says of itself. One that was published before there were views has none until a rebuild. */
export const readModuleFacts = (
  store: TreeReader,
  at: ModuleVersion,
): Promise<ModuleVersionFacts | undefined> =>
  parsed(store, moduleViews(at).facts(at.version), parseVersionFacts)

export const readModuleIndex = (store: TreeReader, module: Module): Promise<ModuleIndex | undefined> =>
  parsed(store, moduleViews(module).index, parseModuleIndex)

export const readGenericFacts = (
  store: TreeReader,
  at: GenericVersion,
): Promise<GenericVersionFacts | undefined> => parsed(store, genericViews(at).facts, parseGenericVersion)

export const readGenericIndex = (
  store: TreeReader,
  at: Omit<GenericVersion, 'version'>,
): Promise<GenericIndex | undefined> => parsed(store, genericPackageViews(at).index, parseGenericIndex)

/** An uploaded file of a version: `path` is one of layout.ts. */
type PublishedFile = { file: string; path: string; size: number; sha256: string }

/** The files of a version, and the path under which other hashes of them are kept. */
type PublishedFiles = { at: string; files: PublishedFile[] }

/** The index of a package; `undefined` when it has no versions. */
export const readIndexOf = (
  store: TreeReader,
  owner: string,
  { kind, name }: PackageName,
): Promise<ModuleIndex | GenericIndex | undefined> =>
  kind === 'go' ? readModuleIndex(store, { owner, module: name }) : readGenericIndex(store, { owner, name })

/** The uploaded files of a version: a module's zip, or all files of a generic version. `undefined` without them. */
export async function readFilesOf(
  store: TreeReader,
  owner: string,
  { kind, name, version }: PackageVersion,
): Promise<PublishedFiles | undefined> {
  if (kind === 'go') {
    const at = { owner, module: name, version }
    const facts = await readModuleFacts(store, at)
    const path = versionFile(at, 'zip')
    return (
      facts && { at: path, files: [{ file: `${version}.zip`, path, size: facts.size, sha256: facts.sha256 }] }
    )
  }
  const at = { owner, name, version }
  const facts = await readGenericFacts(store, at)
  const files = facts?.files.map((each) => ({ ...each, path: genericFile(at, each.file) }))
  return files && { at: genericVersionFolder(at), files }
}

/** The versions in an index, the lowest first. So a package is deleted: until the end, its latest stays what it is. */
export const lowestFirst = ({ versions, older }: ModuleIndex | GenericIndex): string[] =>
  [...versions.map(({ version }) => version), ...older].toReversed()
