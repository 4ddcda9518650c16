// Which requests are let in: a bounded number of uploads and deletes, of all accounts and of each, and nothing when the
// service is being stopped. And when they get to the disk.

import { tryLater } from '../errors.js'
import { Budget } from '../shares/budget.js'
import { FairTurns } from '../shares/fair-turns.js'
import { Slots } from '../shares/slots.js'
import type { Sharing } from '../store/write-body.js'
import type { RequestMiddleware } from './request-state.js'

/** Deletes under way at a time. Most of them wait for the disk. */
const MOST_DELETES = 1024
/**
 * Writes of bodies, publishes and deletes that are at the disk at a time; one account has up to four. A publish has up
 * to six system calls under way. With more of them an account would not be done sooner, and the others would wait.
 */
const DISK_TURNS = 16
/** Commands that work at a time, of different accounts. */
const COMMAND_TURNS = 4
/** Bytes of bodies that wait for the disk in memory. Beside them each body may have a piece of 64 KiB. */
const BODY_MEMORY = 12 * 2 ** 20
/** Bytes of bodies that are written and not synced. Beside them each body may have 1 MiB. */
const UNSYNCED_BYTES = 256 * 2 ** 20

export class Admission {
  /** The uploads that are being taken. */
  readonly #uploads: Slots
  /** The deletes that wait or run. They have slots of their own: who deletes makes room for uploads. */
  readonly #deletes = new Slots(MOST_DELETES)
  /** Turns at the disk. */
  readonly #disk = new FairTurns(DISK_TURNS)
  /** Turns of commands: they wait for the lock of accounts and owners, which a removal holds for long. */
  readonly #commands = new FairTurns(COMMAND_TURNS, 1)
  /** Memory for bodies. */
  readonly #memory = new Budget(BODY_MEMORY)
  /** Bytes of bodies that a sync may have to wait for. */
  readonly #unsynced = new Budget(UNSYNCED_BYTES)
  /** Requests that have no answer yet. */
  #requests = 0
  /** Set by {@link stop}. */
  #stopping = false
  /** Called when the last request ends. */
  #whenIdle = (): void => {}

  /** `most` uploads are taken at the same time. */
  constructor(most: number) {
    this.#uploads = new Slots(most)
  }

  /** Middleware that counts requests. After {@link stop} it throws a 503 for each. */
  readonly count: RequestMiddleware = async (_ctx, next) => {
    this.#mustGoOn()
    this.#requests++
    try {
      await next()
    } finally {
      this.#requests--
      if (this.#requests === 0) this.#whenIdle()
    }
  }

  /**
   * Runs one upload of `account` with what its body shares with others until it is published. Throws a 503 when too
   * many run already, of all accounts or of this one, before anything is read.
   */
  upload<T>(account: string, action: (sharing: Sharing) => Promise<T>): Promise<T> {
    return this.#inSlot(this.#uploads, 'upload', account, () => this.#share(account, action))
  }

  /**
   * Runs one delete of `account` {@link atDisk}. Throws a 503 as {@link upload} does, and after {@link stop}: a request
   * may be for many deletes.
   */
  async delete<T>(account: string, action: () => Promise<T>): Promise<T> {
    this.#mustGoOn()
    return this.#inSlot(this.#deletes, 'delete', account, () => this.atDisk(account, action))
  }

  /** Runs one command of `account` in a slot of the deletes. Its work waits for its {@link commandTurn}. */
  command<T>(account: string, action: () => Promise<T>): Promise<T> {
    return this.#inSlot(this.#deletes, 'command', account, action)
  }

  /** Runs the work of a command, one of an account at a time. It has no turn at the disk while it waits for a lock. */
  commandTurn<T>(account: string, action: () => Promise<T>): Promise<T> {
    return this.#commands.run(account, action)
  }

  /**
   * Runs `action`, which keeps the disk busy and waits for no client, when it is the turn of `account`. Only what has a
   * slot may wait for a turn: so the number of those that wait has a bound.
   */
  atDisk<T>(account: string, action: () => Promise<T>): Promise<T> {
    return this.#disk.run(account, action)
  }

  #inSlot<T>(slots: Slots, what: string, account: string, action: () => Promise<T>): Promise<T> {
    return slots.run(
      account,
      ({ of, count }) => {
        const [number, are] = count === 1 ? [`1 ${what}`, 'is'] : [`${count} ${what}s`, 'are']
        if (of === 'all') return tryLater(2, `${number} ${are} under way already`)
        return tryLater(2, `account ${account} has ${number} under way, which is its share`)
      },
      action,
    )
  }

  async #share<T>(account: string, use: (sharing: Sharing) => Promise<T>): Promise<T> {
    const memory = this.#memory.hold(account)
    const unsynced = this.#unsynced.hold(account)
    try {
      return await use({ turn: (action) => this.atDisk(account, action), memory, unsynced })
    } finally {
      memory.end()
      unsynced.end()
    }
  }

  #mustGoOn(): void {
    if (this.#stopping) throw tryLater(5, 'the service is being stopped or restarted')
  }

  /** Whether no more requests are let in. */
  get isStopping(): boolean {
    return this.#stopping
  }

  /** What is under way now. `memory` and `unsynced` are bytes of bodies. */
  get figures() {
    return {
      requests: this.#requests,
      uploads: this.#uploads.figures,
      deletes: this.#deletes.figures,
      disk: this.#disk.figures,
      commands: this.#commands.figures,
      memory: this.#memory.held,
      unsynced: this.#unsynced.held,
    }
  }

  /** Lets no more requests in. */
  stop(): void {
    this.#stopping = true
  }

  /** Resolves when every request has its answer. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenIdle = resolve
      if (this.#requests === 0) resolve()
    })
  }
}
