// Records a version in the checksum database of its owner.

import { modulePaths, type ModuleVersion } from '../layout.js'
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
