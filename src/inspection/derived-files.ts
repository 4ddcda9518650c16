// Compares files that are derived from zips with what they should be.

import { createHash } from 'node:crypto'
import type { Sum } from '../digest.js'
import { isSameSecond } from '../store/lasting-time.js'
import type { Store } from '../store/store.js'
import type { FileCheck } from './file-check.js'
import { REBUILD, type Finding } from './finding.js'

/** What comparing files needs. */
export type Comparing = { store: Store; check: FileCheck }

/** A derived file as it should be: the sum of its bytes, its mtime where that counts, and how to write it anew. */
type Derivation = { sum: Sum; time?: Date; repair: () => Promise<void> }

/** Compares a derived file with what it should be. */
export async function compareSum(
  { store, check }: Comparing,
  path: string,
  { sum, time, repair }: Derivation,
): Promise<Finding[]> {
  const status = await store.status(path)
  const found = (fault: string): Finding[] => [{ path, fault, mend: REBUILD, repair }]
  if (!status?.isFile()) return found('it is missing')
  const same = status.size === sum.size && (await store.sum(path)).sha256 === sum.sha256
  if (!same) return found('it is not what follows from the zips')
  // Nothing goes by this time but an ETag, so one that was lost where times are is no fault.
  if (time && !isSameSecond(status.mtime, time) && (await store.keepsTimes()))
    return found("its time is not its zip's")
  const fault = await check.accessFault(status)
  return fault === undefined ? [] : found(fault)
}

/** {@link compareSum} for a file whose content is small. */
export function compareContent(
  comparing: Comparing,
  path: string,
  content: Uint8Array,
  time?: Date,
): Promise<Finding[]> {
  const sum = { sha256: createHash('sha256').update(content).digest('hex'), size: content.length }
  const repair = (): Promise<void> => comparing.store.writeMaking(path, content, time ? { time } : {})
  return compareSum(comparing, path, { sum, ...(time && { time }), repair })
}

/** Compares a hard link with the file that it should link to. `targetIsWrong`: that file has a fault of its own. */
export async function compareLink(
  { store, check }: Comparing,
  path: string,
  target: string,
  targetIsWrong: boolean,
): Promise<Finding[]> {
  const [status, wanted] = [await store.status(path), await store.status(target)]
  const repair = (): Promise<void> => store.linkOver(target, path)
  const found = (fault: string): Finding[] => [{ path, fault, mend: REBUILD, repair }]
  if (targetIsWrong) return found('its version has a file that is not right')
  if (!wanted || status?.ino === wanted.ino) return []
  if (!status?.isFile()) return found('it is missing')
  // A copy of the tree may have lost the hard links: equal bytes are right, too.
  const same =
    status.size === wanted.size &&
    (await check.sha256Of(path, status)) === (await check.sha256Of(target, wanted))
  return same ? [] : found('it is not the file of the version that @latest names')
}
