// Whether a tree can be served by a machine that does not recover it.

import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { clusterPaths, folders, leasePath } from '../layout.js'
import { warn } from './terminal.js'

const LOOK_EVERY_MS = 100
/** How long what was begun may take to be settled. A publish takes less than a second. */
const SETTLED_MS = 30_000

/**
 * Resolves when the tree is there, and what was under way in it at the time of the call has ended: after a power cut
 * files of such an operation may be torn, until the active service has recovered. The data folder is the working
 * directory. What cannot be settled is not waited for: only a warning says so. Resolves with what `others` resolve with
 * when that comes first.
 */
export async function untilTreeIsWhole<T>(...others: Promise<T>[]): Promise<'whole' | T> {
  const over = new AbortController()
  try {
    return await Promise.race([look(over.signal), ...others])
  } finally {
    over.abort()
  }
}

const leaseText = (): Promise<string> => readFile(leasePath, 'utf8').catch(() => '')

async function look(signal: AbortSignal): Promise<'whole'> {
  const lease = await leaseText()
  let since = Infinity
  let left: ReadonlySet<string> | undefined
  while (!signal.aborted) {
    const entries = await readdir(folders.journal).catch(() => undefined)
    const isThere = entries !== undefined && existsSync(folders.readers)
    if (isThere) left = new Set(entries.filter((entry) => left?.has(entry) ?? true))
    if (isThere && left?.size === 0) return 'whole'
    // Only a service that lives and takes requests has recovered. The name of one that is dead may be left.
    if (since === Infinity && existsSync(clusterPaths.active) && (await leaseText()) !== lease)
      since = performance.now()
    if (left && performance.now() - since > SETTLED_MS) {
      warn(`${left.size} operations in the journal are not settled: files of theirs may be torn`)
      return 'whole'
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
  return 'whole'
}
