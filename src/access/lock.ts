// Lets one process at a time change accounts and owners: the service or any `plinth` on this machine. Without it,
// two that read, change and write the same file could bring back a token that was just replaced.

import { closeSync, openSync } from 'node:fs'
import { Refusal } from '../errors.js'
import { folders } from '../layout.js'
import { flock } from '../store/flock.js'
import type { Store } from '../store/store.js'

/** Runs `action` while nobody else changes accounts and owners. Throws a 404 when there is no data folder. */
export async function holdingAccessLock<T>(store: Store, action: () => Promise<T>): Promise<T> {
  // The lock is on the folder itself: other users of the machine cannot open it.
  if (!(await store.exists(folders.accounts)))
    throw new Refusal(404, 'there is nothing in this data folder yet: does PLINTH_DATA name the right one?')
  const fd = openSync(store.at(folders.accounts), 'r')
  try {
    await flock(fd, 'wait') // a machine without the program does not serialise changes
    return await action()
  } finally {
    closeSync(fd)
  }
}
