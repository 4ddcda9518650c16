// The lease of the active service of several machines: without it, nothing is taken any more.

import { join } from 'node:path'
import { removeActive } from '../cluster/active.js'
import { Lease } from '../cluster/lease.js'
import type { Config } from '../config.js'
import { leasePath } from '../layout.js'
import { isSigned } from '../store/lock.js'
import { Store } from '../store/store.js'

/**
 * Renews the lease until the returned function is called. `onLost` is told once why it is lost. The process holds the
 * data folder's lock, and has the data folder as its working directory.
 */
export async function keepLease(
  config: Config,
  onLost: (reason: string) => void,
): Promise<() => Promise<void>> {
  await removeActive(new Store(config.data)) // the one before may have named an address, and this one may name none
  const isHolder = (): Promise<boolean> => isSigned(config.data)
  const lease = new Lease(
    { path: join(config.data, leasePath), seconds: config.leaseSeconds, isHolder },
    onLost,
  )
  await lease.start()
  return () => lease.end()
}
