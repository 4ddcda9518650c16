// All packages of an owner that is not declared any more, taken away: the records of their sums, then the tree, which
// nobody is served from. Cut off in between it can be run again; the other way round `verify` would find files lost.

import { dirname } from 'node:path'
import { ownerTree } from '../layout.js'
import { isOfOwner } from './operation.js'
import type { Queue } from './queue.js'
import type { Store } from '../store/store.js'
import { allRecords } from './records.js'

export type OwnerRemoval = {
  /** Resolves when what is being published or deleted under the owner has ended. */
  settled: (owner: string) => Promise<void>
  /** Removes everything of the owner. Only when it is not declared, and settled: then nothing is published any more. */
  remove: (owner: string) => Promise<void>
}

export const makeOwnerRemoval = (store: Store, queue: Queue): OwnerRemoval => ({
  settled: (owner) => queue.idle((key) => isOfOwner(key, owner)),
  async remove(owner) {
    const changed = new Set<string>()
    for await (const { record, operation } of allRecords(store)) {
      if (operation?.owner !== owner) continue
      await store.remove(record)
      changed.add(dirname(record))
    }
    for (const folder of changed) await store.sync(folder)
    await store.removeFolder(ownerTree(owner))
  },
})
