// Records a version in the checksum database of its owner.

import { Refusal } from '../errors.js'
import { modulePaths, versionFile, type ModuleVersion } from '../layout.js'
import type { Store } from '../store/store.js'
import type { ChecksumDatabases } from '../sumdb/databases.js'
import type { GoSums } from '../sumdb/record.js'

/**
 * Records a claimed version, before anybody can see it; does nothing for an owner without a database. What is recorded
 * cannot be taken back, so the claim is on the disk first. When the version is withdrawn after all, the same content is
 * welcome later.
 */
export async function recordVersion(
  store: Store,
  databases: ChecksumDatabases,
  version: ModuleVersion,
  sums: GoSums,
): Promise<void> {
  const database = databases.of(version.owner)
  if (!database) return
  await store.sync(modulePaths(version).versions)
  await database.append(version, sums)
}

/**
 * Records a version that a crash left half-published. `false`: it cannot be recorded, and nobody has seen it. One that
 * is visible stays without a record: it was published while the database was disabled, and enabling names it.
 */
export async function mayStay(
  store: Store,
  databases: ChecksumDatabases,
  version: ModuleVersion,
  sums: GoSums,
): Promise<boolean> {
  try {
    await recordVersion(store, databases, version, sums)
    return true
  } catch (error) {
    if (!(error instanceof Refusal) || error.status >= 500) throw error
    return store.exists(versionFile(version, 'info'))
  }
}
