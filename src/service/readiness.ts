// Whether the service can take uploads now, for `/-/ready`, `plinth status` and metrics. Each check has a time limit: a
// disk that hangs must not hang the answer. An answer holds for a while, so that asking costs nothing. The log has a
// line when a check begins to fail, and one when it is over, whether somebody asks or not.

import { errno } from '../errors.js'
import type { Log } from '../log.js'
import type { Journal } from '../packages/journal.js'
import type { OwnerViews } from '../packages/owner-views.js'
import { inTime } from '../shares/in-time.js'
import type { FreeSpace } from '../store/free-space.js'
import { isSigned } from '../store/lock.js'
import type { Store } from '../store/store.js'
import type { CertificateWatch } from './certificate-watch.js'
import type { ClockWatch } from './clock-watch.js'

/** How long a check may take. */
const CHECK_MS = 2000
/** How long an answer is given again. */
const HOLDS_MS = 1000
/** How often it looks when nobody asks. */
const LOOK_EVERY_MS = 10_000
/** How long the views of an owner may be due. They follow a change within a second, and a crash in minutes. */
const VIEWS_BEHIND_MS = 60_000

const CHECKS = ['lock', 'disk', 'journal', 'views', 'clock', 'certificate'] as const
type CheckName = (typeof CHECKS)[number]
/** `space` is what can be seen of the disk without writing to it. */
type LookName = CheckName | 'space'

/** One check: `reason` says what is wrong, in words that anybody may read. */
type Check = { name: string; ok: boolean; reason?: string }

export type ReadyReport = { ready: boolean; checks: Check[] }

/** What is looked at. */
type Looked = {
  log: Log
  config: { data: string }
  store: Store
  freeSpace: FreeSpace
  journal: Journal
  ownerViews: OwnerViews
  clockWatch: ClockWatch
  certificateWatch: CertificateWatch
}

export class Readiness {
  readonly #looks: Readonly<Record<LookName, () => Promise<string | undefined>>>
  readonly #log: Log
  /** How long a check may take. */
  readonly #checkMs: number
  /** Checks that have not ended. */
  readonly #looking = new Map<LookName, Promise<string | undefined>>()
  /** Checks that fail, and since when, on the clock of `performance`. The log was told. */
  readonly #failing = new Map<string, number>()
  /** The last answer, or the one that is being found. */
  #answer: Promise<ReadyReport> | undefined
  /** When it was found, on the clock of `performance`; Infinity while it is being found. */
  #foundAt = Infinity
  #timer: NodeJS.Timeout | undefined

  constructor(
    { log, config, store, freeSpace, journal, ownerViews, clockWatch, certificateWatch }: Looked,
    checkMs = CHECK_MS,
  ) {
    this.#log = log
    this.#checkMs = checkMs
    const space = async (): Promise<string | undefined> => {
      const { free, floor, inodesFree } = await freeSpace.figures()
      if (free < floor) return 'the disk is full: less is free than PLINTH_MIN_FREE_BYTES'
      return inodesFree === 0 ? 'the disk has no inode left' : undefined
    }
    this.#looks = {
      lock: async () =>
        (await isSigned(config.data)) ? undefined : 'another process has taken the data folder',
      space,
      disk: async () => {
        const problem = await space()
        if (problem === undefined) await store.probe()
        return problem
      },
      journal: async () => {
        const count = journal.unsettled
        return count === 0 ? undefined : `${count} half-done operations could not be settled yet`
      },
      certificate: () => certificateWatch.problem(),
      clock: async () => clockWatch.problem(),
      views: async () => {
        const now = Date.now()
        const since = await ownerViews.behindSince()
        const behindMs = since.reduce((most, time) => Math.max(most, now - time), 0)
        return behindMs < VIEWS_BEHIND_MS
          ? undefined
          : `pages and JSON are ${Math.round(behindMs / 1000)} s behind`
      },
    }
  }

  /** Looks now and every 10 s, for the log. */
  start(): void {
    void this.look()
    this.#timer = setInterval(() => void this.look(), LOOK_EVERY_MS).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Looks for the log. While all is well nothing is written for that: a disk that nobody uses may sleep. */
  async look(): Promise<void> {
    if (this.#failing.size > 0) return void (await this.report()) // whether a disk takes files again is seen by writing
    const checks = await Promise.all(
      CHECKS.map((name) => this.#check(name, name === 'disk' ? 'space' : name)),
    )
    this.#tell(checks.filter(({ ok }) => !ok)) // that a check is well again is said by a whole report
  }

  /** The answer, at most a second old. It never rejects. */
  report(): Promise<ReadyReport> {
    if (this.#answer && performance.now() - this.#foundAt < HOLDS_MS) return this.#answer
    this.#foundAt = Infinity
    this.#answer = this.#look().finally(() => (this.#foundAt = performance.now()))
    return this.#answer
  }

  async #look(): Promise<ReadyReport> {
    const checks = await Promise.all(CHECKS.map((name) => this.#check(name, name)))
    this.#tell(checks)
    return { ready: checks.every(({ ok }) => ok), checks }
  }

  /** Tells the log what has begun to fail, and what is well again. */
  #tell(checks: readonly Check[]): void {
    const now = performance.now()
    for (const { name: check, ok, reason } of checks) {
      const since = this.#failing.get(check)
      if (ok && since !== undefined) {
        this.#failing.delete(check)
        this.#log('info', 'ready again', { check, seconds: Math.round((now - since) / 1000) })
      } else if (!ok && since === undefined) {
        this.#failing.set(check, now)
        this.#log('warn', 'not ready', { check, reason })
      }
    }
  }

  /** A look that has not ended is waited for again, and not begun a second time: each keeps a thread busy. */
  async #check(name: CheckName, by: LookName): Promise<Check> {
    const looking = this.#looking.get(by) ?? this.#begin(by)
    const late = `no answer within ${this.#checkMs / 1000} s`
    const reason = await inTime(this.#checkMs, late, looking)
    return reason === undefined ? { name, ok: true } : { name, ok: false, reason }
  }

  #begin(name: LookName): Promise<string | undefined> {
    // The message of an error may have a path. Anybody reads the reason.
    const look = this.#looks[name]
    const looking = look()
      .catch((error: unknown) => `it cannot be checked (${errno(error) ?? 'internal error'})`)
      .finally(() => this.#looking.delete(name))
    this.#looking.set(name, looking)
    return looking
  }
}
