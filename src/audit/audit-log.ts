// The audit log: who changed what, from where, and with which result. A change is a line of JSON in a file that this
// program only appends to. Whoever rotates it may rename it at any moment: it is opened for each line.

import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs'
import { errno, messageOf, StartProblem } from '../errors.js'
import { logLine, type Log, type LogFields } from '../log.js'

/** What was changed. `login`: credentials were wrong. */
type AuditKind = 'publish' | 'delete' | 'account' | 'owner' | 'login'

/** A change without who made it: of the package `what` of `owner`, or of an account or owner. */
export type AuditedChange = {
  kind: AuditKind
  /** What was done to an account or owner: `add`, `set`, `rotate`, `remove`. */
  action?: string
  owner?: string | undefined
  what?: string | undefined
  /** The rights that an account has got, as `write:team,read:secret`, and when it expires. */
  rights?: string
  expires?: string
}

/** Who: an account, or `by` when it is none: `local user 1000`, `drop folder`. `id` is the request's. */
export type AuditedBy = {
  account?: string | undefined
  claimed?: string | undefined
  by?: string
  address?: string
  id?: string
}

/** `refused`: the one who asked was at fault. `failed`: this machine was. `unchanged`: it was so before. */
type AuditResult = 'done' | 'unchanged' | 'refused' | 'failed'

export type AuditedEnd = { result: AuditResult; status?: number; reason?: string | undefined }

type AuditEntry = AuditedChange & AuditedBy & AuditedEnd

/** Characters of a reason: a line is a few kB at most. */
const MAX_REASON_CHARS = 256
/** Lines a minute for wrong credentials, of all clients together: anybody can send some. */
const MOST_LOGINS = 60
const MINUTE_MS = 60_000
/** Other users of the machine do not read it; its group may. */
const MODE = 0o640

export class AuditLog {
  /** Absolute; `undefined`: there is no audit log, and nothing is done. */
  readonly #path: string | undefined
  readonly #log: Log
  /** Lines that could not be written since the last one that was. */
  #lost = 0
  /** Wrong credentials of this minute, which began at `since` on the clock of `performance`. */
  #logins = { since: -Infinity, count: 0 }
  /** Whether the file may end in a part of a line. */
  #torn = false

  constructor(path: string | undefined, log: Log) {
    this.#path = path
    this.#log = log
  }

  /** Throws a {@link StartProblem} when no line could be written: before anything is changed. */
  mustOpen(): void {
    if (this.#path === undefined) return
    try {
      closeSync(open(this.#path))
    } catch (error) {
      const why = errno(error) ?? messageOf(error)
      throw new StartProblem(`PLINTH_AUDIT_LOG: ${this.#path} cannot be opened to append: ${why}`)
    }
  }

  /**
   * Appends a line, in one write. Throws nothing: the change is made by then. A line that cannot be written goes to the
   * service's log, and the next line tells how many are missing. Of wrong credentials MOST_LOGINS a minute have a line,
   * and a later one tells how many more there were.
   */
  record(entry: AuditEntry): void {
    if (this.#path === undefined) return
    const fields: LogFields = { ...entry, reason: entry.reason?.slice(0, MAX_REASON_CHARS) }
    try {
      if (entry.kind === 'login' && !this.#isLoginTold(this.#path)) return
      if (this.#lost > 0) {
        this.#append(this.#path, { level: 'error', event: 'audit', kind: 'gap', lost: this.#lost })
        this.#lost = 0
      }
      this.#append(this.#path, { level: 'info', event: 'audit', ...fields })
    } catch (error) {
      this.#lost++
      this.#log('error', 'audit line lost', { problem: messageOf(error), ...fields })
    }
  }

  #isLoginTold(path: string): boolean {
    const now = performance.now()
    if (now - this.#logins.since >= MINUTE_MS) {
      const lost = this.#logins.count - MOST_LOGINS
      this.#logins = { since: now, count: 0 }
      const reason = `wrong credentials: ${MOST_LOGINS} a minute have a line`
      if (lost > 0) this.#append(path, { level: 'info', event: 'audit', kind: 'gap', lost, reason })
    }
    return ++this.#logins.count <= MOST_LOGINS
  }

  #append(path: string, fields: LogFields): void {
    const fd = open(path)
    try {
      const line = Buffer.from(`${this.#torn ? '\n' : ''}${logLine(fields)}`)
      this.#torn = true
      if (writeSync(fd, line) < line.length) throw new Error('there was room for a part of the line only')
      this.#torn = false
    } finally {
      closeSync(fd)
    }
  }
}

// Neither a link nor a pipe: the one could lead anywhere, the other could be read by nobody.
function open(path: string): number {
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants
  const fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, MODE)
  if (fstatSync(fd).isFile()) return fd
  closeSync(fd)
  throw new Error('it is not a file')
}
