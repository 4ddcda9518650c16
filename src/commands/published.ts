// What is published, for `ls`, `show`, `search` and `rm`: read from the views, which are the same files here and on a
// server.

import { readOwners } from '../access/files.js'
import { isOwnerName, type Owner } from '../access/rights.js'
import { NotReadable, ownersOf, treeOf } from '../client/remote.js'
import { PLINTH, quote } from '../errors.js'
import { checkPackageName, checkPackageVersion } from '../generic/names.js'
import { checkModulePath } from '../gomod/module-path.js'
import { checkVersion } from '../gomod/semver.js'
import { ownerViews } from '../layout.js'
import { readIndexOf, type PackageName, type TreeReader } from '../packages/published.js'
import { parseCatalogue } from '../views/catalogue.js'
import type { CatalogueEntry, GenericIndex, ModuleIndex } from '../views/facts.js'
import { WrongUsage } from './command.js'
import { similarTo } from './similar.js'
import type { Where } from './where.js'

export const treeAt = (where: Where): TreeReader => ('remote' in where ? treeOf(where.remote) : where.store)

/** The owners, in the order of their names: on a server those that the credentials may read. */
export const ownersAt = (where: Where): Promise<Owner[]> =>
  'remote' in where ? ownersOf(where.remote) : readOwners(where.store)

async function catalogueText(where: Where, owner: string): Promise<Buffer | undefined> {
  if (!isOwnerName(owner)) return undefined
  try {
    return await treeAt(where).read(ownerViews(owner).catalogue)
  } catch (error) {
    if (error instanceof NotReadable) return undefined // the list of owners says which it is
    throw error
  }
}

/** The packages of an owner; `undefined` where it has none, or no such owner can be seen. */
export async function catalogueOf(where: Where, owner: string): Promise<CatalogueEntry[] | undefined> {
  const text = await catalogueText(where, owner)
  if (!text) return undefined
  const catalogue = parseCatalogue(text.toString())
  if (catalogue) return catalogue
  throw new Error(
    'remote' in where
      ? `${where.remote.base} did not answer with the packages of ${owner}`
      : `the catalogue of ${owner} is damaged: ${PLINTH} rebuild`,
  )
}

/** The packages of an owner. Throws for wrong credentials, and where no such owner can be seen. */
export async function mustHaveCatalogue(where: Where, owner: string): Promise<CatalogueEntry[]> {
  const catalogue = await catalogueOf(where, owner)
  if (catalogue) return catalogue
  const known = (await ownersAt(where)).map(({ name }) => name)
  if (known.includes(owner)) return []
  const meant = similarTo(owner, known)
  throw new Error(
    `there is no owner ${quote(owner)}${unseen(where)}${meant === undefined ? '' : `: did you mean ${meant}?`}`,
  )
}

/** Why an owner that is there may not be seen. */
function unseen(where: Where): string {
  if (!('remote' in where)) return ''
  return where.remote.login
    ? ', or these credentials may not read it'
    : ' that anybody may read, and there are no credentials ("plinth login")'
}

export const TYPE_OPTION = { type: { type: 'string' } } as const

/** What `OWNER/PACKAGE[@VERSION]` names. No package has an `@` in its name; a version may. */
export type Named = { owner: string; name: string; version?: string }

export function parseNamed(text: string): Named {
  const [, owner = '', name = '', version] = /^([^/]+)\/([^@]+)(?:@(.*))?$/.exec(text) ?? []
  if (name === '' || version === '')
    throw new WrongUsage(`OWNER/PACKAGE or OWNER/PACKAGE@VERSION is expected, not ${quote(text)}`)
  return { owner, name, ...(version !== undefined && { version }) }
}

/** What `--type` says. Throws {@link WrongUsage} for any other word. */
export function typeIn({ type }: { type?: string | undefined }): CatalogueEntry['kind'] | undefined {
  if (type === undefined || type === 'go' || type === 'generic') return type
  throw new WrongUsage(`--type is go or generic, not ${quote(type)}`)
}

/** Throws for a version that the package cannot have: no name of one is a path to another. */
export function mustBeVersion({ kind, name }: PackageName, owner: string, version: string): void {
  const problem = kind === 'go' ? checkVersion(version) : checkPackageVersion(version)
  if (problem !== undefined) throw noVersion(`${owner}/${name}`, version)
}

export const noVersion = (what: string, version: string): Error =>
  new Error(`${what} has no version ${quote(version)}`)

/** A package that is there, and what its index says. */
type FoundPackage = PackageName & { index: ModuleIndex | GenericIndex }

async function packagesNamed(where: Where, { owner, name }: Named): Promise<FoundPackage[]> {
  const kinds: CatalogueEntry['kind'][] = []
  if (checkModulePath(name) === undefined) kinds.push('go')
  if (checkPackageName(name) === undefined) kinds.push('generic')
  const found: FoundPackage[] = []
  if (!isOwnerName(owner)) return found
  for (const kind of kinds) {
    const index = await readIndexOf(treeAt(where), owner, { kind, name })
    if (index) found.push({ kind, name, index })
  }
  return found
}

/**
 * The package of this name, by its own index, which is there before the upload is answered. Throws when there is none,
 * or when there are two and `type` does not say which.
 */
export async function findPackage(
  where: Where,
  named: Named,
  type: CatalogueEntry['kind'] | undefined,
): Promise<FoundPackage> {
  const { owner, name } = named
  const found = await packagesNamed(where, named).catch((error: unknown) => {
    if (error instanceof NotReadable) return [] // the list of owners says which it is
    throw error
  })
  const [first, ...more] = found.filter(({ kind }) => (type ?? kind) === kind)
  if (more.length > 0)
    throw new Error(
      `${owner} has a module and a generic package called ${quote(name)}: say --type go or generic`,
    )
  if (first) return first
  const known = (await mustHaveCatalogue(where, owner)).map((each) => each.name)
  const meant = similarTo(
    name,
    known.filter((each) => each !== name),
  )
  throw new Error(
    `${owner} has no package ${quote(name)}${meant === undefined ? '' : `: did you mean ${meant}?`}`,
  )
}
