// The log of an owner's module versions: a line for each publish and each delete, in the order in which they were
// made. Lines are only ever added, so that a reader can go on from the byte where it stopped. What was deleted cannot
// be derived from the tree: a rebuild keeps the log, and adds what is missing in it.

import { ownerViews, versionFile } from '../layout.js'
import type { Store } from '../store/store.js'
import { logLineText, parseLogLine, type LogLine } from '../views/feed.js'
import { visibleVersions } from './module-versions.js'
import { NameStates } from './name-states.js'
import type { Operation } from './operation.js'

/** The last line is within so many bytes: a path has 3,000 at most. */
const TAIL_BYTES = 16 * 1024

/** What is known of a version: nothing, that it is there by the log, or that it is there indeed. */
const [UNKNOWN, LOGGED, THERE] = [0, 1, 2]

type Change = Omit<LogLine, 'timestamp'>

const keyOf = ({ path, version }: { path: string; version: string }): string => `${path}@${version}`

export class VersionLog {
  readonly #store: Store
  /** Gives milliseconds since the epoch. */
  readonly #now: () => number

  constructor(store: Store, now: () => number = Date.now) {
    this.#store = store
    this.#now = now
  }

  /** Adds the changes of modules, durably. */
  append(owner: string, operations: readonly Operation[]): Promise<void> {
    const changes = operations.flatMap((operation): Change[] =>
      'module' in operation
        ? [
            {
              path: operation.module,
              version: operation.version,
              ...(operation.op === 'delete' && { deleted: true }),
            },
          ]
        : [],
    )
    return this.#add(owner, changes)
  }

  /** Adds what is missing. */
  async reconcile(owner: string): Promise<void> {
    await this.#add(owner, await this.#missing(owner))
  }

  /** Whether nothing is missing. */
  async isWhole(owner: string): Promise<boolean> {
    const states = await this.#states(owner)
    for await (const _ of this.#notLogged(owner, states)) return false
    return states.count(LOGGED) === 0
  }

  /** Versions that are not logged, the oldest first, and deletes. */
  async #missing(owner: string): Promise<Change[]> {
    const states = await this.#states(owner)
    const missing: (Change & { time: number })[] = []
    for await (const version of this.#notLogged(owner, states)) {
      const zip = versionFile({ owner, module: version.path, version: version.version }, 'zip')
      missing.push({ ...version, time: (await this.#store.status(zip))?.mtimeMs ?? 0 })
    }
    missing.sort((a, b) => a.time - b.time || (keyOf(a) < keyOf(b) ? -1 : 1))
    const gone: Change[] = []
    if (states.count(LOGGED) > 0)
      for await (const { path, version } of this.#lines(owner)) {
        if (states.get(keyOf({ path, version })) !== LOGGED) continue
        states.set(keyOf({ path, version }), UNKNOWN) // its other lines say nothing new
        gone.push({ path, version, deleted: true })
      }
    return [...missing.map(({ path, version }) => ({ path, version })), ...gone]
  }

  /** Yields the versions that are there, and not by the log. The others become THERE in `states`. */
  async *#notLogged(owner: string, states: NameStates): AsyncGenerator<{ path: string; version: string }> {
    for await (const { module, version } of visibleVersions(this.#store, owner)) {
      const key = keyOf({ path: module, version })
      if (states.get(key) === LOGGED) states.set(key, THERE)
      else yield { path: module, version }
    }
  }

  /** What the log says of all versions that it names: LOGGED are those that are there by it. */
  async #states(owner: string): Promise<NameStates> {
    const states = new NameStates()
    for await (const line of this.#lines(owner)) states.set(keyOf(line), line.deleted ? UNKNOWN : LOGGED)
    return states
  }

  async *#lines(owner: string): AsyncGenerator<LogLine> {
    for await (const text of this.#store.lines(ownerViews(owner).log)) {
      const line = parseLogLine(text)
      if (line) yield line
    }
  }

  async #add(owner: string, changes: readonly Change[]): Promise<void> {
    if (changes.length === 0) return
    const { log } = ownerViews(owner)
    const tail = (await this.#store.readTail(log, TAIL_BYTES)).toString()
    const last = parseLogLine(tail.slice(0, tail.lastIndexOf('\n')).split('\n').at(-1) ?? '')
    const now = new Date(this.#now()).toISOString()
    const timestamp = last && last.timestamp > now ? last.timestamp : now // a clock may have been put back
    await this.#store.appendLines(
      log,
      changes.map((change) => logLineText({ ...change, timestamp })).join(''),
    )
  }
}
