// The record of an upload: the operation that published a file, with the SHA-256 and the size of the uploaded bytes.
// A record is a hard link to the operation's journal entry. It is kept under the hash of the file's path, and lives as
// long as the file. Paths are those of layout.ts.

import { dirname } from 'node:path'
import { folders, sumFile } from '../layout.js'
import type { Store } from '../store/store.js'
import { parseOperation, type Operation } from './operation.js'

/** The record of the file at `path`; `undefined` when there is none, or none that can be read. */
export async function readRecord(store: Pick<Store, 'read'>, path: string): Promise<Operation | undefined> {
  return parseOperation((await store.read(sumFile(path)))?.toString() ?? '')
}

/** One record: the path of its file, and what it says. `operation` is `undefined` for a file that is not a record. */
type RecordFile = { record: string; operation: Operation | undefined }

/** Yields every record, one folder of names at a time. A record that is deleted meanwhile is left out. */
export async function* allRecords(store: Store): AsyncGenerator<RecordFile> {
  for (const prefix of await store.names(folders.sums))
    for (const name of await store.names(`${folders.sums}/${prefix}`)) {
      const record = `${folders.sums}/${prefix}/${name}`
      const bytes = await store.read(record)
      if (bytes) yield { record, operation: parseOperation(bytes.toString()) }
    }
}

/** The number of records, which is that of the uploaded files that came through the service. */
export async function recordCount(store: Store): Promise<number> {
  let count = 0
  for (const prefix of await store.names(folders.sums))
    count += (await store.names(`${folders.sums}/${prefix}`)).length
  return count
}

/** Makes the journal entry `entry` the record of the file at `path`. The caller syncs {@link recordFolder}. */
export const linkRecord = (store: Store, entry: string, path: string): Promise<void> =>
  store.linkOver(entry, sumFile(path))

/** Writes the record of the file at `path`. The caller syncs {@link recordFolder}. */
export const writeRecord = (store: Store, path: string, operation: Operation): Promise<void> =>
  store.write(sumFile(path), JSON.stringify(operation), { secret: true })

/**
 * Writes the record of the file at `path`, whose publish is completed after a crash, and gives the file its time of
 * publication again. The caller syncs {@link recordFolder}.
 */
export async function completeRecord(store: Store, path: string, operation: Operation): Promise<void> {
  if (operation.time !== undefined) await store.restoreTime(path, new Date(operation.time))
  await writeRecord(store, path, operation)
}

/** The folder to sync after the record of the file at `path` was changed. */
export const recordFolder = (path: string): string => dirname(sumFile(path))

/** Removes the record of the file at `path`. The caller syncs {@link recordFolder}. */
export const removeRecord = (store: Store, path: string): Promise<boolean> => store.remove(sumFile(path))

/** Removes the records of the files at `paths`, durably. */
export async function forgetRecords(store: Store, paths: readonly string[]): Promise<void> {
  for (const path of paths) await removeRecord(store, path)
  await store.syncAll([...new Set(paths.map(recordFolder))])
}
