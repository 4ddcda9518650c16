// The go.mod of a zip that is in the tree already: for a recovery, and for a repair.

import { join } from 'node:path'
import type { CheckPool } from '../modzip/check-pool.js'
import type { ZipReading } from '../modzip/read-zip.js'
import type { Store } from '../store/store.js'

/** What reading takes of the service's parts. */
type Needs = { store: Store; zips: Pick<CheckPool, 'read'> }

/**
 * Reads the zip at `path` of the tree, and calls `use` with the reading and the absolute path of its go.mod, a new file
 * that is there when the zip is right. The file is removed when `use` has ended, if it is there still.
 */
export async function withGoMod<T>(
  { store, zips }: Needs,
  path: string,
  use: (reading: ZipReading, mod: string) => Promise<T>,
): Promise<T> {
  const scratch = await store.newUpload()
  try {
    const mod = join(scratch.folder, 'go.mod')
    return await use(await zips.read(store.at(path), { mod }), mod)
  } finally {
    await store.discard(scratch)
  }
}
