// How files that were dropped leave; a part of the store. Nothing here need be durable: what a crash brings back is
// looked at again.

import { lstatSync, unlinkSync } from 'node:fs'
import { mkdir, rename, rmdir } from 'node:fs/promises'
import { ignoring } from '../errors.js'
import { signatureOf } from './reading.js'

/** `at` makes a path absolute. */
export function openDropped(at: (path: string) => string) {
  /** mkdir -p */
  const makeFolder = async (folder: string): Promise<void> =>
    void (await mkdir(at(folder), { recursive: true }))

  /** Gives what is at `from`, whatever it is, the free name `to`. */
  const moveAside = (from: string, to: string): Promise<void> => rename(at(from), at(to))

  /** Removes the file when it still is the one of this {@link signatureOf}; at once, so that nobody comes between. */
  function removeUnchanged(path: string, signature: string): boolean {
    const status = lstatSync(at(path), { throwIfNoEntry: false })
    if (!status || signatureOf(status) !== signature) return false
    unlinkSync(at(path))
    return true
  }

  const removeEmpty = (folder: string): Promise<boolean> =>
    ignoring(['ENOENT', 'ENOTEMPTY', 'EEXIST'], () => rmdir(at(folder)))

  return { makeFolder, moveAside, removeUnchanged, removeEmpty }
}
