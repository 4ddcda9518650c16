// Compares an upload with what is published. The record of the published upload answers without reading the file,
// where there is one. A name that is taken is no error when the same content has it, for who asks in this way.

import { sumOf, type Sum } from '../digest.js'
import { NameTaken } from '../errors.js'
import { genericFile, versionFile, type GenericVersion, type ModuleVersion } from '../layout.js'
import type { CheckPool } from '../modzip/check-pool.js'
import { Changed } from '../store/opened-folder.js'
import { unlessAbsent } from '../store/reading.js'
import type { Store } from '../store/store.js'
import { readModuleFacts } from './published.js'
import { readRecord } from './records.js'

/** `absent`: what was published has been deleted meanwhile. */
type Comparison = 'identical' | 'different' | 'absent'

async function compareBytes(store: Store, path: string, { sha256, size }: Sum): Promise<Comparison> {
  const status = await store.status(path)
  if (!status) return 'absent'
  if (status.size !== size) return 'different'
  const record = await readRecord(store, path)
  const published = record?.sha256 ?? (await unlessAbsent(sumOf(store.at(path))))?.sha256
  return published === undefined ? 'absent' : published === sha256 ? 'identical' : 'different'
}

/** Compares bytes with a published file. */
export const compareFile = (store: Store, at: GenericVersion, file: string, sum: Sum): Promise<Comparison> =>
  compareBytes(store, genericFile(at, file), sum)

async function hashOf(zips: Pick<CheckPool, 'read'>, path: string): Promise<string | undefined> {
  const reading = await zips.read(path, { patient: true })
  return reading.ok ? reading.zip.zipHash : undefined
}

/**
 * Compares a module zip with a published version. Zips with the same bytes are identical, and so are zips that hold the
 * same files packed in another way: go.sum has one hash for both. `zipHash` resolves with the `h1:…` of the zip. That
 * of the published one is in its views; without these the zip is read.
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
  const h1 = (await readModuleFacts(store, at))?.h1
  return (h1 ?? (await hashOf(zips, store.at(path)))) === (await zipHash()) ? 'identical' : 'different'
}

/** `published already`: with the same content. */
export type PublishResult = 'published' | 'published already'

/**
 * Publishes, and compares when the name is taken. Throws the 409 when other content has it, and {@link Changed} when it
 * was deleted while it was compared.
 */
export async function publishOrCompare(
  publishing: Promise<void>,
  compare: () => Promise<Comparison>,
): Promise<PublishResult> {
  try {
    await publishing
    return 'published'
  } catch (error) {
    if (!(error instanceof NameTaken)) throw error
    const comparison = await compare()
    if (comparison === 'identical') return 'published already'
    if (comparison === 'absent') throw new Changed('it was deleted while it was compared', { cause: error })
    throw error
  }
}

/**
 * {@link publishOrCompare} for an upload that states its SHA-256. Without a statement a name that is taken is a 409,
 * whatever has it. What is deleted while it is compared was there: the 409 says so.
 */
export async function publishStated(
  stated: string | undefined,
  publish: () => Promise<void>,
  compare: () => Promise<Comparison>,
): Promise<PublishResult> {
  if (stated === undefined) {
    await publish()
    return 'published'
  }
  try {
    return await publishOrCompare(publish(), compare)
  } catch (error) {
    throw error instanceof Changed ? error.cause : error
  }
}
