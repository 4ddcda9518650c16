// How files leave the inbox. Nothing here is durable: what a crash brings back is looked at again. Paths are those of
// layout.ts.

import { lstatSync, unlinkSync } from 'node:fs'
import { mkdir, rename, rmdir } from 'node:fs/promises'
import { ignoring } from '../errors.js'
import { signatureOf } from './reading.js'
import type { Store } from './store.js'

/** mkdir -p */
export async function makeInboxFolder(store: Store, folder: string): Promise<void> {
  await mkdir(store.at(folder), { recursive: true })
}

/** Moves the file or folder `from` to the free name `to`. */
export const moveAside = (store: Store, from: string, to: string): Promise<void> =>
  rename(store.at(from), store.at(to))

/**
 * Removes a file if it still has this {@link signatureOf}. The calls are synchronous, so that nothing else of this
 * process comes between the look and the removal.
 */
export function removeUnchanged(store: Store, path: string, signature: string): boolean {
  const status = lstatSync(store.at(path), { throwIfNoEntry: false })
  if (!status || signatureOf(status) !== signature) return false
  unlinkSync(store.at(path))
  return true
}

/** Removes a folder if it is empty. */
export const removeEmptyFolder = (store: Store, folder: string): Promise<boolean> =>
  ignoring(['ENOENT', 'ENOTEMPTY', 'EEXIST'], () => rmdir(store.at(folder)))
