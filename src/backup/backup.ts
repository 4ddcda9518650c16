// Makes a backup of a data folder while the service runs.
//
// Why the copy is a state that the data folder had or could have had:
//
// 1. Files are copied without any lock. Each is whole, since an uploaded file never changes under its name, and a
//    derived one is replaced by a rename. But files of one package may be of different moments.
// 2. The service notes each package before it changes it, from before the first file is read. A package that was not
//    noted was the same from the first of its files to the last: its copy is right.
// 3. A package that was noted is copied again while the service holds its queue, so that nothing changes it. What was
//    copied before and is the same is left alone, so this is short. Changes that come later do not matter: packages do
//    not depend on each other. A delete or publish under way has ended then. Of one that cannot be settled the entry of
//    the journal is copied, too, and the start after the restore settles it.
// 4. The record of an upload is copied with its file, and goes with it.
// 5. Accounts and owners are copied at the end, under their lock: no package lacks its owner. When an owner was removed
//    meanwhile, what it has by now is copied anew, and then the accounts.
// 6. The tombstones of immutable owners are copied with these, after the packages: one is written before anything of
//    its version goes, so none is missing. One of a version that is in the copy says what is there.
// 7. The views of an owner's packages together follow from the packages. A marker for each owner makes the start after
//    the restore derive them. Lines that are missing in the log of versions are added then.
//
// So every version that `list` names has all its files, and every version that was acknowledged before the beginning
// and not deleted since is there. Without a service the command holds the data folder's lock, nothing changes, and the
// journal is copied as it is. The inbox, bodies under way, sockets and nginx's files are not in a backup.

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Config } from '../config.js'
import { StartProblem } from '../errors.js'
import { dueMarker, folders, formatPath, ownerTree, packagesFolder } from '../layout.js'
import { parseQueueKey } from '../packages/operation.js'
import { removedOwner, type Touched } from '../packages/watch.js'
import { FIRST_FORMAT } from '../store/format.js'
import { unlessAbsent } from '../store/reading.js'
import { look } from './compare.js'
import { syncTree } from './copy-file.js'
import type { Destination } from './destination.js'
import { writeNote } from './note.js'
import { filesOf, keyOfUpload } from './package-files.js'
import { Replica, type Pass } from './replica.js'
import { Room } from './room.js'

/** The data folder's owner, seen by a backup: the running service, or nobody. */
export type BackupSource = {
  /** Whether no service runs, and none can: nothing changes. */
  isStill: boolean
  /** The packages that were changed after a count, see Watch. */
  touched: (since: number) => Promise<Touched>
  /** Runs `action` while the package does not change; `false` when it changed all the same. */
  hold: (key: string, action: (entries: string[]) => Promise<void>) => Promise<boolean>
  /** Runs `action` while nobody changes accounts and owners. */
  holdAccess: (action: () => Promise<void>) => Promise<void>
}

/** Thrown by a {@link BackupSource} whose service has ended: another one may be asked. */
export class SourceGone extends Error {}

type BackupOptions = {
  check: boolean
  signal: AbortSignal
  /** Called after each file. `of`: so many files the backup before had. */
  onFile?: (path: string, counts: Replica['counts'], of: number | undefined) => void
}

/** What was made. `damaged`: path → what is wrong with it in the data folder. */
export type BackupOutcome = Replica['counts'] & { damaged: Map<string, string>; skipped: string[] }

const NOTHING = { files: 0, shared: 0, copied: 0, bytes: 0 }
/** A package that changes all the time is held so often. */
const HOLDS = 20
/** So often owners are looked at again that were removed meanwhile. */
const ROUNDS = 10
/** So often a service may end and start during one backup. */
const SERVICES = 5

/** Folders are absolute, `left` tells whether an interrupted run has left something. */
type Begun = { data: string; folder: string; replica: Replica; begunMs: number; left: boolean }

export class Backup {
  readonly #data: string
  readonly #folder: string
  readonly #replica: Replica
  readonly #begunMs: number
  /** Whether an interrupted run has left something. */
  #left: boolean

  private constructor({ data, folder, replica, begunMs, left }: Begun) {
    this.#data = data
    this.#folder = folder
    this.#replica = replica
    this.#begunMs = begunMs
    this.#left = left
  }

  /**
   * Makes a backup of the data folder of `config` in `destination`, unfinished: the caller gives it its name. `open`
   * finds who holds the data folder. It is called again when the service has ended.
   */
  static async make(
    config: Config,
    destination: Destination,
    open: <T>(use: (source: BackupSource) => Promise<T>) => Promise<T>,
    { check, signal, onFile }: BackupOptions,
  ): Promise<BackupOutcome & { begunMs: number }> {
    const begunMs = Date.now()
    const folder = destination.unfinished
    const left = (await look(folder)) !== undefined
    if (left && !check) await destination.giveUp() // what is not checked is not trusted
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const earlier = await destination.latest()
    const room = await Room.of(folder, config.data, config.minFreeBytes)
    const replica: Replica = new Replica({
      from: config.data,
      to: folder,
      earlier,
      room,
      begunMs,
      check,
      signal,
      onFile: (path) => onFile?.(path, replica.counts, earlier?.files),
    })
    const backup = new Backup({ data: config.data, folder, replica, begunMs, left: left && check })
    for (let attempt = 1; ; attempt++) {
      try {
        await open((source) => backup.#copy(source))
        break
      } catch (error) {
        if (!(error instanceof SourceGone) || attempt === SERVICES) throw error
      }
    }
    await backup.#finish()
    return { ...replica.counts, damaged: replica.damaged, skipped: [...replica.skipped], begunMs }
  }

  async #copy(source: BackupSource): Promise<void> {
    const { isStill } = source
    Object.assign(this.#replica.counts, NOTHING) // the attempt before this one was in vain
    await this.#replica.folder(folders.tree, {
      there: this.#left ? 'left' : 'own',
      isStill,
      isCounted: true,
    })
    this.#left = false
    await this.#replica.emptyFolder(folders.journal) // entries of an attempt before this one are of another moment
    if (isStill) await this.#replica.folder(folders.journal, { there: 'own', isStill })
    await this.#replica.folder(folders.gone, { there: 'own', isStill }) // the most of them, while nobody is held
    let { keys, count } = await source.touched(0)
    for (let round = 1; ; round++) {
      await this.#again(source, keys)
      await source.holdAccess(() => this.#copyAccess())
      const later = await source.touched(count)
      const anew = new Set([...keys, ...later.keys].map(removedOwner))
      keys = later.keys.filter(
        (key) => removedOwner(key) !== undefined || anew.has(parseQueueKey(key)?.owner),
      )
      count = later.count
      if (keys.length === 0) return
      if (round === ROUNDS) throw new StartProblem('owners are removed all the time: run it again later')
    }
  }

  /**
   * Copies the packages again of which a copy may be of several moments. An owner that was removed is copied anew: what
   * changes of it meanwhile is for the next round.
   */
  async #again(source: BackupSource, keys: readonly string[]): Promise<void> {
    const wanted = new Set<string>()
    for (const key of keys) {
      const owner = removedOwner(key)
      if (owner === undefined) wanted.add(key)
      else await this.#replica.folder(ownerTree(owner), { there: 'own', isStill: false })
    }
    for (const path of this.#replica.suspects) wanted.add(keyOfUpload(path) ?? '')
    this.#replica.suspects.clear()
    for (const key of wanted) await this.#package(source, key)
  }

  async #package(source: BackupSource, key: string): Promise<void> {
    const sync = async (pass: Pass): Promise<void> => {
      const { folders: whole, files, roots } = filesOf(key)
      for (const folder of whole) await this.#replica.folder(folder, pass)
      for (const file of files) await this.#replica.file(file, pass)
      for (const folder of whole) await this.#prune(folder, roots)
    }
    if (source.isStill) return sync({ there: 'own', isStill: true })
    await sync({ there: 'own', isStill: false }) // what is large is copied while others may publish
    for (let attempt = 1; attempt <= HOLDS; attempt++) {
      const held = await source.hold(key, async (entries) => {
        await sync({ there: 'own', isStill: true })
        for (const entry of entries) await this.#replica.file(entry, { there: 'own', isStill: true })
      })
      if (held) return
    }
    throw new StartProblem(`this package could not be copied, it changes all the time: ${key}`)
  }

  /** Removes the empty folders above `folder` from the copy, up to one of `roots`, as a delete does. */
  async #prune(folder: string, roots: readonly string[]): Promise<void> {
    for (let above = folder; roots.some((root) => above.startsWith(`${root}/`)); above = dirname(above)) {
      const names = await unlessAbsent(readdir(join(this.#folder, above)))
      if (names && names.length > 0) return
      await this.#replica.remove(above)
    }
  }

  /** The owners that have a folder in the copy. */
  async #owners(): Promise<string[]> {
    return (await unlessAbsent(readdir(join(this.#folder, packagesFolder)))) ?? []
  }

  /** Run it while nobody changes owners. One that is gone by now goes from the copy with everything that it had. */
  async #copyAccess(): Promise<void> {
    for (const folder of [folders.accounts, folders.owners, folders.gone])
      await this.#replica.folder(folder, { there: 'own', isStill: true })
    for (const owner of await this.#owners())
      if (!(await look(join(this.#data, ownerTree(owner))))) await this.#replica.remove(ownerTree(owner))
  }

  /** Adds what the start after a restore needs, and brings everything to the disk. */
  async #finish(): Promise<void> {
    const { counts, damaged } = this.#replica
    await this.#replica.emptyFolder(folders.due)
    for (const owner of await this.#owners())
      await writeFile(join(this.#folder, dueMarker(owner)), '', { mode: 0o600 })
    const format = await unlessAbsent(readFile(join(this.#data, formatPath), 'utf8'))
    await writeFile(join(this.#folder, formatPath), format ?? `${FIRST_FORMAT}\n`, { mode: 0o644 })
    const note = { begun: new Date(this.#begunMs).toISOString(), ended: new Date().toISOString() }
    await writeNote(this.#folder, { ...note, files: counts.files, damaged: [...damaged.keys()] })
    await syncTree(this.#folder)
  }
}
