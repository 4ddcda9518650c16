// The go.mod and the facts of a zip that is in the tree already: for a recovery, and for a repair.

import { join } from 'node:path'
import type { CheckPool } from '../modzip/check-pool.js'
import type { ZipReading } from '../modzip/read-zip.js'
import type { Store } from '../store/store.js'

/** What reading takes of the service's parts. */
type Needs = { store: Store; zips: Pick<CheckPool, 'read'> }

/**
 * Reads the zip at `path` of the tree, and calls `use` with the reading and the absolute paths of its go.mod and of the
 * JSON text of its ModuleFacts, new files that are there when the zip is right. They are removed when `use` has ended,
 * if they are there still.
 */
export async function withGoMod<T>(
  { store, zips }: Needs,
  path: string,
  use: (reading: ZipReading, mod: string, facts: string) => Promise<T>,
): Promise<T> {
  const scratch = await store.newUpload()
  try {
    const mod = join(scratch.folder, 'go.mod')
    const facts = join(scratch.folder, 'facts.json')
    return await use(await zips.read(store.at(path), { mod, facts }), mod, facts)
  } finally {
    await store.discard(scratch)
  }
}
