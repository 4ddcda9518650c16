// Inspects the views of an owner's packages together, and the views of packages that are not there.

import { dirname } from 'node:path'
import { folders } from '../layout.js'
import type { OwnerViews } from '../packages/owner-views.js'
import type { Store } from '../store/store.js'
import { REBUILD, type Finding } from './finding.js'

/** Everything that is wrong with the views of an owner's packages together. */
export async function inspectOwnerViews(
  ownerViews: Pick<OwnerViews, 'inspect' | 'remake'>,
  owner: string,
): Promise<Finding[]> {
  const wrong = await ownerViews.inspect(owner)
  let remade: Promise<void> | undefined
  const repair = (): Promise<void> => (remade ??= ownerViews.remake(owner)) // all of them are made at once
  return wrong.map((path) => ({
    path,
    fault: "it is not what follows from the owner's packages",
    mend: REBUILD,
    repair,
  }))
}

/** A file or folder among the views that is the view of nothing. */
export const noView = (store: Store, path: string): Finding => ({
  path,
  fault: 'it is a view of something that is not there',
  mend: REBUILD,
  async repair() {
    await store.removeFolder(path)
    await store.prune(dirname(path), folders.tree)
  },
})
