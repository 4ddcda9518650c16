// Is what arrives what is there already? By the record of its upload, without reading it where that will do.

import type { CheckPool } from '../modzip/check-pool.js'
import { genericFile, versionFile, type GenericVersion, type ModuleVersion } from '../layout.js'
import type { Store } from '../store/store.js'
import { sumOf, type Sum } from '../digest.js'
import { readRecord } from './records.js'

/** `absent`: it was deleted meanwhile. */
export type Holding = 'identical' | 'different' | 'absent'

export type Held = ReturnType<typeof makeHeld>

export function makeHeld({ store, zips }: { store: Store; zips: CheckPool }) {
  async function bytes(path: string, { sha256, size }: Sum): Promise<Holding> {
    const status = await store.status(path)
    if (!status) return 'absent'
    if (status.size !== size) return 'different'
    const record = await readRecord(store, path)
    const held = record?.sha256 ?? (await sumOf(store.at(path))).sha256
    return held === sha256 ? 'identical' : 'different'
  }

  return {
    file: (at: GenericVersion, file: string, sum: Sum): Promise<Holding> => bytes(genericFile(at, file), sum),

    /** The same bytes, or the same files packed otherwise: go.sum knows no difference. `zipHash` gives `h1:…`. */
    module: async (at: ModuleVersion, sum: Sum, zipHash: () => Promise<string>): Promise<Holding> => {
      const path = versionFile(at, 'zip')
      const holding = await bytes(path, sum)
      if (holding !== 'different') return holding
      const reading = await zips.read(store.at(path))
      return reading.ok && reading.zip.zipHash === (await zipHash()) ? 'identical' : 'different'
    },
  }
}
