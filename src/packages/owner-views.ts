// The views of an owner's packages together: catalogue, feed and log. They follow a change within a second. Changes
// that come meanwhile are taken together, so that a publish costs the same whatever else the owner has.
//
// A marker on the disk says that an owner's views are due. It is there before a change of a package can be seen, and
// goes when the views have followed. After a crash, the views of each owner with a marker are made from all its
// packages.

import { messageOf } from '../errors.js'
import { ownerTree, ownerViews } from '../layout.js'
import type { Log } from '../log.js'
import type { Store } from '../store/store.js'
import type { Site } from '../views/page-addresses.js'
import { Catalogues } from './catalogues.js'
import { DueMarkers } from './due-markers.js'
import type { Operation } from './operation.js'
import { Queue } from './queue.js'
import { restAfter, retryAfter } from './refresh-pace.js'
import type { VersionIndex } from './version-index.js'
import { VersionLog } from './version-log.js'

/** From a change to the refresh. What changes meanwhile comes along. */
const REFRESH_AFTER_MS = 20
/** An owner that changes all the time is looked at so often. */
const INSPECTIONS = 3

/** What is due of one owner. */
type Due = {
  /** Resolves when the marker is on the disk. */
  marked: Promise<void>
  /** Changes that are under way. */
  underWay: number
  /** What has changed since the last refresh; `undefined` when that is not known, after a crash. */
  changes: Operation[] | undefined
  /** The timer of the next refresh, also while that one is under way: it sets another one when it ends. */
  timer: NodeJS.Timeout | undefined
  /** Refreshes that failed, one after the other. */
  failures: number
  /** Whether the log may have lines already of changes to come: then it is compared with the tree instead. */
  unsure: boolean
}

/** Hears of changes: of a known one after it was made, else of the owner. */
type Listener = Pick<VersionIndex, 'changed' | 'forget'>

export class OwnerViews {
  readonly #store: Store
  readonly #log: Log
  readonly #catalogues: Catalogues
  readonly #versionLog: VersionLog
  /** The lists of versions in memory. */
  readonly #listener: Listener | undefined
  /** The owners whose views are due. */
  readonly #due = new Map<string, Due>()
  /** One refresh of an owner at a time. */
  readonly #refreshes = new Queue()
  readonly #markers: DueMarkers
  /** Whether no refresh begins any more. */
  #stopped = false

  constructor(store: Store, log: Log, site: Site, listener?: Listener) {
    this.#store = store
    this.#listener = listener
    this.#log = log
    this.#markers = new DueMarkers(store)
    this.#catalogues = new Catalogues(store, site)
    this.#versionLog = new VersionLog(store)
  }

  /** Finds the owners whose views a crash left due. */
  async recover(): Promise<void> {
    for (const owner of await this.#markers.owners())
      if (!this.#due.has(owner)) this.#makeDue(owner, undefined, Promise.resolve()) // the marker is there
  }

  /**
   * Runs `action`, which makes the change `entry` of a package; the views follow when it resolves. `marked` resolves
   * when the marker is on the disk: nothing may be seen of the change before.
   */
  async follow<T>(entry: Operation, action: (marked: Promise<void>) => Promise<T>): Promise<T> {
    const due = this.#due.get(entry.owner) ?? this.#makeDue(entry.owner, [])
    due.underWay++
    try {
      const result = await action(due.marked)
      due.changes?.push(entry)
      this.#listener?.changed(entry)
      return result
    } catch (error) {
      due.changes = undefined // a refresh may have seen what was then taken back
      this.#listener?.forget(entry.owner)
      throw error
    } finally {
      due.underWay--
      this.#schedule(entry.owner, due, REFRESH_AFTER_MS)
    }
  }

  /** {@link follow} for a change of which it is not known what it will be. */
  async followAny<T>(owner: string, action: () => Promise<T>): Promise<T> {
    const due = this.#due.get(owner) ?? this.#makeDue(owner, undefined)
    due.underWay++
    due.changes = undefined
    try {
      await due.marked
      return await action()
    } finally {
      due.underWay--
      due.changes = undefined
      this.#listener?.forget(owner)
      this.#schedule(owner, due, REFRESH_AFTER_MS)
    }
  }

  /** Makes the views that are due of this owner, or of all owners, and resolves then. Throws when that fails. */
  async settle(owner?: string): Promise<void> {
    for (const name of owner === undefined ? [...this.#due.keys()] : [owner]) {
      const due = this.#due.get(name)
      if (due) await this.#refresh(name, due)
    }
  }

  /**
   * What is wrong with the views of an owner: files that are not what follows from its packages. Nothing when changes
   * are under way all the time. Nothing is written but what is due.
   */
  async inspect(owner: string): Promise<string[]> {
    for (let attempt = 0; attempt < INSPECTIONS; attempt++) {
      await this.settle(owner)
      const wrong = await this.#refreshes.run(owner, () => this.#compare(owner))
      if (wrong.length === 0) return []
      if (!this.#due.has(owner)) return wrong
    }
    return []
  }

  /** Makes all views of an owner again. */
  async remake(owner: string): Promise<void> {
    await this.followAny(owner, async () => {})
    await this.settle(owner)
  }

  async #compare(owner: string): Promise<string[]> {
    const { files, gone } = await this.#catalogues.derive(owner)
    const wrong: string[] = []
    for (const { path, content } of files)
      if (!(await this.#store.read(path))?.equals(content)) wrong.push(path)
    for (const path of gone) if (await this.#store.exists(path)) wrong.push(path)
    if (!(await this.#versionLog.isWhole(owner))) wrong.push(ownerViews(owner).log)
    return wrong
  }

  /** Forgets an owner, whose packages are about to be removed. No change of it may be under way. */
  async forget(owner: string): Promise<void> {
    await this.#refreshes.run(owner, async () => {
      this.#forget(owner, this.#due.get(owner))
      this.#catalogues.forget(owner)
      this.#listener?.forget(owner)
      await this.#markers.remove(owner)
    })
  }

  /** Since when views are behind, of each owner whose views are due; see {@link DueMarkers.since}. */
  behindSince(): Promise<number[]> {
    return this.#markers.since()
  }

  /** Ends the timers. What is due then is found by {@link recover}. */
  stop(): void {
    this.#stopped = true
    for (const { timer } of this.#due.values()) clearTimeout(timer)
  }

  #makeDue(owner: string, changes: Operation[] | undefined, marked = this.#markers.make(owner)): Due {
    const unsure = changes === undefined
    const due: Due = {
      marked,
      underWay: 0,
      changes,
      timer: undefined,
      failures: 0,
      unsure,
    }
    this.#due.set(owner, due)
    // A change fails with the error. The next one tries again.
    marked.catch(() => this.#forget(owner, due))
    if (changes === undefined) this.#schedule(owner, due, 0)
    return due
  }

  #forget(owner: string, due: Due | undefined): void {
    if (due) {
      clearTimeout(due.timer)
      due.timer = undefined
    }
    if (this.#due.get(owner) === due) this.#due.delete(owner)
  }

  #schedule(owner: string, due: Due, afterMs: number): void {
    if (this.#stopped) return
    due.timer ??= setTimeout(() => void this.#refreshAndRest(owner, due), afterMs).unref()
  }

  async #refreshAndRest(owner: string, due: Due): Promise<void> {
    const begun = Date.now()
    let rest = 0
    try {
      await this.#refresh(owner, due)
      this.#log('debug', 'views refreshed', { owner, ms: Date.now() - begun })
      rest = restAfter(Date.now() - begun)
    } catch (error) {
      this.#log('error', 'views not refreshed: tried again', { owner, reason: messageOf(error) })
      rest = retryAfter(due.failures)
    } finally {
      due.timer = undefined
    }
    if (this.#due.get(owner) !== due) return
    if (due.failures === 0) this.#markers.followed(owner, begun)
    this.#schedule(owner, due, rest)
  }

  #refresh(owner: string, due: Due): Promise<void> {
    return this.#refreshes.run(owner, async () => {
      if (this.#due.get(owner) !== due) return // another refresh was first
      await due.marked // rejects for a due that is forgotten then
      try {
        const { changes } = due
        due.changes = []
        if (changes === undefined) due.unsure = true
        if (await this.#store.exists(ownerTree(owner))) await this.#make(owner, due, changes)
        due.failures = 0
        if (due.changes?.length !== 0 || due.underWay > 0) return
        this.#forget(owner, due)
        await this.#markers.remove(owner)
      } catch (error) {
        due.failures++
        due.changes = undefined
        if (!this.#due.has(owner)) this.#due.set(owner, due) // the marker is still there
        throw error
      }
    })
  }

  async #make(owner: string, due: Due, changes: readonly Operation[] | undefined): Promise<void> {
    if (changes === undefined) await this.#catalogues.remake(owner)
    else if (changes.length > 0) await this.#catalogues.update(owner, changes)
    if (!due.unsure) return this.#versionLog.append(owner, changes ?? [])
    const isQuiet = due.underWay === 0 && due.changes?.length === 0
    await this.#versionLog.reconcile(owner)
    if (isQuiet) due.unsure = false
  }
}
