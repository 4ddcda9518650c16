// The log of one owner's checksum database: records what is published, for ever.
//
// Records are committed in groups. One commit runs at a time, and what comes meanwhile is the next group. A commit
// appends to `records` and `heads` and writes the files of the tree under no name yet, all at once. When both appends
// are on the disk it is committed, and never undone. Then the files get their names, the newest head last.

import { dirname } from 'node:path'
import { messageOf, Refusal } from '../errors.js'
import type { Log } from '../log.js'
import { readEach } from '../store/read-each.js'
import { placeFiles, unstageFiles } from '../store/staged-files.js'
import type { Store } from '../store/store.js'
import { conflict, mustFitAName } from './conflict.js'
import { prunePartials, stageAnew } from './database-files.js'
import type { Growth } from './growth.js'
import { headLine, type SignedHead } from './heads-file.js'
import { headText, signatureOf, type Signer } from './note.js'
import { databasePaths, lookupName } from './paths.js'
import { recordText, type GoSums, type SumRecord } from './record.js'
import { readRecorded } from './recorded.js'
import { findEnd, type FoundLog } from './recovery.js'
import { restoreFiles } from './restore-files.js'
import { latestFile, lookupFile, Truth, UnknownEnd, type LogPlace } from './truth.js'

/** Records in one commit. */
const MAX_GROUP = 256

/** A module version, unescaped. */
type Version = { module: string; version: string }

type Waiting = { at: Version; sums: GoSums; resolve: () => void; reject: (error: unknown) => void }

/** What a log was opened with. */
type Opened = { store: Store; log: Log; owner: string; signer: Signer; truth: Truth; found: FoundLog }

export class ChecksumLog {
  readonly owner: string
  readonly signer: Signer
  readonly truth: Truth
  readonly #store: Store
  readonly #log: Log
  /** The log as it is committed. */
  #growth: Growth
  #place: LogPlace
  /** Some files of what is committed since may be missing in the tree. */
  #unfinished: { growth: Growth; from: LogPlace } | undefined
  /** Why nothing is recorded any more; `undefined` when all is well. */
  refusal: string | undefined
  #waiting: Waiting[] = []
  /** The last action that runs alone. */
  #tail: Promise<unknown> = Promise.resolve()
  #isCommitting = false

  private constructor({ store, log, owner, signer, truth, found }: Opened) {
    this.owner = owner
    this.signer = signer
    this.truth = truth
    this.#store = store
    this.#log = log
    this.#growth = found.growth
    this.#place = found.place
  }

  /** Opens the log of an owner that has one, and repairs what a crash left. Throws a DamagedLog for another fault. */
  static async open(store: Store, log: Log, owner: string, signer: Signer): Promise<ChecksumLog> {
    const truth = new Truth(store, owner)
    const found = await findEnd({ store, owner, verifier: signer, truth })
    const opened = new ChecksumLog({ store, log, owner, signer, truth, found })
    const { from, place } = found
    const growth =
      (await truth.growthFromTiles(owner, signer.name, from)) ?? (await truth.growthFromRecords(from))
    const restoring = { store, owner, verifier: signer, truth, growth, from, to: place, isUnsure: true }
    const written = await restoreFiles(restoring)
    await prunePartials(store, databasePaths(owner, signer.name).folder, from.head?.size ?? 0, opened.size)
    if (written > 0) log('info', 'checksum database restored', { owner, files: written, size: opened.size })
    return opened
  }

  /** The number of records. */
  get size(): number {
    return this.#place.head?.size ?? 0
  }

  /** The newest head; `undefined` without records. */
  get head(): SignedHead | undefined {
    return this.#place.head
  }

  /** Where the log ends. */
  get place(): LogPlace {
    return this.#place
  }

  /** What is recorded of a version; `undefined` when it is not. */
  recorded({ module, version }: Version): Promise<SumRecord | undefined> {
    return readRecorded(this.#store, this.signer.name, { owner: this.owner, module, version })
  }

  /**
   * Throws a {@link Refusal} when a version with these sums cannot be recorded: 409 when it is with others, 400 when no
   * file can have its name, 503 when nothing is recorded.
   */
  async mustAgree(at: Version, sums: GoSums): Promise<void> {
    this.#mustRecord()
    mustFitAName(at)
    const recorded = await this.recorded(at)
    if (recorded && recordText(recorded, recorded.sums) !== recordText(at, sums))
      throw conflict(at, recorded.sums, sums)
  }

  /**
   * Records a version. Resolves when the record is on the disk and readers find it; at once when it is recorded
   * already. Throws as {@link mustAgree} does, and what the disk says.
   */
  async append(at: Version, sums: GoSums): Promise<void> {
    mustFitAName(at)
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ at, sums, resolve, reject })
      void this.#commitAll()
    })
  }

  /** Records nothing more, for this reason, after what is under way and `action`. What waits is refused. */
  close(reason: string, action = async (): Promise<void> => {}): Promise<void> {
    return this.alone(() => action().finally(() => (this.refusal ??= reason)))
  }

  /** Runs `action` while nothing is committed, after what is under way. */
  alone<T>(action: () => Promise<T>): Promise<T> {
    const mine = this.#tail.then(action, action)
    this.#tail = mine.catch(() => {})
    return mine
  }

  async #commitAll(): Promise<void> {
    if (this.#isCommitting) return
    this.#isCommitting = true
    while (this.#waiting.length > 0)
      await this.alone(() => this.#commitGroup(this.#waiting.splice(0, MAX_GROUP)))
    this.#isCommitting = false
  }

  async #commitGroup(group: Waiting[]): Promise<void> {
    try {
      this.#mustRecord()
      await this.#finish()
      const fresh = await this.#freshOf(group)
      const before = this.size
      if (fresh.length > 0) await this.#commit(fresh)
      for (const { resolve } of group) resolve() // who was refused before stays refused
      await this.#prune(before)
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }

  #mustRecord(): void {
    if (this.refusal !== undefined) throw new Refusal(503, this.refusal)
  }

  /** Writes the files that an earlier commit could not write. */
  async #finish(): Promise<void> {
    const { owner, signer, truth } = this
    if (!this.#unfinished) return
    const { growth, from } = this.#unfinished
    const restoring = {
      store: this.#store,
      owner,
      verifier: signer,
      truth,
      from,
      to: this.#place,
      anew: true,
    }
    await restoreFiles({ ...restoring, growth: growth.clone() })
    this.#unfinished = undefined
  }

  /** The texts of those that are not recorded yet, each once. Refuses those of which other content is. */
  async #freshOf(group: readonly Waiting[]): Promise<string[]> {
    const fresh = new Map<string, { record: string; sums: GoSums }>()
    const known = await readEach(group, ({ at }) => this.recorded(at))
    for (const [nth, { at, sums, reject }] of group.entries()) {
      const name = lookupName(at)
      const record = recordText(at, sums)
      const before = known[nth]?.sums ?? fresh.get(name)?.sums
      if (before === undefined) fresh.set(name, { record, sums })
      else if (recordText(at, before) !== record) reject(conflict(at, before, sums))
    }
    return [...fresh.values()].map(({ record }) => record)
  }

  async #commit(records: readonly string[]): Promise<void> {
    const { size } = this
    const [growth, before, place] = [this.#growth.clone(), this.#growth, this.#place]
    const tiles = records.flatMap((record) => growth.append(record))
    tiles.push(...growth.partials(size))
    const data = growth.partialData()
    if (data) tiles.push(data)
    const bytes = Buffer.from(records.map((record) => `${record}\n`).join(''))
    const unsigned = { size: growth.size, root: growth.root() }
    const end = (place.head?.bytes ?? 0) + bytes.length
    const head = { ...unsigned, bytes: end, signature: signatureOf(this.signer, unsigned) }
    const text = headText(this.signer, head, head.signature)
    const lookups = records.map((record, nth) => lookupFile(size + nth, record, text))
    const { folder } = databasePaths(this.owner, this.signer.name)
    const staging = stageAnew(this.#store, folder, [...tiles, ...lookups, latestFile(this.signer, head)])
    staging.catch(() => {}) // it is looked at below
    try {
      await this.truth.extend(place, bytes, Buffer.from(headLine(head)))
    } catch (error) {
      if (error instanceof UnknownEnd) this.#stop(error)
      await staging.then((staged) => unstageFiles(this.#store, staged)).catch(() => {})
      throw error
    }
    this.#growth = growth
    this.#place = { head, end: place.end + headLine(head).length }
    this.#unfinished = { growth: before, from: place }
    const staged = await staging
    await placeFiles(this.#store, staged)
    await this.#store.syncAll([...new Set(staged.map(({ path }) => dirname(path)))])
    this.#unfinished = undefined
    this.#log('info', 'recorded', { owner: this.owner, size: head.size, root: head.root.toString('base64') })
  }

  /** Removes what nobody needs any more since the log had `before` records. */
  async #prune(before: number): Promise<void> {
    if (before === this.size) return
    const { folder } = databasePaths(this.owner, this.signer.name)
    await prunePartials(this.#store, folder, before, this.size).catch((error: unknown) =>
      this.#log('warn', 'old partial tiles stay', { owner: this.owner, reason: messageOf(error) }),
    )
  }

  /** Records nothing more, since nobody knows where the log ends. */
  #stop({ isOfDisk, message }: UnknownEnd): void {
    const why = isOfDisk ? 'the disk failed' : 'what was written could not be taken back'
    this.refusal = `the checksum database of ${this.owner} records nothing until the service is started again: ${why}`
    this.#log('error', 'checksum database stopped', { owner: this.owner, reason: message })
  }
}
