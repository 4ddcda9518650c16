// The key that machines with one data folder know each other by. Whoever can read the data folder as the service does
// has it, and nobody else.

import { randomBytes } from 'node:crypto'
import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { messageOf, StartProblem } from '../errors.js'
import { clusterPaths } from '../layout.js'
import { unlessAbsent } from '../store/reading.js'
import type { Store } from '../store/store.js'

/** As many as the cipher's own key has. */
const KEY_BYTES = 32
const KEY_TEXT = /^([0-9a-f]{64})\n?$/
/** More than a key is not read. */
const MOST_BYTES = 256
/** Access of others than the file's owner. */
const OTHERS = 0o077

/**
 * The key of the data folder `data`, 32 bytes; `undefined` when there is none yet. Throws a {@link StartProblem} for
 * one that others may read, since they may have read it, and for one that is malformed.
 */
export async function readClusterKey(data: string): Promise<Buffer | undefined> {
  const handle = await unlessAbsent(open(join(data, clusterPaths.key), 'r')).catch((error: unknown) => {
    throw new StartProblem(`${clusterPaths.key} cannot be read: ${messageOf(error)}`)
  })
  if (!handle) return undefined
  try {
    const { mode } = await handle.stat()
    if ((mode & OTHERS) !== 0)
      throw new StartProblem(
        `other users may read ${clusterPaths.key} (its mode is ${(mode & 0o777).toString(8)}): remove the file and ` +
          'start the active service again, which makes a new key',
      )
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(MOST_BYTES), 0, MOST_BYTES, 0)
    const hex = KEY_TEXT.exec(buffer.toString('latin1', 0, bytesRead))?.[1]
    if (hex !== undefined) return Buffer.from(hex, 'hex')
  } finally {
    await handle.close()
  }
  throw new StartProblem(
    `${clusterPaths.key} is damaged, since 64 hex digits are expected: remove the file and start the active service ` +
      'again, which makes a new key',
  )
}

/**
 * The key of the store's data folder, which is made, durably, when there is none. It is written once: of two that make
 * it at the same moment both get the same. Throws as {@link readClusterKey} does.
 */
export async function makeClusterKey(store: Store): Promise<Buffer> {
  const data = store.at('.')
  const there = await readClusterKey(data)
  if (there) return there
  const made = await store.stage(`${randomBytes(KEY_BYTES).toString('hex')}\n`, { secret: true })
  try {
    await store.claim(made.temp, clusterPaths.key)
    await store.sync(dirname(clusterPaths.key))
  } finally {
    await store.unstage(made)
  }
  const key = await readClusterKey(data)
  if (key) return key
  throw new StartProblem(`${clusterPaths.key} was removed while it was made`)
}
