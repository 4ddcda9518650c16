// One change of accounts and owners at a time, across processes: the service and every `npx plinth` on this machine.
// Two that read, change and write the same file could otherwise bring a token back that was just replaced.

import { closeSync, openSync } from 'node:fs'
import { Refusal } from '../errors.js'
import { flock } from '../store/flock.js'
import { folders } from '../layout.js'
import type { Store } from '../store/store.js'

/** Runs `action` while nobody else changes accounts and owners. Throws a 404 when there is no data folder. */
export async function holdingAccessLock<T>(store: Store, action: () => Promise<T>): Promise<T> {
  // the folder itself is what is locked: other users of the machine cannot open it
  if (!(await store.exists(folders.accounts)))
    throw new Refusal(404, 'there is nothing in this data folder yet: does PLINTH_DATA name the right one?')
  const fd = openSync(store.at(folders.accounts), 'r')
  try {
    await flock(fd, 'wait') // where there is no such program, changes are not serialised
    return await action()
  } finally {
    closeSync(fd)
  }
}
