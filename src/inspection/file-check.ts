// What holds of every file in the tree: that readers may read it, that it is the service's, and that its bytes are
// those that were uploaded.

import { createHash } from 'node:crypto'
import { createReadStream, type Stats } from 'node:fs'
import { type Operation } from '../packages/operation.js'
import type { Store } from '../store/store.js'
import type { Finding } from './finding.js'
import { readRecord, writeRecord } from '../packages/records.js'

const READABLE = 0o444

export type FileCheck = ReturnType<typeof makeFileCheck>

export function makeFileCheck(store: Store) {
  const known = new Map<string, string>() // path, inode, mtime, size → SHA-256: a second look costs nothing

  async function sha256Of(path: string, status: Stats): Promise<string> {
    const key = `${path} ${status.ino} ${status.mtimeMs} ${status.size}`
    const before = known.get(key)
    if (before !== undefined) return before
    const hash = createHash('sha256')
    for await (const piece of createReadStream(store.at(path)) as AsyncIterable<Buffer>) hash.update(piece)
    const sha256 = hash.digest('hex')
    if (known.size > 1000) known.clear()
    known.set(key, sha256)
    return sha256
  }

  /** What is wrong with the file's owner and mode, `undefined` when nothing is. */
  async function accessFault(status: Stats): Promise<string | undefined> {
    const tree = await store.status('tree')
    if (tree && status.uid !== tree.uid)
      return `it belongs to user ${status.uid}, the tree to user ${tree.uid}`
    return (status.mode & READABLE) === READABLE ? undefined : 'not everybody may read it'
  }

  /** Holds an uploaded file against the record of its upload; `operation` is what would be recorded of it. */
  async function uploaded(path: string, status: Stats, operation: Operation): Promise<Finding[]> {
    const findings: Finding[] = []
    const fault = await accessFault(status)
    if (fault !== undefined)
      findings.push({ path, fault, mend: 'chown and chmod it, as the other files are' })
    const record = await readRecord(store, path)
    const sha256 = await sha256Of(path, status)
    if (record?.sha256 === undefined) {
      findings.push({
        path,
        fault: 'the SHA-256 of its upload is not recorded',
        mend: 'nothing has to: it did not come through the service; rebuild records what it has now',
        note: true,
        repair: () => writeRecord(store, path, { ...operation, sha256, size: status.size }),
      })
    } else if (record.sha256 !== sha256) {
      findings.push({
        path,
        fault: `its bytes have changed since the upload: sha256 ${sha256}, ${record.sha256} was uploaded`,
        mend: 'restore it from a backup, or delete it and publish it again',
      })
    }
    return findings
  }

  return { sha256Of, accessFault, uploaded }
}

/** A name that nobody of us wrote. */
export const stray = (path: string): Finding => ({
  path,
  fault: 'a file that does not belong into the tree',
  mend: 'remove it, if nobody is writing it',
})
