// Compares the records of uploads with the tree: a file that has a record and is missing was lost.

import { folders, sumFile } from '../layout.js'
import { parseOperation, pathOf, type Operation } from '../packages/operation.js'
import type { Store } from '../store/store.js'
import type { Finding, Scope } from './finding.js'

const isIn = ({ owner, module }: Scope, operation: Operation): boolean =>
  (owner === undefined || operation.owner === owner) &&
  (module === undefined || ('module' in operation && operation.module === module))

/** A record that is wrong itself, or the operation of a record whose file is missing. */
export type RecordProblem = { finding: Finding } | { lost: Operation; record: string }

/** The folders of records. */
export const recordFolders = async (store: Store): Promise<string[]> =>
  (await store.names(folders.sums)).map((name) => `${folders.sums}/${name}`)

/** The records in one of the folders. */
export const recordsIn = async (store: Store, folder: string): Promise<string[]> =>
  (await store.names(folder)).map((name) => `${folder}/${name}`)

/** The problem of a record, if there is one. The files of `scope` alone are looked for. */
export async function recordProblem(
  store: Store,
  scope: Scope,
  record: string,
): Promise<RecordProblem | undefined> {
  const bytes = await store.read(record)
  if (!bytes) return undefined // it was deleted meanwhile
  const operation = parseOperation(bytes.toString())
  if (!operation || sumFile(pathOf(operation)) !== record) {
    const fault = 'it is not a record of an upload, or not in its place'
    return { finding: { path: record, fault, mend: 'remove it' } }
  }
  const isLost = isIn(scope, operation) && !(await store.exists(pathOf(operation)))
  return isLost ? { lost: operation, record } : undefined
}

export const lostFinding = (operation: Operation, record: string): Finding => ({
  path: pathOf(operation),
  fault: 'it was uploaded and never deleted, and it is missing',
  mend: `restore it from a backup; or let it go: remove ${record}`,
})
