// Finds what is named, and deletes it: a package, a version, or a file. For Gitea's API and for commands.

import { quote, Refusal } from '../errors.js'
import { checkFileName, checkPackageName, checkPackageVersion } from '../generic/names.js'
import type { FilePublisher } from '../generic/publish.js'
import type { ModulePublisher } from '../go/publish.js'
import { checkModulePath } from '../gomod/module-path.js'
import { checkVersion } from '../gomod/semver.js'
import { lowestFirst, readIndexOf, type PackageName, type PackageVersion } from '../packages/published.js'
import type { Store } from '../store/store.js'

/** A package as a client names it. `type` may be any text. */
export type NamedPackage = { owner: string; type: string; name: string }

export const noPackage = ({ type, name }: Omit<NamedPackage, 'owner'>): Refusal =>
  new Refusal(404, `there is no package ${quote(name)} of type ${quote(type)}`)
export const noVersion = ({ name, version }: PackageVersion): Refusal =>
  new Refusal(404, `there is no version ${quote(version)} of ${quote(name)}`)

/** The package that is named. Throws a 404 for what can be none. */
export function packageOf({ type, name }: NamedPackage): PackageName {
  if (type === 'go' && checkModulePath(name) === undefined) return { kind: 'go', name }
  if (type === 'generic' && checkPackageName(name) === undefined) return { kind: 'generic', name }
  throw noPackage({ type, name })
}

/** The version that is named. Throws a 404 for what can be none. */
export function versionOf(named: NamedPackage & { version: string }): PackageVersion {
  const at = { ...packageOf(named), version: named.version }
  const problem = at.kind === 'go' ? checkVersion(at.version) : checkPackageVersion(at.version)
  if (problem !== undefined) throw noVersion(at)
  return at
}

/** The versions of a package in the order in which they are deleted. Throws a 404 when there are none. */
export async function versionsToDelete(store: Store, owner: string, at: PackageName): Promise<string[]> {
  const index = await readIndexOf(store, owner, at)
  if (!index) throw noPackage({ type: at.kind, name: at.name })
  return lowestFirst(index)
}

type Publishers = { modules: ModulePublisher; files: FilePublisher }

/** Deletes a version. Throws a 404 when it is not there. */
export const deleteVersionOf = (
  { modules, files }: Publishers,
  owner: string,
  { kind, name, version }: PackageVersion,
): Promise<void> =>
  kind === 'go'
    ? modules.remove({ owner, module: name, version })
    : files.removeVersion({ owner, name, version })

/** A package, or with `version` one of its versions, or with `file` one file of a generic version. */
export type DeletionRequest = NamedPackage & { version?: string; file?: string }
/** How many of the `total` versions or files have been deleted. */
export type DeletionEvent = { deleted: number; total: number; done: boolean }

/** Reads a request that came as JSON. Throws for one that is malformed. */
export function parseDeletion(value: unknown): DeletionRequest {
  const { owner, type, name, version, file } = Object(value) as Record<string, unknown>
  if (typeof owner !== 'string' || typeof type !== 'string' || typeof name !== 'string')
    throw new Error('the request names no package')
  return {
    owner,
    type,
    name,
    ...(typeof version === 'string' && { version }),
    ...(typeof file === 'string' && { file }),
  }
}

/**
 * Deletes what is named, one version after the other. `signal` ends it; what is deleted by then stays deleted. Throws a
 * 404 when there is no such thing.
 */
export async function* deletePublished(
  parts: Publishers & { store: Store },
  { version, file, ...named }: DeletionRequest,
  signal: AbortSignal,
): AsyncGenerator<DeletionEvent> {
  const { owner } = named
  if (version !== undefined) {
    const at = versionOf({ ...named, version })
    if (file === undefined) await deleteVersionOf(parts, owner, at)
    else await deleteFileOf(parts, owner, at, file)
    yield { deleted: 1, total: 1, done: true }
    return
  }
  const at = packageOf(named)
  const versions = await versionsToDelete(parts.store, owner, at)
  for (const [nth, each] of versions.entries()) {
    signal.throwIfAborted()
    try {
      await deleteVersionOf(parts, owner, { ...at, version: each })
    } catch (error) {
      if (!(error instanceof Refusal && error.status === 404)) throw error // somebody else was faster
    }
    yield { deleted: nth + 1, total: versions.length, done: false }
  }
  yield { deleted: versions.length, total: versions.length, done: true }
}

async function deleteFileOf(
  { files }: Publishers,
  owner: string,
  { kind, name, version }: PackageVersion,
  file: string,
): Promise<void> {
  if (kind === 'go' || checkFileName(file) !== undefined)
    throw new Refusal(404, `there is no file ${quote(file)} in ${name} ${version}`)
  await files.removeFile({ owner, name, version }, file)
}
