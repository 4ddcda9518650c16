// Passes requests for the service on to the active one of another machine, for as long as this machine stands by. What
// passes them on is a process of its own: nothing that a client sends may end nginx or the wait for the lock.

import type { Config } from '../config.js'
import { inTime } from '../shares/in-time.js'
import { runtimeFiles } from '../settings/runtime-files.js'
import { ForwarderProcess } from './forwarder-process.js'
import { RestartDelay } from './restart-delay.js'
import { complain } from './terminal.js'
import type { Watched } from './watchdog.js'

export class Forwarding {
  readonly #process: ForwarderProcess
  /** Lets nginx's workers use the socket, which has just been made. */
  readonly #connect: () => void
  /** Resolves when nothing is passed on any more; `undefined` when nothing is. */
  #passing: Promise<void> | undefined
  #end = (): void => {}
  /** Resolves when the process passes requests on for the first time, or has not come to it. */
  readonly tried: Promise<void>
  #hasTried = (): void => {}

  constructor(config: Config, connect: () => void) {
    this.#process = new ForwarderProcess(config, runtimeFiles(config.runtime).socket)
    this.#connect = connect
    this.tried = new Promise((resolve) => (this.#hasTried = resolve))
  }

  get watched(): Watched {
    return this.#process.watched
  }

  /** Passes requests on from now on. Does nothing when they are. */
  begin(): void {
    if (this.#passing) return
    const ended = new Promise<'over'>((resolve) => (this.#end = () => resolve('over')))
    this.#passing = this.#keep(ended)
  }

  /** Gives the socket to the service of this machine, and resolves when it is free. */
  async end(): Promise<void> {
    this.#end()
    await this.#passing
    this.#passing = undefined
  }

  /** Passes nothing more on, and lets what is under way finish, within PLINTH_STOP_SECONDS. */
  async stop(): Promise<void> {
    if (!this.#passing) return
    await this.end()
    await this.#process.ended
  }

  /** Starts the process again whenever it has ended, until `over`. */
  async #keep(over: Promise<'over'>): Promise<void> {
    const delay = new RestartDelay()
    for (;;) {
      const started = await Promise.race([this.#process.start(), over])
      if (started === 'ready') this.#connect()
      this.#hasTried()
      const event = started === 'over' ? started : await Promise.race([this.#process.ended, over])
      if (event === 'over') return this.#process.handOver()
      const ms = delay.after(this.#process.livedMs)
      complain(
        `${event.reason}; uploads of this machine are refused, and it is started again in ${ms / 1000} s`,
      )
      if ((await inTime(ms, 'paused', over)) === 'over') return
    }
  }
}
