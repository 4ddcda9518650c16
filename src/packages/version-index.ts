// All versions of an owner in the order of their publication, for lists page by page. It is read from the tree when it
// is first asked for, and kept in memory: a change notes which version to look at again. Whoever was asked for last is
// kept, as far as the memory goes.

import { Refusal } from '../errors.js'
import { genericFolder, versionFile } from '../layout.js'
import { readEach } from '../store/read-each.js'
import type { Store } from '../store/store.js'
import { visibleVersions } from './module-versions.js'
import type { Operation } from './operation.js'
import { readGenericFacts, type PackageVersion } from './published.js'
import { Queue } from './queue.js'

/** Versions of all owners that are kept, some 100 bytes each. An owner with more has no lists. */
const MOST_VERSIONS = 300_000
/** Changes of an owner after which everything is read again. */
const MOST_CHANGES = 1000
/** A reading beside changes that are not known is done again so often. */
const READINGS = 3
/** Versions that are looked at in one go while a whole owner is read. */
const LOOKED_AT_ONCE = 256

/** A version with the time of its publication, in ms since the epoch: for files, that of the first one. */
export type PublishedVersion = PackageVersion & { time: number }

/** The versions of an owner, the oldest first, and those that have changed since. */
type Known = { versions: PublishedVersion[] | 'too many' | undefined; changed: Map<string, PackageVersion> }

const keyOf = ({ kind, name, version }: PackageVersion): string => `${kind} ${name} ${version}`

const byTime = (a: PublishedVersion, b: PublishedVersion): number => {
  if (a.time !== b.time) return a.time - b.time
  const [x, y] = [keyOf(a), keyOf(b)]
  return x < y ? -1 : x > y ? 1 : 0
}

const tooMany = (owner: string): Refusal =>
  new Refusal(501, `owner ${owner} has more versions than are listed here: its -/index.json has the packages`)

export class VersionIndex {
  readonly #store: Store
  readonly #most: number
  /** owner → its versions. The owner that was asked for last comes last. */
  readonly #known = new Map<string, Known>()
  /** One reading at a time, of all owners: each keeps the disk busy. */
  readonly #readings = new Queue()

  constructor(store: Store, most = MOST_VERSIONS) {
    this.#store = store
    this.#most = most
  }

  /** Notes a change that has been made. */
  changed(entry: Operation): void {
    const known = this.#known.get(entry.owner)
    if (!known) return
    const at: PackageVersion =
      'module' in entry
        ? { kind: 'go', name: entry.module, version: entry.version }
        : { kind: 'generic', name: entry.name, version: entry.version }
    known.changed.set(keyOf(at), at)
    if (known.changed.size > MOST_CHANGES) this.forget(entry.owner)
  }

  /** Forgets an owner, of which it is not known what has changed. */
  forget(owner: string): void {
    this.#known.delete(owner)
  }

  /** All versions of an owner, the oldest first. Throws a 501 when there are too many. */
  async all(owner: string): Promise<readonly PublishedVersion[]> {
    const present = this.#known.get(owner)
    if (present?.versions === 'too many') throw tooMany(owner)
    if (present?.versions && present.changed.size === 0) {
      this.#use(owner, present)
      return present.versions
    }
    return this.#readings.run('', async () => {
      for (let reading = 1; ; reading++) {
        const known = this.#known.get(owner) ?? { versions: undefined, changed: new Map() }
        this.#use(owner, known) // changes are noted from here on
        try {
          const versions = await this.#upToDate(owner, known)
          if (this.#known.get(owner) === known || reading === READINGS) return versions
        } catch (error) {
          if (known.versions !== 'too many') this.forget(owner)
          throw error
        }
      }
    })
  }

  /** One version as it is now; `undefined` when it is not there. */
  async get(owner: string, at: PackageVersion): Promise<PublishedVersion | undefined> {
    const time = await (at.kind === 'go' ? this.#timeOfModule(owner, at) : this.#timeOfFiles(owner, at))
    return time === undefined ? undefined : { kind: at.kind, name: at.name, version: at.version, time }
  }

  async #upToDate(owner: string, known: Known): Promise<readonly PublishedVersion[]> {
    if (known.versions === 'too many') throw tooMany(owner)
    if (known.versions === undefined) {
      known.versions = await this.#read(owner)
      if (known.versions === 'too many') throw tooMany(owner)
      this.#makeRoom()
    }
    const { versions } = known
    if (known.changed.size > 0) {
      const changed = new Map(known.changed)
      const now = await this.#changed(owner, versions, [...changed.values()])
      known.versions = now.length > this.#most ? 'too many' : now
      // One that has changed again meanwhile is looked at again.
      for (const [key, at] of changed) if (known.changed.get(key) === at) known.changed.delete(key)
      if (known.versions === 'too many') throw tooMany(owner)
      this.#makeRoom()
      return known.versions
    }
    return versions
  }

  #use(owner: string, known: Known): void {
    this.#known.delete(owner)
    this.#known.set(owner, known)
  }

  async #changed(
    owner: string,
    versions: readonly PublishedVersion[],
    changed: readonly PackageVersion[],
  ): Promise<PublishedVersion[]> {
    const names = new Set(changed.map(({ name }) => name))
    const keys = new Set(changed.map(keyOf))
    const others = versions.filter((at) => !names.has(at.name) || !keys.has(keyOf(at)))
    return [...others, ...(await this.#look(owner, changed))].sort(byTime)
  }

  /** Those of `versions` that are there, with their times. */
  async #look(owner: string, versions: readonly PackageVersion[]): Promise<PublishedVersion[]> {
    const found = await readEach(versions, (at) => this.get(owner, at))
    return found.filter((at) => at !== undefined)
  }

  /** Reads the whole tree of an owner. */
  async #read(owner: string): Promise<PublishedVersion[] | 'too many'> {
    const found: PublishedVersion[] = []
    let next: PackageVersion[] = []
    for await (const at of this.#everything(owner)) {
      next.push(at)
      if (found.length + next.length > this.#most) return 'too many'
      if (next.length < LOOKED_AT_ONCE) continue
      found.push(...(await this.#look(owner, next)))
      next = []
    }
    return [...found, ...(await this.#look(owner, next))].sort(byTime)
  }

  async *#everything(owner: string): AsyncGenerator<PackageVersion> {
    for await (const { module, version } of visibleVersions(this.#store, owner))
      yield { kind: 'go', name: module, version }
    const folder = genericFolder(owner)
    for (const name of await this.#store.names(folder))
      for (const version of await this.#store.names(`${folder}/${name}`))
        yield { kind: 'generic', name, version }
  }

  /** The .info has the time of its zip. */
  async #timeOfModule(owner: string, { name, version }: PackageVersion): Promise<number | undefined> {
    return (await this.#store.status(versionFile({ owner, module: name, version }, 'info')))?.mtimeMs
  }

  async #timeOfFiles(owner: string, { name, version }: PackageVersion): Promise<number | undefined> {
    const facts = await readGenericFacts(this.#store, { owner, name, version })
    return facts && Math.min(...facts.files.map(({ time }) => Date.parse(time)))
  }

  /** Forgets the owners that were not asked for longest, while there are too many versions. */
  #makeRoom(): void {
    const count = ({ versions }: Known): number => (Array.isArray(versions) ? versions.length : 0)
    let total = [...this.#known.values()].reduce((sum, known) => sum + count(known), 0)
    for (const [owner, known] of this.#known) {
      if (total <= this.#most) return
      total -= count(known)
      this.#known.delete(owner)
    }
  }
}
