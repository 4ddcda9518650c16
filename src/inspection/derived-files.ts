// Compares files that are derived from zips with what they should be.

import type { Store } from '../store/store.js'
import type { FileCheck } from './file-check.js'
import { REBUILD, type Finding } from './finding.js'

/** What comparing files needs. */
export type Comparing = { store: Store; check: FileCheck }

/** Compares a derived file with its content, and with its mtime where that counts. */
export async function compareContent(
  { store, check }: Comparing,
  path: string,
  content: Uint8Array,
  time?: Date,
): Promise<Finding[]> {
  const status = await store.status(path)
  const bytes = status?.isFile() ? await store.read(path) : undefined
  const repair = (): Promise<void> => store.write(path, content, time ? { time } : {})
  const found = (fault: string): Finding[] => [{ path, fault, mend: REBUILD, repair }]
  if (!status || !bytes) return found('it is missing')
  if (!bytes.equals(content)) return found('it is not what follows from the zips')
  if (time && Math.floor(status.mtimeMs / 1000) !== Math.floor(time.getTime() / 1000))
    return found("its time is not its zip's")
  const fault = await check.accessFault(status)
  return fault === undefined ? [] : found(fault)
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
