// Publishes and deletes module versions: which files change, in which order, and what happens when that fails.
//
// A reader of `list` finds all files of every version in it, at any moment. So a publish places the files first and
// `list` and `@latest` last, and a delete goes the other way round. The zip's name is the claim. `.info` makes the
// version visible.

import { readFile } from 'node:fs/promises'
import type { KnownOwners } from '../access/known-owners.js'
import { sumOf, type Sum } from '../digest.js'
import { Refusal } from '../errors.js'
import { problemText } from '../gomod/problems.js'
import {
  extensions,
  goFolder,
  hashesFile,
  modulePaths,
  moduleViews,
  versionFile,
  type Module,
  type ModuleVersion,
} from '../layout.js'
import type { CheckPool } from '../modzip/check-pool.js'
import type { Journal } from '../packages/journal.js'
import { queueKey, type ModuleOperation } from '../packages/operation.js'
import type { PublicationClock } from '../packages/publication-clock.js'
import { completeRecord, linkRecord, recordFolder, removeRecord } from '../packages/records.js'
import { versionTaken } from '../packages/taken.js'
import type { Tombstones } from '../packages/tombstones.js'
import type { ChecksumDatabases } from '../sumdb/databases.js'
import { checkFits } from '../store/fits.js'
import type { Staged } from '../store/staging.js'
import type { Store } from '../store/store.js'
import { waitForAll } from '../store/wait-for-all.js'
import type { Site } from '../views/page-addresses.js'
import { timeText, versionText } from '../views/module-index.js'
import { infoText } from './artifacts.js'
import type { CheckedZip, FromZip } from './checked-zip.js'
import { withGoMod } from './go-mod.js'
import { mayStay, recordVersion } from './record-version.js'
import { Views, type StagedModuleViews } from './views.js'

/** The parts that publishing needs. */
type Needs = {
  store: Store
  journal: Journal
  zips: CheckPool
  databases: ChecksumDatabases
  clock: PublicationClock
  site: Site
  owners: KnownOwners
  tombstones: Tombstones
}

/**
 * `published` is the time of publication, now when absent. `mayStill` throws when the right to publish was taken while
 * the zip was received and checked.
 */
export type Publishing = { published?: Date; mayStill?: () => Promise<void> }

/** The files that follow from a zip, on the disk and under no name yet. */
type Derived = { mod: Staged; info: Staged; views: StagedModuleViews }

/** When a zip was published, and its sum. */
type Upload = Sum & { time: Date }

/** A journal entry has these fields and no others. */
const only = ({ owner, module, version }: ModuleVersion): ModuleVersion => ({ owner, module, version })

const wholeSeconds = (time: Date): Date => new Date(Math.floor(time.getTime() / 1000) * 1000)

export class ModulePublisher {
  readonly #store: Store
  readonly #journal: Journal
  readonly #zips: CheckPool
  /** Records what is published, for owners that want it. */
  readonly #databases: ChecksumDatabases
  readonly #clock: PublicationClock
  readonly #owners: KnownOwners
  readonly #tombstones: Tombstones
  /** `list`, `@latest`, `latest.*`, JSON and pages of every module. */
  readonly #views: Views

  constructor({ store, journal, zips, databases, clock, site, owners, tombstones }: Needs) {
    this.#store = store
    this.#journal = journal
    this.#zips = zips
    this.#databases = databases
    this.#clock = clock
    this.#owners = owners
    this.#tombstones = tombstones
    this.#views = new Views(store, site)
  }

  /**
   * Publishes a checked zip. Resolves when everything is on the disk. Whole seconds of the time of publication count:
   * what follows from the zip's mtime must be the same on any file system.
   * Throws a {@link Refusal}: 409 when the version exists, or was deleted from an immutable owner with other content;
   * 404 when the owner is not declared, 400 when the file system cannot hold the name.
   */
  publish(
    version: ModuleVersion,
    { path, sha256, size, sums, ...from }: CheckedZip,
    { published, mayStill }: Publishing = {},
  ): Promise<void> {
    const zip = versionFile(version, 'zip')
    const tooLong = checkFits(versionFile(version, 'info'), 'the module path or version')
    if (tooLong !== undefined) throw new Refusal(400, tooLong)
    return this.#journal.alone(queueKey(version), async () => {
      await mayStill?.()
      const owner = await this.#owners.mustBeDeclared(version.owner) // it may have been removed while the body came
      if (await this.#store.exists(zip)) throw await versionTaken(this.#store, this.#owners, version)
      if (owner.immutable) await this.#tombstones.mustMatchVersion(version, from.facts)
      await this.#databases.of(version.owner)?.mustAgree(version, sums)
      const time = published ? wholeSeconds(published) : this.#clock.publicationTime(zip)
      await this.#journal.publish({
        entry: { op: 'publish', ...only(version), sha256, size, time: timeText(time) },
        prepare: () => this.#prepare(version, { path, ...from }, { time, sha256, size }),
        drop: (derived) => this.#drop(derived),
        claim: async () => {
          if (!(await this.#store.claim(path, zip)))
            throw await versionTaken(this.#store, this.#owners, version)
        },
        prune: () => this.#store.prune(modulePaths(version).versions, goFolder(version.owner)),
        place: async (derived, entry) => {
          await recordVersion(this.#store, this.#databases, version, sums)
          await this.#place(version, derived, entry)
        },
        withdraw: () => this.#withdraw(version),
      })
    })
  }

  /** Deletes a version. Throws a 404 when there is no such version. An immutable owner remembers what it was. */
  remove(version: ModuleVersion): Promise<void> {
    const zip = versionFile(version, 'zip')
    return this.#journal.alone(queueKey(version), async () => {
      const owner = await this.#owners.mustBeDeclared(version.owner) // it may have been removed while this waited
      const status = checkFits(zip, 'version') === undefined ? await this.#store.status(zip) : undefined
      if (!status) throw new Refusal(404, `${version.module} ${version.version} is not there`)
      if (owner.immutable) await this.#tombstones.buryVersion(version)
      await this.#journal.remove({
        entry: { op: 'delete', ...only(version) },
        prepare: async () => this.#views.stage(await this.#views.plan(version, { without: version.version })),
        drop: (views) => this.#views.unstage(views),
        withdraw: (views) => this.#withdraw(version, views),
      })
      this.#clock.removed(zip, status.mtime)
    })
  }

  /** Completes or withdraws what an operation left. Run it in the module's queue, or while nothing else runs. */
  async settle({ op, sha256, size, time, ...version }: ModuleOperation): Promise<void> {
    const zip = versionFile(version, 'zip')
    const status = await this.#store.status(zip)
    if (op === 'delete' || !status) return this.#withdraw(version)
    await withGoMod({ store: this.#store, zips: this.#zips }, zip, async (reading, mod, facts) => {
      // The version may be one that was answered with 201.
      if (!reading.ok && reading.unsure)
        throw new Error(`${this.#store.at(zip)}: ${problemText(reading.problems)}`)
      if (!reading.ok) return this.#withdraw(version) // a zip is checked before its claim: these are other bytes
      const known = sha256 !== undefined && status.size === size
      if (known)
        await completeRecord(this.#store, zip, { op, ...version, sha256, size, ...(time && { time }) })
      const published = known && time !== undefined ? new Date(time) : status.mtime
      const sum = known ? { sha256, size } : await sumOf(this.#store.at(zip))
      const sums = { zip: reading.zip.zipHash, mod: reading.zip.modHash }
      if (!(await mayStay(this.#store, this.#databases, version, sums))) return this.#withdraw(version)
      await this.#place(version, await this.#derive(version, { mod, facts }, { ...sum, time: published }))
    })
  }

  /** Runs `action`, which changes a module's files by itself, while nobody else changes the module. */
  alone<T>(module: Module, action: () => Promise<T>): Promise<T> {
    return this.#journal.alone(queueKey(module), () => action().finally(() => this.#views.forget(module)))
  }

  /** Derives everything while the zip itself gets its time and goes to the disk. */
  async #prepare(
    version: ModuleVersion,
    { path, ...from }: FromZip & { path: string },
    upload: Upload,
  ): Promise<Derived> {
    const finishing = this.#store.finish(path, upload.time)
    const deriving = this.#derive(version, from, upload)
    try {
      return (await waitForAll([deriving, finishing]))[0]
    } catch (error) {
      // The first error is the one to report. The sweep removes what cannot be dropped now.
      await deriving.then((derived) => this.#drop(derived)).catch(() => {})
      throw error
    }
  }

  /** Derives everything from what a zip holds. {@link #place} gives it its names. */
  async #derive(version: ModuleVersion, from: FromZip, upload: Upload): Promise<Derived> {
    const { time } = upload
    const info = infoText(version.version, time)
    const json = versionText({ ...version, ...upload }, await readFile(from.facts, 'utf8'))
    await this.#store.unstage({ temp: from.facts }) // the upload's folder goes faster when it is empty
    const plan = await this.#views.plan(version, { fresh: { version: version.version, info, json } })
    const made: Partial<Derived> = {}
    try {
      await waitForAll([
        this.#store.finish(from.mod, time).then((file) => (made.mod = file)),
        this.#store.stage(info, { time }).then((file) => (made.info = file)),
        this.#views.stage(plan).then((staged) => (made.views = staged)),
      ])
      return made as Derived
    } catch (error) {
      await this.#drop(made)
      throw error
    }
  }

  async #drop({ mod, info, views }: Partial<Derived>): Promise<void> {
    for (const file of [mod, info]) if (file) await this.#store.unstage(file)
    if (views) await this.#views.unstage(views)
  }

  /** Makes a claimed version visible and listed, durably. `entry` is the path of its journal entry, if it has one. */
  async #place(version: ModuleVersion, derived: Derived, entry?: string): Promise<void> {
    const { folder, versions } = modulePaths(version)
    const views = moduleViews(version)
    const zip = versionFile(version, 'zip')
    await this.#store.place(derived.mod, versionFile(version, 'mod'))
    await this.#store.place(derived.info, versionFile(version, 'info'))
    await this.#views.place(derived.views)
    if (entry !== undefined) await linkRecord(this.#store, entry, zip)
    await this.#store.syncAll([versions, folder, views.folder, recordFolder(zip)])
  }

  /** Takes a version away, whole or half-made: first out of the views, then `.info`, `.mod`, and the claim last. */
  async #withdraw(version: ModuleVersion, staged?: StagedModuleViews): Promise<void> {
    const { folder, versions, list } = modulePaths(version)
    const views = moduleViews(version)
    const zip = versionFile(version, 'zip')
    if (staged) await this.#views.place(staged)
    else await this.#views.refresh(version, version.version)
    for (const extension of extensions.toReversed()) await this.#store.remove(versionFile(version, extension))
    for (const view of [views.versionPage, views.facts]) await this.#store.remove(view(version.version))
    await this.#store.remove(hashesFile(zip))
    await removeRecord(this.#store, zip)
    if (await this.#store.exists(list))
      return this.#store.syncAll([versions, folder, views.folder, recordFolder(zip)])
    await this.#store.sync(recordFolder(zip))
    await this.#store.prune(views.folder, views.root)
    await this.#store.prune(versions, goFolder(version.owner))
    await this.#store.prune(folder, goFolder(version.owner)) // the folder may hold another module
  }
}
