// The records of uploads held against the tree: a file that has one and is not there was lost.

import { sumFile } from '../layout.js'
import { pathOf, type Operation } from '../packages/operation.js'
import type { Store } from '../store/store.js'
import type { Finding, Scope } from './finding.js'
import { allRecords } from '../packages/records.js'

const isIn = ({ owner, module }: Scope, operation: Operation): boolean =>
  (owner === undefined || operation.owner === owner) &&
  (module === undefined || ('module' in operation && operation.module === module))

/** What one record says: a finding, or the operation whose file is not there. */
export type Sum = { finding: Finding } | { lost: Operation; record: string }

export async function* lostFiles(store: Store, scope: Scope): AsyncGenerator<Sum> {
  for await (const { record, operation } of allRecords(store)) {
    if (!operation || sumFile(pathOf(operation)) !== record) {
      const fault = 'no record of an upload, or one that is not in its place'
      yield { finding: { path: record, fault, mend: 'remove it' } }
    } else if (isIn(scope, operation) && !(await store.exists(pathOf(operation)))) {
      yield { lost: operation, record }
    }
  }
}

export const lostFinding = (operation: Operation, record: string): Finding => ({
  path: pathOf(operation),
  fault: 'it was uploaded and never deleted, and is not there',
  mend: `restore it from a backup; or let it go: remove ${record}`,
})
