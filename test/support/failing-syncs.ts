// Makes syncs of this process fail, or lists them, by the path of what is synced.

import { readlinkSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'

type Synced = (path: string) => Promise<void> | void

/** Calls `before` with the path of each file and folder that is about to be synced; what it throws is the failure. */
export async function beforeSyncs(before: Synced, action: () => Promise<unknown>): Promise<void> {
  const handle = await open('/')
  const methods = Object.getPrototypeOf(handle) as Pick<FileHandle, 'sync' | 'fd'>
  await handle.close()
  const { sync } = methods
  methods.sync = async function (this: FileHandle) {
    await before(readlinkSync(`/proc/self/fd/${this.fd}`))
    return sync.call(this)
  }
  try {
    await action()
  } finally {
    methods.sync = sync
  }
}
