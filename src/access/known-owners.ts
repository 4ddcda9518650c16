// The owners that publishes and deletes ask for, kept in memory. An owner's file is the truth, and other processes
// write it, so each question looks at the file. It is read again when it is another one: else one lstat(2) is all.

import { ownerFile } from '../layout.js'
import { signatureOf } from '../store/reading.js'
import type { Store } from '../store/store.js'
import { notDeclared, readOwner } from './files.js'
import { isOwnerName, type Owner } from './rights.js'

export class KnownOwners {
  readonly #store: Store
  /** name → what the file said, and the signature that it had before it was read; of declared owners alone */
  readonly #known = new Map<string, { signature: string; owner: Owner }>()

  constructor(store: Store) {
    this.#store = store
  }

  /** The owner of this name; `undefined` when it is not declared. */
  async find(name: string): Promise<Owner | undefined> {
    const status = isOwnerName(name) ? await this.#store.status(ownerFile(name)) : undefined
    const signature = status && signatureOf(status)
    const known = this.#known.get(name)
    if (known && known.signature === signature) return known.owner
    this.#known.delete(name)
    const owner = signature === undefined ? undefined : await readOwner(this.#store, name)
    if (owner && signature !== undefined) this.#known.set(name, { signature, owner })
    return owner
  }

  /** The owner of this name. Throws a 404 that says how to declare it. */
  async mustBeDeclared(name: string): Promise<Owner> {
    const owner = await this.find(name)
    if (!owner) throw notDeclared(name)
    return owner
  }
}
