// The packages that are in the tree, and what is in it and part of none.

import { folders, genericFolder, goFolder, type GenericVersion, type Module } from '../layout.js'
import { checkModulePath, unescapePath } from '../gomod/module-path.js'
import { checkPackageName, checkPackageVersion } from '../generic/names.js'
import type { Store } from '../store/store.js'
import { stray } from './file-check.js'
import type { Finding, Scope } from './finding.js'
import { isOwnerName } from '../access/rights.js'

export type Found = { module: Module } | { version: GenericVersion } | { finding: Finding }

const PACKAGES = `${folders.tree}/api/packages`

export function makeWalk(store: Store) {
  const isFolder = async (path: string): Promise<boolean> =>
    (await store.status(path))?.isDirectory() ?? false

  /** Everything in `folder` that is not one of `known` is a stray. */
  async function* strays(folder: string, known: (name: string) => boolean): AsyncGenerator<Found> {
    for (const name of await store.names(folder)) {
      const path = `${folder}/${name}`
      if (!known(name) || !(await isFolder(path))) yield { finding: stray(path) }
    }
  }

  async function* modules(owner: string, folder: string): AsyncGenerator<Found> {
    const names = await store.names(folder)
    const module = unescapePath(folder.slice(goFolder(owner).length + 1))
    const isModule = module !== undefined && checkModulePath(module) === undefined
    if (isModule && (names.includes('@v') || names.includes('@latest'))) yield { module: { owner, module } }
    for (const name of names) {
      if (isModule && (name === '@v' || name === '@latest')) continue
      if (await isFolder(`${folder}/${name}`)) yield* modules(owner, `${folder}/${name}`)
      else yield { finding: stray(`${folder}/${name}`) }
    }
  }

  async function* versions(owner: string): AsyncGenerator<Found> {
    const folder = genericFolder(owner)
    yield* strays(folder, (name) => checkPackageName(name) === undefined)
    for (const name of await store.names(folder)) {
      if (checkPackageName(name) !== undefined) continue
      yield* strays(`${folder}/${name}`, (version) => checkPackageVersion(version) === undefined)
      for (const version of await store.names(`${folder}/${name}`))
        if (checkPackageVersion(version) === undefined) yield { version: { owner, name, version } }
    }
  }

  return async function* walk({ owner: only, module }: Scope): AsyncGenerator<Found> {
    if (only === undefined) {
      yield* strays(folders.tree, (name) => name === 'api')
      yield* strays(`${folders.tree}/api`, (name) => name === 'packages')
      yield* strays(PACKAGES, isOwnerName)
    }
    for (const owner of only === undefined ? await store.names(PACKAGES) : [only]) {
      if (!isOwnerName(owner)) continue
      if (module !== undefined) {
        yield { module: { owner, module } }
        continue
      }
      yield* strays(`${PACKAGES}/${owner}`, (name) => name === 'go' || name === 'generic')
      yield* modules(owner, goFolder(owner))
      yield* versions(owner)
    }
  }
}
