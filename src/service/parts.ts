// What changes the data folder, put together: for the service, and for commands while none runs.

import { makeFilePublisher } from '../generic/publish.js'
import { makeCheckPool } from '../modzip/check-pool.js'
import { makeModulePublisher } from '../go/publish.js'
import { openJournal } from '../packages/journal.js'
import type { Log } from '../log.js'
import { makePublicationClock } from '../packages/publication-clock.js'
import { makeOwnerRemoval } from '../packages/owner-removal.js'
import { makeQueue } from '../packages/queue.js'
import { openStore } from '../store/store.js'

export type Parts = ReturnType<typeof openParts>

/** Opens the data folder `data` (absolute). Only the holder of its lock may change it. */
export function openParts(data: string, log: Log) {
  const store = openStore(data)
  const exclusively = makeQueue()
  const clock = makePublicationClock()
  const zips = makeCheckPool()
  const journal = openJournal(store, log)
  const modules = makeModulePublisher({ store, journal, exclusively, zips, clock })
  const files = makeFilePublisher({ store, journal, exclusively, clock })

  /** Makes what is missing of the data folder, and puts right what a crash left of operations in flight. */
  async function recover(): Promise<void> {
    await store.prepare()
    await store.sweep()
    await journal.settleAll((entry) => ('module' in entry ? modules.settle(entry) : files.settle(entry)))
  }

  return { store, zips, modules, files, packages: makeOwnerRemoval(store, exclusively), recover }
}
