// Compares what nginx reads of accounts and owners with their own files.

import { deriveAccess, isMarker, readersText } from '../access/derive.js'
import { readAccounts, readOwners } from '../access/files.js'
import { isAdmitting, workersStamp } from '../access/owner-folders.js'
import { isOwnerName, type Account, type Owner } from '../access/rights.js'
import { PLINTH } from '../errors.js'
import { accountFile, folders, ownerTree, packagesFolder, publicMarker, readersFile } from '../layout.js'
import type { Store } from '../store/store.js'
import { REBUILD, type Finding } from './finding.js'

/**
 * Markers and files of readers that are missing, wrong or left over; owners' folders that admit the wrong users;
 * accounts whose files cannot be read; and owners of packages that are not declared.
 */
export async function inspectAccess(store: Store): Promise<Finding[]> {
  const owners = await readOwners(store)
  const { accounts, damaged } = await readAccounts(store)
  return [
    ...(await missing(store, owners, accounts)),
    ...(await leftOver(store, owners)),
    ...(await openedOrShut(store, owners)),
    ...damaged.map(damagedAccount),
    ...(await undeclared(store, owners)),
  ]
}

const namesOf = (owners: readonly Owner[]): Set<string> => new Set(owners.map(({ name }) => name))

const derivedFault = (store: Store, path: string, fault: string): Finding => ({
  path,
  fault,
  mend: REBUILD,
  repair: async () => void (await deriveAccess(store)),
})

async function missing(store: Store, owners: Owner[], accounts: Account[]): Promise<Finding[]> {
  const findings: Finding[] = []
  const now = Date.now()
  for (const { name, public: isPublic } of owners) {
    if (isPublic && !(await isMarker(store, name)))
      findings.push(derivedFault(store, publicMarker(name), 'it is missing: its owner is public'))
    const readers = readersFile(name)
    const text = (await store.read(readers))?.toString()
    if (text !== readersText(accounts, name, now))
      findings.push(derivedFault(store, readers, 'it does not say who may read this owner'))
  }
  return findings
}

// A copy of a tree brings modes of its own.
async function openedOrShut(store: Store, owners: Owner[]): Promise<Finding[]> {
  const findings: Finding[] = []
  const readable = namesOf(owners.filter((owner) => owner.public))
  const stamp = await workersStamp(store)
  for (const name of await store.names(packagesFolder)) {
    const isPublic = readable.has(name)
    if (await isAdmitting(store, name, isPublic ? 'everybody' : stamp)) continue
    const fault = isPublic
      ? 'some users of this machine cannot enter it: its owner is public'
      : "it must admit the service's user and nginx alone: its owner is not public"
    findings.push(derivedFault(store, ownerTree(name), fault))
  }
  return findings
}

async function leftOver(store: Store, owners: Owner[]): Promise<Finding[]> {
  const findings: Finding[] = []
  const readable = namesOf(owners.filter((owner) => owner.public))
  const declared = namesOf(owners)
  for (const name of await store.names(folders.public))
    if (!readable.has(name)) findings.push(derivedFault(store, publicMarker(name), 'its owner is not public'))
  for (const name of await store.names(folders.readers))
    if (!declared.has(name))
      findings.push(derivedFault(store, readersFile(name), 'nobody declared its owner'))
  return findings
}

const damagedAccount = (name: string): Finding => ({
  path: accountFile(name),
  fault: 'it cannot be read: nobody can use this account',
  mend: `${PLINTH} account remove ${name}, and add it again`,
})

async function undeclared(store: Store, owners: Owner[]): Promise<Finding[]> {
  const declared = namesOf(owners)
  const names = await store.names(packagesFolder)
  return names
    .filter((name) => isOwnerName(name) && !declared.has(name)) // another name is a stray of the tree
    .map((name) => ({
      path: ownerTree(name),
      fault: 'nobody declared this owner',
      mend: `${PLINTH} owner add ${name}`,
    }))
}
