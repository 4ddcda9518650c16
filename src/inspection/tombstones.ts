// Looks for tombstones of immutable owners that say nothing, or that nobody needs.

import { ownerNames } from '../access/files.js'
import { PLINTH } from '../errors.js'
import { allTombstones } from '../packages/tombstones.js'
import type { Store } from '../store/store.js'
import type { Finding } from './finding.js'

/** Tombstones that are damaged or not in their place, and those of owners that are not declared any more. */
export async function inspectTombstones(store: Store): Promise<Finding[]> {
  const findings: Finding[] = []
  const declared = new Set(await ownerNames(store))
  for await (const { path, tombstone } of allTombstones(store))
    if (!tombstone)
      findings.push({
        path,
        fault:
          'it does not say what a deleted version was, or is not in its place: nothing can be published there',
        mend: 'restore it from a backup; or remove it, and anything can be published there',
      })
    else if (!declared.has(tombstone.owner))
      findings.push({
        path,
        fault: `nobody declared the owner of what was deleted, ${tombstone.owner}`,
        mend: `${PLINTH} owner remove ${tombstone.owner}`,
      })
  return findings
}
