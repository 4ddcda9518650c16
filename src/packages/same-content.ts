// Is what arrives what is there already? By the record of its upload, without reading it where that will do.

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { CheckPool } from '../modzip/check-pool.js'
import { genericFile, sumFile, versionFile, type GenericVersion, type ModuleVersion } from '../layout.js'
import { parseOperation, type Sum } from './operation.js'
import type { Store } from '../store/store.js'

/** SHA-256 in hex and size of the file at `path` (absolute). */
export async function sumOf(path: string): Promise<Sum> {
  const hash = createHash('sha256')
  let size = 0
  for await (const piece of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(piece)
    size += piece.length
  }
  return { sha256: hash.digest('hex'), size }
}

/** `absent`: it was deleted meanwhile. */
export type Holding = 'identical' | 'different' | 'absent'

export type Held = ReturnType<typeof makeHeld>

export function makeHeld({ store, zips }: { store: Store; zips: CheckPool }) {
  async function bytes(path: string, { sha256, size }: Sum): Promise<Holding> {
    const status = await store.status(path)
    if (!status) return 'absent'
    if (status.size !== size) return 'different'
    const record = parseOperation((await store.read(sumFile(path)))?.toString() ?? '')
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
