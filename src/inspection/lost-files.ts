// Compares the records of uploads with the tree: a file that has a record and is missing was lost.

import { sumFile } from '../layout.js'
import { pathOf, type Operation } from '../packages/operation.js'
import { allRecords } from '../packages/records.js'
import type { Store } from '../store/store.js'
import type { Finding, Scope } from './finding.js'

const isIn = ({ owner, module }: Scope, operation: Operation): boolean =>
  (owner === undefined || operation.owner === owner) &&
  (module === undefined || ('module' in operation && operation.module === module))

/** A record that is wrong itself, or the operation of a record whose file is missing. */
export type RecordProblem = { finding: Finding } | { lost: Operation; record: string }

/** Yields the problems of all records. The files of `scope` alone are looked for. */
export async function* lostFiles(store: Store, scope: Scope): AsyncGenerator<RecordProblem> {
  for await (const { record, operation } of allRecords(store)) {
    if (!operation || sumFile(pathOf(operation)) !== record) {
      const fault = 'it is not a record of an upload, or not in its place'
      yield { finding: { path: record, fault, mend: 'remove it' } }
    } else if (isIn(scope, operation) && !(await store.exists(pathOf(operation)))) {
      yield { lost: operation, record }
    }
  }
}

export const lostFinding = (operation: Operation, record: string): Finding => ({
  path: pathOf(operation),
  fault: 'it was uploaded and never deleted, and it is missing',
  mend: `restore it from a backup; or let it go: remove ${record}`,
})
