// What is published, for `ls`, `show`, `search` and `rm`: read from the views, which are the same files here and on a
// server.

import { readOwners } from '../access/files.js'
import { isOwnerName, type Owner } from '../access/rights.js'
import { NotReadable, ownersOf, treeOf } from '../client/remote.js'
import { quote } from '../errors.js'
import { ownerViews } from '../layout.js'
import type { PackageName, TreeReader } from '../packages/published.js'
import { parseCatalogue } from '../views/catalogue.js'
import type { CatalogueEntry } from '../views/facts.js'
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

/**
 * The packages of an owner; none for one that has nothing, and `undefined` where no such owner can be seen. Throws for
 * wrong credentials.
 */
export async function catalogueOf(where: Where, owner: string): Promise<CatalogueEntry[] | undefined> {
  const text = await catalogueText(where, owner)
  if (text) return parseCatalogue(text.toString()) ?? []
  return (await ownersAt(where)).some(({ name }) => name === owner) ? [] : undefined
}

/** {@link catalogueOf}. Throws where no such owner can be seen. */
export async function mustHaveCatalogue(where: Where, owner: string): Promise<CatalogueEntry[]> {
  const catalogue = await catalogueOf(where, owner)
  if (catalogue) return catalogue
  const known = (await ownersAt(where)).map(({ name }) => name)
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

/** The package of this name. Throws when there is none, or when there are two and `type` does not say which. */
export async function findPackage(
  where: Where,
  { owner, name }: Named,
  type: string | undefined,
): Promise<PackageName> {
  const catalogue = await mustHaveCatalogue(where, owner)
  const found = catalogue.filter((entry) => entry.name === name && (type ?? entry.kind) === entry.kind)
  if (found.length > 1)
    throw new Error(
      `${owner} has a module and a generic package called ${quote(name)}: say --type go or generic`,
    )
  const [entry] = found
  if (entry) return { kind: entry.kind, name }
  const meant = similarTo(
    name,
    catalogue.map((each) => each.name),
  )
  throw new Error(
    `${owner} has no package ${quote(name)}${meant === undefined ? '' : `: did you mean ${meant}?`}`,
  )
}
