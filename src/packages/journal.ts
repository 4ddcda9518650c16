// The journal: every publish and delete that is under way, each as a small file. After a crash it says what was left
// half done, without a walk through the tree.

import { randomUUID } from 'node:crypto'
import { messageOf, Unsettled } from '../errors.js'
import { folders } from '../layout.js'
import type { Log } from '../log.js'
import { readEach } from '../store/read-each.js'
import type { Store } from '../store/store.js'
import { waitForAll } from '../store/wait-for-all.js'
import { isWhole, parseOperation, queueKey, type Operation } from './operation.js'
import type { OwnerViews } from './owner-views.js'
import { Queue } from './queue.js'
import type { Publish, Removal } from './steps.js'
import { Watch } from './watch.js'

/** Completes or withdraws an operation that was left half done. Running it twice changes nothing more. */
type Settle = (entry: Operation) => Promise<void>

/** How many packages are settled at the same time. A folder of several machines lets each step wait. */
const SETTLED_AT_ONCE = 8

const fieldsOf = ({ op, ...at }: Operation) => ({ op, key: queueKey(at), version: at.version })

const newEntry = (): string => `${folders.journal}/${randomUUID()}.json`

export class Journal {
  readonly #store: Store
  readonly #log: Log
  readonly #settle: Settle
  /** What follows from the changes of an owner's packages. */
  readonly #ownerViews: OwnerViews
  /** One change at a time for each key of {@link queueKey}. */
  readonly #queue = new Queue()
  /** What could not be settled yet: key → path of the entry → operation. */
  readonly #unsettled = new Map<string, Map<string, Operation>>()
  /** Those who are told of each change that begins: id → watch. */
  readonly #watches = new Map<string, Watch>()

  constructor(store: Store, log: Log, ownerViews: OwnerViews, settle: Settle) {
    this.#store = store
    this.#log = log
    this.#ownerViews = ownerViews
    this.#settle = settle
  }

  /**
   * Runs `action` when no other change of `key` is under way, and after what earlier failures left of it is settled.
   * Throws when that still cannot be settled.
   */
  alone<T>(key: string, action: () => Promise<T>): Promise<T> {
    return this.#queue.run(key, async () => {
      this.touch(key)
      await this.#repair(key)
      return action()
    })
  }

  /** Tells the watches that something of `key` is about to change. {@link alone} does it by itself. */
  touch(key: string): void {
    for (const watch of this.#watches.values()) watch.touch(key)
  }

  /** Begins to note changes, those that are under way or unsettled first. The caller calls `end`. */
  watch(): { id: string; end: () => void } {
    const id = randomUUID()
    this.#watches.set(id, new Watch([...this.#queue.keys(), ...this.#unsettled.keys()]))
    return { id, end: () => void this.#watches.delete(id) }
  }

  /** The watch with this id, while it lasts. */
  watchOf(id: string): Watch | undefined {
    return this.#watches.get(id)
  }

  /**
   * Runs `action`, which changes nothing, while no change of `key` is under way. It gets the paths of the entries that
   * are not settled.
   */
  hold<T>(key: string, action: (entries: string[]) => Promise<T>): Promise<T> {
    return this.#queue.run(key, () => action([...(this.#unsettled.get(key)?.keys() ?? [])]))
  }

  /** Resolves when every change has ended that is under way or waits now and whose key `isMeant`. */
  idle(isMeant: (key: string) => boolean): Promise<void> {
    return this.#queue.idle(isMeant)
  }

  /**
   * Publishes with the entry on the disk. Run it {@link alone}. When a step fails, the earlier ones are taken back and
   * its error is thrown. When that fails too, the entry stays for the next {@link alone}, or for {@link settleAll} at
   * the next start, and an {@link Unsettled} is thrown.
   *
   * The removal of the entry is not synced. An entry that a power cut brings back is settled once more, which changes
   * nothing unless the same version was changed since. Such a change wrote an entry of its own and synced the folder,
   * and with it this removal.
   */
  publish<T>(steps: Publish<T>): Promise<void> {
    return this.#ownerViews.follow(steps.entry, (marked) => this.#publish(steps, marked))
  }

  async #publish<T>(
    { entry, prepare, drop, claim, prune, place, withdraw }: Publish<T>,
    marked: Promise<void>,
  ): Promise<void> {
    const path = newEntry()
    const entered = waitForAll([marked, this.#store.record(path, JSON.stringify(entry))])
    let prepared: { made: T } | undefined
    let claimed = false
    try {
      const preparing = prepare().then((made) => (prepared = { made }))
      const [{ made }] = await waitForAll([preparing, entered])
      await claim()
      claimed = true
      await place(made, path)
      await this.#store.remove(path)
    } catch (error) {
      try {
        if (prepared) await drop(prepared.made)
        await (claimed ? withdraw() : prune())
        await this.#store.remove(path)
      } catch (failure) {
        throw await this.#leave(path, claimed ? { ...entry, op: 'delete' } : entry, failure, error)
      }
      throw error
    }
  }

  /**
   * Deletes with the entry on the disk. Run it {@link alone}. A delete that has not begun is given up when something
   * fails. One that has begun is finished, never undone, and the entry stays with an {@link Unsettled} even when it
   * could be finished now: a sync that failed once may succeed the second time although the disk has nothing.
   */
  remove<T>(steps: Removal<T>): Promise<void> {
    return this.#ownerViews.follow(steps.entry, (marked) => this.#remove(steps, marked))
  }

  async #remove<T>({ entry, prepare, drop, withdraw }: Removal<T>, marked: Promise<void>): Promise<void> {
    const path = newEntry()
    const entered = waitForAll([marked, this.#store.record(path, JSON.stringify(entry))])
    let prepared: { made: T } | undefined
    let begun = false
    try {
      const preparing = prepare().then((made) => (prepared = { made }))
      const [{ made }] = await waitForAll([preparing, entered])
      begun = true
      await withdraw(made)
      await this.#store.remove(path)
    } catch (error) {
      try {
        if (prepared) await drop(prepared.made)
        if (begun) await withdraw()
        else await this.#store.remove(path)
      } catch (failure) {
        throw await this.#leave(path, entry, failure, error)
      }
      throw begun ? await this.#leave(path, entry, error, error) : error
    }
  }

  /** Keeps an operation whose undoing failed with `failure`, to be settled later. `cause` is why it was undone. */
  async #leave(path: string, entry: Operation, failure: unknown, cause: unknown): Promise<Unsettled> {
    const fields = { ...fieldsOf(entry), reason: messageOf(failure) }
    const when = 'tried again by the next request for this package, or at the next start'
    this.#log('error', `not settled: ${when}`, fields)
    this.#keep(path, entry)
    await this.#replace(path, entry).catch(() => {}) // the disk may take nothing at the moment
    return new Unsettled(messageOf(cause), { cause })
  }

  #keep(path: string, entry: Operation): void {
    const key = queueKey(entry)
    this.#unsettled.set(key, (this.#unsettled.get(key) ?? new Map<string, Operation>()).set(path, entry))
  }

  /** Puts another entry in the place of an existing one, durably. */
  async #replace(path: string, entry: Operation): Promise<void> {
    await this.#store.write(path, JSON.stringify(entry), { secret: true })
    await this.#store.sync(folders.journal)
  }

  /** Settles what is left of `key`. Throws when it still cannot be settled. */
  async #repair(key: string): Promise<void> {
    const entries = this.#unsettled.get(key)
    if (!entries) return
    for (const [path, entry] of entries) {
      await this.#ownerViews.followAny(entry.owner, () => this.#settle(entry))
      await this.#store.remove(path)
      entries.delete(path)
      this.#log('info', 'settled', fieldsOf(entry))
    }
    this.#unsettled.delete(key)
  }

  /** Operations that could not be settled yet. */
  get unsettled(): number {
    return [...this.#unsettled.values()].reduce((sum, { size }) => sum + size, 0)
  }

  /** Settles what earlier runs left. Run it before anything is changed. A second run changes nothing. */
  async settleAll(): Promise<void> {
    await readEach(await this.#store.names(folders.journal), (name) =>
      this.#takeLeft(`${folders.journal}/${name}`),
    )
    const keys = [...this.#unsettled.keys()].values()
    const settleNext = async (): Promise<void> => {
      for (const key of keys)
        await this.#repair(key).catch((error: unknown) =>
          this.#log('error', 'could not be settled: tried again by the next request for it', {
            key,
            reason: messageOf(error),
          }),
        )
    }
    await waitForAll(Array.from({ length: SETTLED_AT_ONCE }, settleNext))
  }

  /** Takes an entry that an earlier run left to be settled. */
  async #takeLeft(path: string): Promise<void> {
    const text = (await this.#store.read(path))?.toString() ?? ''
    const entry = parseOperation(text)
    const taken = newEntry()
    // A file system of several machines may show one that another machine has removed. Who renames it is told.
    if (entry && (await this.#store.rename(path, taken))) this.#keep(taken, entry)
    if (entry) return
    // Nothing is done before its entry is whole and on the disk, so a torn entry stands for nothing.
    if (!isWhole(text)) await this.#store.remove(path)
    // A whole entry that is not ours is left for a person to look at.
    else this.#log('warn', 'not a journal entry', { path })
  }
}
