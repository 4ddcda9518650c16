// Whether the service can take uploads now, for `/-/ready` and `plinth status`. Each check has a time limit: a disk
// that hangs must not hang the answer. An answer holds for a while, so that asking costs nothing.

import { errno } from '../errors.js'
import type { Journal } from '../packages/journal.js'
import type { OwnerViews } from '../packages/owner-views.js'
import type { FreeSpace } from '../store/free-space.js'
import { isSigned } from '../store/lock.js'
import type { Store } from '../store/store.js'
import type { CertificateWatch } from './certificate-watch.js'
import type { ClockWatch } from './clock-watch.js'

/** How long a check may take. */
const CHECK_MS = 2000
/** How long an answer is given again. */
const HOLDS_MS = 1000
/** How long the views of an owner may be due. They follow a change within a second, and a crash in minutes. */
const VIEWS_BEHIND_MS = 60_000

const CHECKS = ['lock', 'disk', 'journal', 'views', 'clock', 'certificate'] as const
type CheckName = (typeof CHECKS)[number]

/** One check: `reason` says what is wrong, in words that anybody may read. */
type Check = { name: string; ok: boolean; reason?: string }

export type ReadyReport = { ready: boolean; checks: Check[] }

/** What is looked at. */
type Looked = {
  config: { data: string }
  store: Store
  freeSpace: FreeSpace
  journal: Journal
  ownerViews: OwnerViews
  clockWatch: ClockWatch
  certificateWatch: CertificateWatch
}

export class Readiness {
  readonly #looks: Readonly<Record<CheckName, () => Promise<string | undefined>>>
  /** How long a check may take. */
  readonly #checkMs: number
  /** Checks that have not ended. */
  readonly #looking = new Map<CheckName, Promise<string | undefined>>()
  /** The last answer, or the one that is being found. */
  #answer: Promise<ReadyReport> | undefined
  /** When it was found, on the clock of `performance`; Infinity while it is being found. */
  #foundAt = Infinity

  constructor(
    { config, store, freeSpace, journal, ownerViews, clockWatch, certificateWatch }: Looked,
    checkMs = CHECK_MS,
  ) {
    this.#checkMs = checkMs
    this.#looks = {
      lock: async () =>
        (await isSigned(config.data)) ? undefined : 'another process has taken the data folder',
      disk: async () => {
        const { free, floor, inodesFree } = await freeSpace.figures()
        if (free < floor) return 'the disk is full: less is free than PLINTH_MIN_FREE_BYTES'
        if (inodesFree === 0) return 'the disk has no inode left'
        await store.probe()
        return undefined
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

  /** The answer, at most a second old. It never rejects. */
  report(): Promise<ReadyReport> {
    if (this.#answer && performance.now() - this.#foundAt < HOLDS_MS) return this.#answer
    this.#foundAt = Infinity
    this.#answer = this.#look().finally(() => (this.#foundAt = performance.now()))
    return this.#answer
  }

  async #look(): Promise<ReadyReport> {
    const checks = await Promise.all(CHECKS.map((name) => this.#check(name)))
    return { ready: checks.every(({ ok }) => ok), checks }
  }

  /** A check that has not ended is waited for again, and not begun a second time: each keeps a thread busy. */
  async #check(name: CheckName): Promise<Check> {
    const looking = this.#looking.get(name) ?? this.#begin(name)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(resolve, this.#checkMs, `no answer within ${this.#checkMs / 1000} s`)
    })
    const reason = await Promise.race([looking, late])
    clearTimeout(timer)
    return reason === undefined ? { name, ok: true } : { name, ok: false, reason }
  }

  #begin(name: CheckName): Promise<string | undefined> {
    // The message of an error may have a path. Anybody reads the reason.
    const look = this.#looks[name]
    const looking = look()
      .catch((error: unknown) => `it cannot be checked (${errno(error) ?? 'internal error'})`)
      .finally(() => this.#looking.delete(name))
    this.#looking.set(name, looking)
    return looking
  }
}
