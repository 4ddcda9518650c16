// The records of uploads held against the tree: a file that has one and is not there was lost.

import { folders, sumFile } from '../layout.js'
import { parseOperation, pathOf, type Operation } from '../packages/operation.js'
import type { Store } from '../store/store.js'
import type { Finding, Scope } from './finding.js'

const isIn = ({ owner, module }: Scope, operation: Operation): boolean =>
  (owner === undefined || operation.owner === owner) &&
  (module === undefined || ('module' in operation && operation.module === module))

/** What one record says: a finding, or the operation whose file is not there. */
export type Sum = { finding: Finding } | { lost: Operation; record: string }

export async function* lostFiles(store: Store, scope: Scope): AsyncGenerator<Sum> {
  for (const prefix of await store.names(folders.sums)) {
    for (const name of await store.names(`${folders.sums}/${prefix}`)) {
      const record = `${folders.sums}/${prefix}/${name}`
      const bytes = await store.read(record)
      if (!bytes) continue // deleted in the meantime
      const operation = parseOperation(bytes.toString())
      if (!operation || sumFile(pathOf(operation)) !== record) {
        const fault = 'no record of an upload, or one that is not in its place'
        yield { finding: { path: record, fault, mend: 'remove it' } }
      } else if (isIn(scope, operation) && !(await store.exists(pathOf(operation)))) {
        yield { lost: operation, record }
      }
    }
  }
}

export const lostFinding = (operation: Operation, record: string): Finding => ({
  path: pathOf(operation),
  fault: 'it was uploaded and never deleted, and is not there',
  mend: `restore it from a backup; or let it go: remove ${record}`,
})
