// Finds the packages in the tree, and everything in the tree that is not part of a package.

import { isOwnerName } from '../access/rights.js'
import { checkPackageName, checkPackageVersion } from '../generic/names.js'
import { checkModulePath, unescapePath } from '../gomod/module-path.js'
import {
  folders,
  genericFolder,
  goFolder,
  ownerTree,
  ownerViews,
  packagesFolder,
  siteFolder,
  sumdbRoot,
  viewsFolder,
  type GenericVersion,
  type Module,
} from '../layout.js'
import type { Store } from '../store/store.js'
import { stray, type Finding, type Scope } from './finding.js'
import { noView } from './views.js'

export type Found =
  | { module: Module }
  | { version: GenericVersion }
  /** A generic package, after its versions. */
  | { generic: Omit<GenericVersion, 'version'> }
  /** All packages of the owner have come. */
  | { end: string }
  /** An owner, after its packages. */
  | { owner: string }
  | { finding: Finding }

/** Yields the packages of `scope`, and the strays beside them. */
export async function* walk(store: Store, { owner: only, module }: Scope): AsyncGenerator<Found> {
  if (only === undefined) yield* straysAbove(store)
  for (const owner of only === undefined ? await store.names(packagesFolder) : [only]) {
    if (!isOwnerName(owner)) continue
    if (module !== undefined) {
      yield { module: { owner, module } }
      yield { owner }
      continue
    }
    yield* strays(store, ownerTree(owner), (name) => name === 'go' || name === 'generic' || name === '-')
    yield* modules(store, owner, goFolder(owner))
    yield* versions(store, owner)
    yield { end: owner }
    yield* viewsOfNothing(store, owner)
    yield { owner }
  }
}

/** The strays in the folders above those of the owners. */
async function* straysAbove(store: Store): AsyncGenerator<Found> {
  let folder: string = folders.tree
  for (const known of packagesFolder.slice(folder.length + 1).split('/')) {
    yield* strays(store, folder, (name) => name === known || `${folder}/${name}` === siteFolder)
    folder = `${folder}/${known}`
  }
  yield* strays(store, packagesFolder, isOwnerName)
}

const isFolder = async (store: Store, path: string): Promise<boolean> =>
  (await store.status(path))?.isDirectory() ?? false

/** Everything in `folder` is a stray, except the folders whose names are `known`. */
async function* strays(
  store: Store,
  folder: string,
  known: (name: string) => boolean,
): AsyncGenerator<Found> {
  for (const name of await store.names(folder)) {
    const path = `${folder}/${name}`
    if (!known(name) || !(await isFolder(store, path))) yield { finding: stray(path) }
  }
}

async function* modules(store: Store, owner: string, folder: string): AsyncGenerator<Found> {
  const names = await store.names(folder)
  const module = unescapePath(folder.slice(goFolder(owner).length + 1))
  const isModule = module !== undefined && checkModulePath(module) === undefined
  if (isModule && (names.includes('@v') || names.includes('@latest'))) yield { module: { owner, module } }
  for (const name of names) {
    if (isModule && (name === '@v' || name === '@latest')) continue
    const path = `${folder}/${name}`
    if (!(await isFolder(store, path))) yield { finding: stray(path) }
    else if (path !== sumdbRoot(owner)) yield* modules(store, owner, path) // checksum databases are no modules
  }
}

async function* versions(store: Store, owner: string): AsyncGenerator<Found> {
  const folder = genericFolder(owner)
  yield* strays(store, folder, (name) => checkPackageName(name) === undefined)
  for (const name of await store.names(folder)) {
    if (checkPackageName(name) !== undefined) continue
    yield* strays(store, `${folder}/${name}`, (version) => checkPackageVersion(version) === undefined)
    for (const version of await store.names(`${folder}/${name}`))
      if (checkPackageVersion(version) === undefined) yield { version: { owner, name, version } }
    yield { generic: { owner, name } }
  }
}

/** The views of packages that are not there. */
async function* viewsOfNothing(store: Store, owner: string): AsyncGenerator<Found> {
  const folder = viewsFolder(owner)
  const known = new Set([
    ...Object.values(ownerViews(owner)),
    ...['go', 'generic', 'latest'].map((name) => `${folder}/${name}`),
  ])
  for (const name of await store.names(folder))
    if (!known.has(`${folder}/${name}`)) yield { finding: noView(store, `${folder}/${name}`) }
  for (const kind of ['generic', 'latest'])
    for (const name of await store.names(`${folder}/${kind}`))
      if (!(await isFolder(store, `${genericFolder(owner)}/${name}`)))
        yield { finding: noView(store, `${folder}/${kind}/${name}`) }
  yield* viewsOfNoModule(store, owner, '')
}

async function* viewsOfNoModule(store: Store, owner: string, below: string): AsyncGenerator<Found> {
  const folder = `${viewsFolder(owner)}/go${below}`
  for (const name of await store.names(folder)) {
    if (name !== '@') yield* viewsOfNoModule(store, owner, `${below}/${name}`)
    else if (!(await isFolder(store, `${goFolder(owner)}${below}/@v`)))
      yield { finding: noView(store, `${folder}/@`) }
  }
}
