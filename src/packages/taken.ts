// What is said of a name that is taken.

import type { KnownOwners } from '../access/known-owners.js'
import type { Sum } from '../digest.js'
import { NameTaken, quote } from '../errors.js'
import type { GenericVersion, ModuleVersion } from '../layout.js'
import type { Store } from '../store/store.js'
import { readModuleFacts } from './published.js'

/** What helps: `orNew` is said of an owner whose versions may be replaced, once they are deleted. */
async function wayOut(owners: KnownOwners, owner: string, orNew: string): Promise<string> {
  const isImmutable = (await owners.find(owner))?.immutable
  return isImmutable
    ? `, and owner ${owner} is immutable: publish a new version`
    : `: delete it first${orNew}`
}

/** Says what is there, as far as its views know it. */
export async function versionTaken(store: Store, owners: KnownOwners, at: ModuleVersion): Promise<NameTaken> {
  const facts = await readModuleFacts(store, at)
  const there = facts ? `\nwhat is there has ${facts.h1} and sha256 ${facts.sha256}` : ''
  const way = await wayOut(owners, at.owner, ', or publish a new version')
  return new NameTaken(`${at.module} ${at.version} exists already${way}${there}`)
}

/** `sum` is of what is there, where it is known. */
export async function fileTaken(
  owners: KnownOwners,
  { owner, name, version }: GenericVersion,
  file: string,
  sum?: Partial<Sum>,
): Promise<NameTaken> {
  const there = sum?.sha256 === undefined ? '' : `\nwhat is there has sha256 ${sum.sha256}`
  const way = await wayOut(owners, owner, '')
  return new NameTaken(`file ${quote(file)} exists already in ${name} ${version}${way}${there}`)
}
