// The markers of owners whose views are due, on the disk.

import { ignoring } from '../errors.js'
import { dueMarker, folders } from '../layout.js'
import type { Store } from '../store/store.js'
import { Queue } from './queue.js'

export class DueMarkers {
  readonly #store: Store
  /** One change of an owner's marker at a time. */
  readonly #changes = new Queue()

  constructor(store: Store) {
    this.#store = store
  }

  /** The owners that have a marker. */
  owners(): Promise<string[]> {
    return this.#store.names(folders.due)
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
    await this.#changes.run(owner, () => this.#store.remove(dueMarker(owner)))
  }
}
