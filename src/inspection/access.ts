// What nginx reads of accounts and owners, held against their own files.

import { readAccounts, readOwners } from '../access/files.js'
import { deriveAccess, isMarker, readersText } from '../access/derive.js'
import { accountFile, folders, publicMarker, readersFile } from '../layout.js'
import type { Store } from '../store/store.js'
import { REBUILD, type Finding } from './finding.js'

/**
 * Markers and files of readers that are missing, wrong or too many, accounts whose files cannot be read, and owners
 * of packages that nobody declared.
 */
export async function inspectAccess(store: Store): Promise<Finding[]> {
  const findings: Finding[] = []
  const wrong = (path: string, fault: string): void =>
    void findings.push({ path, fault, mend: REBUILD, repair: () => deriveAccess(store) })

  const owners = await readOwners(store)
  const { accounts, damaged } = await readAccounts(store)
  const isPublic = new Set(owners.filter((owner) => owner.public).map(({ name }) => name))
  const declared = new Set(owners.map(({ name }) => name))
  const now = Date.now()
  for (const owner of declared) {
    const marker = publicMarker(owner)
    if (isPublic.has(owner) && !(await isMarker(store, owner)))
      wrong(marker, 'it is missing: its owner is public')
    const readers = readersFile(owner)
    const text = (await store.read(readers))?.toString()
    if (text !== readersText(accounts, owner, now)) wrong(readers, 'it does not say who may read this owner')
  }
  for (const name of await store.names(folders.public)) {
    if (!isPublic.has(name)) wrong(publicMarker(name), 'its owner is not public')
  }
  for (const name of await store.names(folders.readers)) {
    if (!declared.has(name)) wrong(readersFile(name), 'nobody declared its owner')
  }
  for (const name of damaged) {
    const mend = `npx plinth account remove ${name}, and add it again`
    findings.push({ path: accountFile(name), fault: 'it cannot be read: nobody can use this account', mend })
  }
  for (const owner of await store.names(`${folders.tree}/api/packages`)) {
    if (declared.has(owner)) continue
    const path = `${folders.tree}/api/packages/${owner}`
    findings.push({ path, fault: 'nobody declared this owner', mend: `npx plinth owner add ${owner}` })
  }
  return findings
}
