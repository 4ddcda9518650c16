// How long syncs take, which decides how long a write takes.

import { Counter, Histogram, type Registry } from 'prom-client'
import { syncs, type SyncEvent, type Synced } from '../store/sync.js'

/** Seconds: from a disk with a cache that a battery keeps, to one that is about to fail. */
const SECONDS = [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10]
const ALL: readonly Synced[] = ['file', 'folder', 'body']

/** Listens from now on. Returns what ends that. */
export function listenToSyncs(registry: Registry): () => void {
  const seconds = new Histogram({
    name: 'plinth_fsync_duration_seconds',
    help: 'Time of syncs to the disk: of whole files, of folders, and of bodies that still come.',
    labelNames: ['of'],
    buckets: SECONDS,
    registers: [registry],
  })
  const failures = new Counter({
    name: 'plinth_fsync_failures_total',
    help: 'Syncs that the disk answered with an error.',
    registers: [registry],
  })
  for (const of of ALL) seconds.zero({ of })
  const hear = (event: unknown): void => {
    const sync = event as SyncEvent // the one kind of event that the channel has
    seconds.observe({ of: sync.of }, sync.seconds)
    if (sync.failed) failures.inc()
  }
  syncs.subscribe(hear)
  return () => void syncs.unsubscribe(hear)
}
