// Checks that hold for every file in the tree: readers may read it, it belongs to the service's user, and its bytes are
// those that were uploaded.

import type { Stats } from 'node:fs'
import { folders } from '../layout.js'
import type { Operation } from '../packages/operation.js'
import { readRecord, writeRecord } from '../packages/records.js'
import { isSameSecond } from '../store/lasting-time.js'
import { signatureOf } from '../store/reading.js'
import type { Store } from '../store/store.js'
import { timeText } from '../views/module-index.js'
import { REBUILD, type Finding } from './finding.js'
import type { IsInSample } from './sample.js'

const READABLE = 0o444
const MAX_SUMS = 1000

const keyOf = (path: string, status: Stats): string => `${path} ${signatureOf(status)}`

/** How many uploaded files were looked at, and what was read whole of them. */
export type Read = { uploads: number; read: number; readBytes: number }

export class FileCheck {
  readonly #store: Store
  /** Which uploaded files are read whole. */
  readonly #isInSample: IsInSample
  /** Counts the uploaded files. */
  readonly #counted: Read
  /** path and signature of a file => its SHA-256: the second look at a package reads no file again */
  readonly #sums = new Map<string, string>()

  constructor(store: Store, counted: Read, isInSample: IsInSample = () => true) {
    this.#store = store
    this.#counted = counted
    this.#isInSample = isInSample
  }

  /** Whether the uploaded file is read whole. Of another one the size is compared, and what follows from it. */
  isRead(path: string): boolean {
    return this.#isInSample(path)
  }

  /** Runs a second look at a package, whose files were counted at the first. */
  async again<T>(look: () => Promise<T>): Promise<T> {
    const { uploads, read, readBytes } = this.#counted
    try {
      return await look()
    } finally {
      Object.assign(this.#counted, { uploads, read, readBytes })
    }
  }

  /** The SHA-256 of the file in hex. `status` is that of the file now. */
  async sha256Of(path: string, status: Stats): Promise<string> {
    const key = keyOf(path, status)
    const known = this.#sums.get(key)
    if (known !== undefined) return known
    const { sha256 } = await this.#store.sum(path)
    if (this.#sums.size > MAX_SUMS) this.#sums.clear()
    this.#sums.set(key, sha256)
    return sha256
  }

  /** What is wrong with the user and the mode of a file; `undefined` when nothing is. */
  async accessFault(status: Stats): Promise<string | undefined> {
    const tree = await this.#store.status(folders.tree)
    if (tree && status.uid !== tree.uid)
      return `it belongs to user ${status.uid}, the tree to user ${tree.uid}`
    return (status.mode & READABLE) === READABLE ? undefined : 'not everybody may read it'
  }

  /**
   * Compares an uploaded file with the record of its upload. A file without one gets `operation` as its record.
   * `sha256` and the time of publication, `time`, are what views say of the file.
   */
  async uploaded(
    path: string,
    status: Stats,
    operation: Operation,
  ): Promise<{ findings: Finding[]; sha256: string; time: Date }> {
    const findings: Finding[] = []
    const fault = await this.accessFault(status)
    if (fault !== undefined)
      findings.push({ path, fault, mend: 'chown and chmod it, as the other files are' })
    const record = await readRecord(this.#store, path)
    this.#counted.uploads++
    const mayTrust = !this.#isInSample(path) && record?.size === status.size
    const sha256 = (mayTrust ? record.sha256 : undefined) ?? (await this.#read(path, status))
    if (record?.sha256 === undefined) {
      findings.push({
        path,
        fault: 'the SHA-256 of its upload is not recorded',
        mend: 'nothing has to be done: the file did not come through the service; rebuild records what it has now',
        note: true,
        repair: () => writeRecord(this.#store, path, { ...operation, sha256, size: status.size }),
      })
    } else if (record.sha256 !== sha256) {
      findings.push({
        path,
        fault: `its bytes have changed since the upload: sha256 ${sha256}, ${record.sha256} was uploaded`,
        mend: 'restore it from a backup, or delete it and publish it again',
      })
    }
    const time = record?.time === undefined ? status.mtime : new Date(record.time)
    if (!isSameSecond(status.mtime, time)) findings.push(this.#ofAnotherTime(path, status.mtime, time))
    return { findings, sha256: record?.sha256 ?? sha256, time }
  }

  #ofAnotherTime(path: string, found: Date, time: Date): Finding {
    return {
      path,
      fault: `its time is ${timeText(found)}, it was published at ${timeText(time)}`,
      mend: REBUILD,
      repair: () => this.#store.restoreTime(path, time),
    }
  }

  async #read(path: string, status: Stats): Promise<string> {
    if (!this.#sums.has(keyOf(path, status))) {
      this.#counted.read++
      this.#counted.readBytes += status.size
    }
    return this.sha256Of(path, status)
  }
}
