// fsync(2) and fdatasync(2), which decide how long a write takes. How long they took is told to whoever listens. While
// nobody does, nothing is measured.

import { channel } from 'node:diagnostics_channel'
import type { FileHandle } from 'node:fs/promises'

/** What was synced: a whole file, a folder, or bytes of a body that still comes. */
export type Synced = 'file' | 'folder' | 'body'

/** One sync: how long it took, and whether the disk reported an error. */
export type SyncEvent = { of: Synced; seconds: number; failed: boolean }

/** Has a {@link SyncEvent} after each sync. */
export const syncs = channel('plinth.sync')

/** Resolves when what was written to the file is on the disk. */
export const syncHandle = (handle: FileHandle, of: Synced): Promise<void> =>
  syncs.hasSubscribers ? timed(handle, of) : begin(handle, of)

const begin = (handle: FileHandle, of: Synced): Promise<void> =>
  of === 'body' ? handle.datasync() : handle.sync()

async function timed(handle: FileHandle, of: Synced): Promise<void> {
  const begun = performance.now()
  let failed = true
  try {
    await begin(handle, of)
    failed = false
  } finally {
    const event: SyncEvent = { of, seconds: (performance.now() - begun) / 1000, failed }
    syncs.publish(event)
  }
}
