// Publishing and deleting a module version: which files change, in which order, and what happens when that fails.
//
// A reader of `list` finds all files of what it names, at any moment: files first and `list`, `@latest` last when
// publishing, the other way round when deleting. The zip's name is the claim, `.info` makes the version visible.

import { Refusal } from '../errors.js'
import {
  checkFits,
  extensions,
  goFolder,
  modulePaths,
  versionFile,
  type Module,
  type ModuleVersion,
} from '../layout.js'
import type { Journal } from '../packages/journal.js'
import { queueKey, type ModuleOperation } from '../packages/operation.js'
import type { PublicationClock } from '../packages/publication-clock.js'
import type { Exclusively } from '../packages/queue.js'
import type { Staged, Store } from '../store/store.js'
import { waitForAll } from '../store/wait-for-all.js'
import { infoText } from './artifacts.js'
import type { CheckPool } from '../modzip/check-pool.js'
import { makeViews, type StagedViews } from './views.js'
import type { Sum } from '../digest.js'
import { mustBeDeclared } from '../access/files.js'
import { linkRecord, recordFolder, removeRecord, writeRecord } from '../packages/records.js'

/** What publishing needs; one of each exists. */
export type Publishing = {
  store: Store
  journal: Journal
  exclusively: Exclusively
  zips: CheckPool
  clock: PublicationClock
}

/** A checked module zip: its place (absolute), its go.mod, what is known of its bytes. */
export type CheckedZip = Sum & { path: string; mod: Uint8Array }

/** All that follows from a zip, on the disk and under no name yet. */
type Derived = { mod: Staged; info: Staged; views: StagedViews }

export type ModulePublisher = ReturnType<typeof makeModulePublisher>

const conflict = ({ module, version }: ModuleVersion): Refusal =>
  new Refusal(409, `${module} ${version} exists already: delete it first, or publish a new version`)

const at = ({ owner, module, version }: ModuleVersion): ModuleVersion => ({ owner, module, version })

const wholeSeconds = (time: Date): Date => new Date(Math.floor(time.getTime() / 1000) * 1000)

export function makeModulePublisher({ store, journal, exclusively, zips, clock }: Publishing) {
  const views = makeViews(store)

  /** Runs `action` in the module's queue, when nothing of an earlier failure is left of the module. */
  const alone = <T>(module: Module, action: () => Promise<T>): Promise<T> =>
    exclusively(queueKey(module), async () => {
      await journal.repair(queueKey(module), (entry) =>
        'module' in entry ? settle(entry) : Promise.resolve(),
      )
      return action()
    })

  /** Derives everything from a zip of this time; `place` gives it its names. */
  async function derive(version: ModuleVersion, mod: Uint8Array, time: Date): Promise<Derived> {
    const info = infoText(version.version, time)
    const plan = await views.plan(version, { fresh: { version: version.version, info } })
    const made: { mod?: Staged; info?: Staged; views?: StagedViews } = {}
    try {
      await waitForAll([
        store.stage(mod, { time }).then((file) => (made.mod = file)),
        store.stage(info, { time }).then((file) => (made.info = file)),
        views.stage(plan).then((staged) => (made.views = staged)),
      ])
      return made as Derived
    } catch (error) {
      await drop(made)
      throw error
    }
  }

  async function drop({ mod, info, views: staged }: Partial<Derived>): Promise<void> {
    if (mod) await store.unstage(mod)
    if (info) await store.unstage(info)
    if (staged) await views.unstage(staged)
  }

  /** Makes a claimed version visible and listed, and all of it durable. `record` is the path of its journal entry. */
  async function place(version: ModuleVersion, derived: Derived, record: string | undefined): Promise<void> {
    const { folder, versions } = modulePaths(version)
    const zip = versionFile(version, 'zip')
    await store.place(derived.mod, versionFile(version, 'mod'))
    await store.place(derived.info, versionFile(version, 'info'))
    await views.place(derived.views)
    if (record !== undefined) await linkRecord(store, record, zip)
    await store.syncAll([versions, folder, recordFolder(zip)])
  }

  /** Takes a version away, whole or half-made: out of the views, then `.info`, `.mod`, and the claim last. */
  async function withdraw(version: ModuleVersion, staged?: StagedViews): Promise<void> {
    const { folder, versions } = modulePaths(version)
    if (staged) await views.place(staged)
    else await views.refresh(version, version.version)
    for (const extension of extensions.toReversed()) await store.remove(versionFile(version, extension))
    const zip = versionFile(version, 'zip')
    await removeRecord(store, zip)
    if (await store.exists(modulePaths(version).list))
      return store.syncAll([versions, folder, recordFolder(zip)])
    await store.sync(recordFolder(zip))
    await store.prune(versions, goFolder(version.owner))
    await store.prune(folder, goFolder(version.owner)) // it may hold another module
  }

  /**
   * Publishes the checked zip. Resolves when all of it is on the disk. It is published now, or was at `published`, of
   * which whole seconds count: what follows from the zip's mtime must be the same on any file system.
   * Throws a {@link Refusal}: 409 when the version exists, 400 when the file system could not hold its name.
   */
  function publish(
    version: ModuleVersion,
    { path, mod, sha256, size }: CheckedZip,
    published?: Date,
  ): Promise<void> {
    const zip = versionFile(version, 'zip')
    const tooLong = checkFits(versionFile(version, 'info'), 'the module path or version')
    if (tooLong !== undefined) throw new Refusal(400, tooLong)
    const entry: ModuleOperation = { op: 'publish', ...at(version), sha256, size }
    return alone(version, async () => {
      await mustBeDeclared(store, version.owner) // it may have been removed while the body came
      if (await store.exists(zip)) throw conflict(version)
      const time = published ? wholeSeconds(published) : clock.publicationTime(zip)
      let claimed = false
      let derived: Derived | undefined
      await journal.during({
        entry,
        prepare: async () => {
          const finished = store.finish(path, time)
          const deriving = derive(version, mod, time).then((made) => (derived = made))
          return (await waitForAll([deriving, finished]))[0]
        },
        action: async (made, record) => {
          claimed = await store.claim(path, zip)
          if (!claimed) throw conflict(version)
          await place(version, made, record)
        },
        undo: async () => {
          if (derived) await drop(derived)
          if (claimed) await withdraw(version)
          else await store.prune(modulePaths(version).versions, goFolder(version.owner))
        },
        left: () => (claimed ? { ...entry, op: 'delete' } : entry),
      })
    })
  }

  /** Deletes a version. Throws a 404 when there is none. */
  function remove(version: ModuleVersion): Promise<void> {
    const zip = versionFile(version, 'zip')
    return alone(version, async () => {
      const status = checkFits(zip, 'version') === undefined ? await store.status(zip) : undefined
      if (!status) throw new Refusal(404, `${version.module} ${version.version} is not there`)
      const entry: ModuleOperation = { op: 'delete', ...at(version) }
      let staged: StagedViews | undefined
      await journal.during({
        entry,
        prepare: async () =>
          (staged = await views.stage(await views.plan(version, { without: version.version }))),
        action: (made) => withdraw(version, made),
        undo: async (begun) => {
          if (staged) await views.unstage(staged)
          if (begun) await withdraw(version)
        },
        left: () => entry,
      })
      clock.removed(zip, status.mtime)
    })
  }

  /** Completes or withdraws what was left of one operation. Runs in the module's queue, or while nothing else runs. */
  async function settle({ op, sha256, size, ...version }: ModuleOperation): Promise<void> {
    const zip = versionFile(version, 'zip')
    const status = await store.status(zip)
    if (op === 'delete' || !status) return withdraw(version)
    const reading = await zips.read(store.at(zip))
    if (!reading.ok) return withdraw(version) // it was checked before its claim: these are not its bytes
    const known = sha256 !== undefined && status.size === size
    if (known) await writeRecord(store, zip, { op, ...version, sha256, size })
    await place(version, await derive(version, reading.zip.mod, status.mtime), undefined)
  }

  /** {@link alone} for those who change a module's files without us. */
  const aloneWith = <T>(module: Module, action: () => Promise<T>): Promise<T> =>
    alone(module, () => action().finally(() => views.forget(module)))

  return { publish, remove, settle, alone: aloneWith }
}
