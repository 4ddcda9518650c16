// What a database in the tree says of one version.

import type { Store } from '../store/store.js'
import { databasePaths } from './paths.js'
import { parseLookup, parseRecord, type SumRecord } from './record.js'

/** A module version of an owner, unescaped. */
type OwnedVersion = { owner: string; module: string; version: string }

/** What the database `name` has recorded of a version; `undefined` when it has not. */
export async function readRecorded(
  store: Pick<Store, 'read'>,
  name: string,
  { owner, ...at }: OwnedVersion,
): Promise<SumRecord | undefined> {
  const text = await store.read(databasePaths(owner, name).lookup(at))
  return text && parseRecord(parseLookup(text.toString())?.record ?? '')
}
