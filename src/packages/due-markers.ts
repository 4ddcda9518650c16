// The markers of owners whose views are due, on the disk.

import { ignoring } from '../errors.js'
import { dueMarker, folders } from '../layout.js'
import type { Store } from '../store/store.js'
import { Queue } from './queue.js'

export class DueMarkers {
  readonly #store: Store
  /** One change of an owner's marker at a time. */
  readonly #changes = new Queue()
  /** owner → the time in ms since the epoch up to which its views have everything, when they were due again then */
  readonly #followed = new Map<string, number>()

  constructor(store: Store) {
    this.#store = store
  }

  /** The owners that have a marker. */
  owners(): Promise<string[]> {
    return this.#store.names(folders.due)
  }

  /** Tells that the views of an owner, which are due again, have everything that changed before `at` (ms, epoch). */
  followed(owner: string, at: number): void {
    this.#followed.set(owner, at)
  }

  /**
   * For each owner that has a marker, the time in ms since the epoch up to which its views have everything: that of the
   * marker, or a later one where the views have followed while more was changing.
   */
  async since(): Promise<number[]> {
    const since = async (owner: string): Promise<number[]> => {
      const status = await this.#store.status(dueMarker(owner))
      return status ? [Math.max(status.mtimeMs, this.#followed.get(owner) ?? 0)] : [] // it has just gone
    }
    return (await Promise.all((await this.owners()).map(since))).flat()
  }

  /** Makes the marker of an owner, durably. */
  make(owner: string): Promise<void> {
    return this.#changes.run(owner, async () => {
      const marker = dueMarker(owner)
      try {
        const isNew = await ignoring(['EEXIST'], () => this.#store.record(marker, ''))
        if (!isNew) await this.#store.sync(folders.due)
      } catch (error) {
        await this.#store.remove(marker).catch(() => {}) // one that stays does no harm: the next change removes it
        throw error
      }
    })
  }

  /** Removes the marker. A change that begins meanwhile makes a new one, when this one is gone. */
  async remove(owner: string): Promise<void> {
    this.#followed.delete(owner)
    await this.#changes.run(owner, () => this.#store.remove(dueMarker(owner)))
  }
}
