// Compares an upload with what is published. The record of the published upload answers without reading the file,
// where there is one.

import { sumOf, type Sum } from '../digest.js'
import { genericFile, versionFile, type GenericVersion, type ModuleVersion } from '../layout.js'
import type { CheckPool } from '../modzip/check-pool.js'
import type { Store } from '../store/store.js'
import { readRecord } from './records.js'

/** `absent`: what was published has been deleted meanwhile. */
export type Comparison = 'identical' | 'different' | 'absent'

async function compareBytes(store: Store, path: string, { sha256, size }: Sum): Promise<Comparison> {
  const status = await store.status(path)
  if (!status) return 'absent'
  if (status.size !== size) return 'different'
  const record = await readRecord(store, path)
  const published = record?.sha256 ?? (await sumOf(store.at(path))).sha256
  return published === sha256 ? 'identical' : 'different'
}

/** Compares bytes with a published file. */
export const compareFile = (store: Store, at: GenericVersion, file: string, sum: Sum): Promise<Comparison> =>
  compareBytes(store, genericFile(at, file), sum)

/**
 * Compares a module zip with a published version. Zips with the same bytes are identical, and so are zips that hold the
 * same files packed in another way: go.sum has one hash for both. `zipHash` resolves with the `h1:…` of the zip.
 */
export async function compareModule(
  { store, zips }: { store: Store; zips: Pick<CheckPool, 'read'> },
  at: ModuleVersion,
  sum: Sum,
  zipHash: () => Promise<string>,
): Promise<Comparison> {
  const path = versionFile(at, 'zip')
  const comparison = await compareBytes(store, path, sum)
  if (comparison !== 'different') return comparison
  const reading = await zips.read(store.at(path))
  return reading.ok && reading.zip.zipHash === (await zipHash()) ? 'identical' : 'different'
}
