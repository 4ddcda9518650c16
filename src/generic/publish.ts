// Publishes and deletes generic files. One file is one name: link(2) publishes it, unlink(2) deletes it, and a whole
// version leaves the tree by one rename. The journal keeps each in step with the record of its upload and with the
// views. A view names a file after it has its name, and no longer before it goes.

import { dirname } from 'node:path'
import type { KnownOwners } from '../access/known-owners.js'
import type { Sum } from '../digest.js'
import { quote, Refusal } from '../errors.js'
import {
  genericFile,
  genericFolder,
  genericVersionFolder,
  hashesFile,
  type GenericVersion,
} from '../layout.js'
import type { Journal } from '../packages/journal.js'
import { queueKey, type FileOperation } from '../packages/operation.js'
import type { PublicationClock } from '../packages/publication-clock.js'
import { completeRecord, forgetRecords, linkRecord, readRecord, recordFolder } from '../packages/records.js'
import { fileTaken } from '../packages/taken.js'
import type { Tombstones } from '../packages/tombstones.js'
import type { Store } from '../store/store.js'
import { timeText } from '../views/module-index.js'
import { waitForAll } from '../store/wait-for-all.js'
import type { FileFacts } from '../views/facts.js'
import type { Site } from '../views/page-addresses.js'
import { GenericViews, type StagedViews } from './views.js'

/** The parts that publishing needs. */
type Needs = {
  store: Store
  journal: Journal
  clock: PublicationClock
  site: Site
  owners: KnownOwners
  tombstones: Tombstones
}

/** A received file: its path (absolute), its SHA-256 and size. */
type ReceivedFile = Sum & { path: string }

/** A journal entry has these fields and no others. */
const only = ({ owner, name, version }: GenericVersion): GenericVersion => ({ owner, name, version })

/** A received file that is about to be published: its path (absolute), its time, and what the views say of it. */
type Preparing = { path: string; time: Date; fresh: FileFacts }

export class FilePublisher {
  readonly #store: Store
  readonly #journal: Journal
  readonly #clock: PublicationClock
  readonly #owners: KnownOwners
  readonly #tombstones: Tombstones
  /** The JSON of versions and packages, sums, and links to the latest files. */
  readonly #views: GenericViews

  constructor({ store, journal, clock, site, owners, tombstones }: Needs) {
    this.#store = store
    this.#journal = journal
    this.#clock = clock
    this.#owners = owners
    this.#tombstones = tombstones
    this.#views = new GenericViews(store, site)
  }

  /** Runs `action` while nobody else changes the package. */
  alone<T>(version: Pick<GenericVersion, 'owner' | 'name'>, action: () => Promise<T>): Promise<T> {
    return this.#journal.alone(queueKey(version), action)
  }

  /**
   * Whether `file` is there with this SHA-256 (hex) already. Throws the 409 that an upload would end in, before its
   * body is asked for, when another file has the name, or none was stated.
   */
  isThere(version: GenericVersion, file: string, sha256: string | undefined): Promise<boolean> {
    const target = genericFile(version, file)
    return this.alone(version, async () => {
      const status = await this.#store.status(target)
      if (!status) return false
      const record = await readRecord(this.#store, target)
      if (sha256 !== undefined && record === undefined) return false // it is read when the body is there
      const isSame = record?.sha256 === sha256 && record?.size === status.size
      if (sha256 === undefined || !isSame) throw await fileTaken(this.#owners, version, file, record)
      return true
    })
  }

  /**
   * Publishes a file. Resolves when it is on the disk. `mayStill` throws when the right to publish was taken while the
   * file was received. Throws a {@link Refusal}: 409 when the name is taken, or was deleted from an immutable owner
   * with other bytes; 404 when the owner is not declared.
   */
  publish(
    version: GenericVersion,
    file: string,
    { path, sha256, size }: ReceivedFile,
    mayStill?: () => Promise<void>,
  ): Promise<void> {
    const target = genericFile(version, file)
    return this.alone(version, async () => {
      await mayStill?.()
      const owner = await this.#owners.mustBeDeclared(version.owner) // it may have been removed while the body came
      if (await this.#store.exists(target))
        throw await fileTaken(this.#owners, version, file, await readRecord(this.#store, target))
      if (owner.immutable) await this.#tombstones.mustMatchFile(version, file, sha256)
      const time = this.#clock.publicationTime(target)
      const fresh: FileFacts = { file, size, sha256, time: timeText(time) }
      await this.#journal.publish({
        entry: { op: 'publish', ...only(version), ...fresh },
        prepare: () => this.#prepare(version, { path, time, fresh }),
        drop: (views) => this.#views.unstage(views),
        claim: async () => {
          if (!(await this.#store.claim(path, target))) throw await fileTaken(this.#owners, version, file)
        },
        prune: () => this.#store.prune(dirname(target), genericFolder(version.owner)),
        place: async (views, entry) => {
          await linkRecord(this.#store, entry, target)
          await this.#store.syncAll([dirname(target), recordFolder(target)])
          await this.#views.place(views)
        },
        withdraw: () => this.#withdraw(version, file),
      })
    })
  }

  /** Stages the views while the file itself gets its time and goes to the disk. */
  async #prepare(version: GenericVersion, { path, time, fresh }: Preparing): Promise<StagedViews> {
    const finishing = this.#store.finish(path, time)
    const staging = this.#views.plan(version, { fresh }).then((plan) => this.#views.stage(plan))
    try {
      return (await waitForAll([staging, finishing]))[0]
    } catch (error) {
      // The first error is the one to report. The sweep removes what cannot be dropped now.
      await staging.then((views) => this.#views.unstage(views)).catch(() => {})
      throw error
    }
  }

  /** Deletes one file, and the version with its last one. Throws a 404 when there is no such file. */
  removeFile(version: GenericVersion, file: string): Promise<void> {
    const target = genericFile(version, file)
    return this.alone(version, async () => {
      const owner = await this.#owners.mustBeDeclared(version.owner) // it may have been removed while this waited
      const status = await this.#store.status(target)
      if (!status) throw new Refusal(404, `no file ${quote(file)} in ${version.name} ${version.version}`)
      if (owner.immutable) await this.#tombstones.buryFiles(version, [file])
      await this.#remove(version, { op: 'delete', ...only(version), file }, [file], (views) =>
        this.#withdraw(version, file, views),
      )
      this.#clock.removed(target, status.mtime)
    })
  }

  /** Deletes a version with all its files. Throws a 404 when there is no such version. */
  removeVersion(version: GenericVersion): Promise<void> {
    return this.alone(version, async () => {
      const owner = await this.#owners.mustBeDeclared(version.owner)
      const files = await this.#store.names(genericVersionFolder(version))
      if (files.length === 0) throw new Refusal(404, `no package ${version.name} ${version.version}`)
      const removed: { path: string; mtime: Date }[] = []
      for (const file of files) {
        const path = genericFile(version, file)
        const status = await this.#store.status(path)
        if (status) removed.push({ path, mtime: status.mtime })
      }
      if (owner.immutable) await this.#tombstones.buryFiles(version, files)
      const entry: FileOperation = { op: 'delete', ...only(version), files }
      await this.#remove(version, entry, files, (views) => this.#withdrawVersion(version, files, views))
      for (const { path, mtime } of removed) this.#clock.removed(path, mtime)
    })
  }

  /** Completes or withdraws what an operation left. Run it in the version's queue, or while nothing else runs. */
  async settle(entry: FileOperation): Promise<void> {
    if ('files' in entry) return this.#withdrawVersion(entry, entry.files)
    const target = genericFile(entry, entry.file)
    const status = await this.#store.status(target)
    if (entry.op === 'delete' || !status) return this.#withdraw(entry, entry.file)
    if (status.size === entry.size) await completeRecord(this.#store, target, entry)
    await this.#store.syncAll([dirname(target), recordFolder(target)])
    await this.#views.refresh(entry, entry.file)
  }

  #remove(
    version: GenericVersion,
    entry: FileOperation,
    files: readonly string[],
    withdraw: (views?: StagedViews) => Promise<void>,
  ): Promise<void> {
    return this.#journal.remove({
      entry,
      prepare: async () => this.#views.stage(await this.#views.plan(version, { without: files })),
      drop: (views) => this.#views.unstage(views),
      withdraw,
    })
  }

  /** Takes one file away with its record, and the version with its last file. */
  async #withdraw(version: GenericVersion, file: string, staged?: StagedViews): Promise<void> {
    const target = genericFile(version, file)
    await this.#withdrawViews(version, [file], staged)
    await this.#store.remove(target)
    await forgetRecords(this.#store, [target])
    const folder = genericVersionFolder(version)
    await this.#store.prune(folder, genericFolder(version.owner))
    if (!(await this.#store.exists(folder))) await this.#store.remove(hashesFile(folder))
  }

  /** Takes a whole version away. After a crash only the journal knows the `files` that it had. */
  async #withdrawVersion(
    version: GenericVersion,
    files: readonly string[],
    staged?: StagedViews,
  ): Promise<void> {
    const paths = files.map((file) => genericFile(version, file))
    await this.#withdrawViews(version, files, staged)
    await this.#store.removeFolder(genericVersionFolder(version))
    await this.#store.remove(hashesFile(genericVersionFolder(version)))
    await forgetRecords(this.#store, paths)
    await this.#store.prune(dirname(genericVersionFolder(version)), genericFolder(version.owner))
  }

  async #withdrawViews(
    version: GenericVersion,
    files: readonly string[],
    staged?: StagedViews,
  ): Promise<void> {
    const views =
      staged ?? (await this.#views.stage(await this.#views.plan(version, { without: files }, true)))
    await this.#views.place(views)
  }
}
