// The checksum databases of all owners that have one, opened once. Of an owner without one nothing is asked.

import { errno, messageOf, PLINTH, Refusal } from '../errors.js'
import { folders } from '../layout.js'
import type { Log } from '../log.js'
import type { Store } from '../store/store.js'
import { ChecksumLog } from './log.js'
import { noteName } from './names.js'
import { parseSigner } from './note.js'
import { statePaths } from './paths.js'
import { finishRotation } from './rotation-files.js'
import type { GoSums } from './record.js'
import { showToGo } from './supported.js'

/** What publishing asks of a database. */
type Recorder = Pick<ChecksumLog, 'mustAgree' | 'append'>

/** `enabling`: it records, and is not shown yet. `disabled`: it does neither. */
export type DatabaseStatus = 'enabled' | 'enabling' | 'disabled'

export class ChecksumDatabases {
  readonly #store: Store
  readonly #log: Log
  /** owner → log, or why it could not be opened. */
  readonly #opened = new Map<string, ChecksumLog | Refusal>()
  /** The owners whose database is being changed, and whether that goes on beside changes of others. */
  readonly #changing = new Map<string, 'alone' | 'beside others'>()

  constructor(store: Store, log: Log) {
    this.#store = store
    this.#log = log
  }

  /** Opens the databases that are not disabled, and repairs what a crash left of them. */
  async recover(): Promise<void> {
    for (const owner of await this.#store.names(folders.sumdb)) {
      if (this.#opened.has(owner)) continue
      const status = await this.statusOf(owner).catch(() => undefined) // opening it says why
      if (status !== 'disabled') await this.open(owner)
    }
  }

  /** Opens the database of an owner, or opens it again. One that cannot be opened refuses what it is asked. */
  async open(owner: string): Promise<void> {
    if (this.#opened.has(owner)) await this.pause(owner, 'opened again')
    try {
      await finishRotation(this.#store, owner)
      if ((await this.statusOf(owner)) === undefined) return void this.#opened.delete(owner) // it was never finished
      const key = await this.#store.read(statePaths(owner).key)
      const signer = parseSigner(key?.toString() ?? '')
      if (!signer)
        throw new Error(
          `the key of the checksum database of ${owner} is ${key ? 'damaged' : 'lost'}. Nothing is recorded until ` +
            `${PLINTH} sumdb rotate ${owner} with a new name`,
        )
      await noteName(this.#store, owner, signer) // whoever made the key may have died then
      this.#opened.set(owner, await ChecksumLog.open(this.#store, this.#log, owner, signer))
      // A rotation that was cut off may not have come to this.
      if ((await this.statusOf(owner)) === 'enabled') await showToGo(this.#store, owner, signer.name)
    } catch (error) {
      this.#log('error', 'checksum database stopped', { owner, reason: messageOf(error) })
      // a system's error names paths
      const isOurs = errno(error) === undefined
      const unknown =
        errno(error) === 'ENOENT'
          ? `the checksum database of ${owner} is damaged: a file of state/sumdb/${owner} is missing. Nothing is ` +
            `recorded until ${PLINTH} sumdb recover ${owner}`
          : `the checksum database of ${owner} could not be opened: the service's log says why`
      this.#opened.set(owner, new Refusal(503, isOurs ? messageOf(error) : unknown))
    }
  }

  /**
   * Until it is opened again the database of an owner refuses what it is asked, so that nothing is published without
   * its record: it is being `done`. Resolves when nothing of it is under way.
   */
  async pause(owner: string, done: string): Promise<void> {
    const reason = `the checksum database of ${owner} is being ${done}`
    const opened = this.#opened.get(owner)
    this.#opened.set(owner, new Refusal(503, reason))
    if (opened instanceof ChecksumLog) await opened.close(reason)
  }

  /** The database of an owner no longer records. Resolves when nothing of it is under way. */
  async close(owner: string): Promise<void> {
    const opened = this.#opened.get(owner)
    this.#opened.delete(owner)
    if (opened instanceof ChecksumLog)
      await opened.close(`the checksum database of ${owner} is being disabled: publish once more`)
  }

  /**
   * Begins a change of a database. Of the same owner there is one at a time. Commands change databases `alone`, one
   * after the other, since names are for one key, also among owners. Throws a 409 while there is another one. Call what
   * it returns at the end.
   */
  beginChange(owner: string, how: 'alone' | 'beside others' = 'alone'): () => void {
    const other = [...this.#changing].find(
      ([changed, its]) => changed === owner || (how === 'alone' && its === 'alone'),
    )
    if (other)
      throw new Refusal(
        409,
        `another command is changing the checksum database of ${other[0]}: run this one when it has ended`,
      )
    this.#changing.set(owner, how)
    return () => void this.#changing.delete(owner)
  }

  /** What records the versions of an owner; `undefined` when it has no database. */
  of(owner: string): Recorder | undefined {
    const opened = this.#opened.get(owner)
    return opened instanceof Refusal ? refusing(opened) : opened
  }

  /** The log of an owner; `undefined` when it has none that could be opened. */
  logOf(owner: string): ChecksumLog | undefined {
    const opened = this.#opened.get(owner)
    return opened instanceof Refusal ? undefined : opened
  }

  /** The owners whose database records, or should. */
  owners(): string[] {
    return [...this.#opened.keys()]
  }

  /** The databases that record nothing although they should, each with the reason. */
  get refusing(): { owner: string; reason: string }[] {
    return this.owners().flatMap((owner) => {
      const reason = this.refusalOf(owner)
      return reason === undefined ? [] : [{ owner, reason }]
    })
  }

  /** Why the database of an owner records nothing; `undefined` when it does. */
  refusalOf(owner: string): string | undefined {
    const opened = this.#opened.get(owner)
    return opened instanceof Refusal ? opened.message : opened?.refusal
  }

  /** The name of an owner's database, enabled or not; `undefined` when the owner has none. */
  async nameOf(owner: string): Promise<string | undefined> {
    const key = await this.#store.read(statePaths(owner).key)
    return key && parseSigner(key.toString())?.name
  }

  /** Whether the database of an owner is shown. `undefined` when the owner has none. */
  async statusOf(owner: string): Promise<DatabaseStatus | undefined> {
    const { key, heads, status } = statePaths(owner)
    // The key comes last when a database is made. One that has signed heads may have lost it.
    const isMade = (await this.#store.exists(key)) || ((await this.#store.status(heads))?.size ?? 0) > 0
    if (!isMade) return undefined
    const text = (await this.#store.read(status))?.toString().trim()
    return text === 'disabled' || text === 'enabling' ? text : 'enabled'
  }
}

const refusing = (refusal: Refusal): Recorder => ({
  mustAgree: () => Promise.reject(refusal),
  append: (_at, _sums: GoSums) => Promise.reject(refusal),
})
