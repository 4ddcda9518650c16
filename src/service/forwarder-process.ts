// The process that passes requests on to the active service of another machine, as a child that can be started again.

import { fork, type ChildProcess } from 'node:child_process'
import { environment, type Config } from '../config.js'
import { endingOf, says, stopChild, type Ending } from './child.js'
import { NODE_ENV, NODE_FLAGS } from './node-flags.js'
import { answersAt } from './probe.js'
import { programFile } from './program.js'
import type { Watched } from './watchdog.js'

/** How long the process may take beyond PLINTH_STOP_SECONDS before it is killed. */
const GRACE_MS = 5000
/** How long it may take to let go of the socket. */
const HAND_OVER_MS = 1000

export class ForwarderProcess {
  readonly #config: Config
  /** The socket that it answers on, absolute or below the data folder. */
  readonly #socket: string
  /** The process that was started last. */
  #child: ChildProcess | undefined
  /** Resolves when that process has ended. */
  #ended: Promise<Ending> = new Promise(() => {})
  /** When that process became ready, on the clock of `performance`; `undefined` until then, and from its end on. */
  #readyAt: number | undefined

  constructor(config: Config, socket: string) {
    this.#config = config
    this.#socket = socket
  }

  /** Starts the process. Resolves when it answers on the socket, or when it has ended before. */
  start(): Promise<'ready' | Ending> {
    const { data, stopSeconds, logLevel } = this.#config
    const child = fork(programFile('cluster/forward.js'), [this.#socket, String(stopSeconds), logLevel], {
      cwd: data,
      env: { ...NODE_ENV, ...environment() },
      execArgv: [...process.execArgv, ...NODE_FLAGS],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      detached: true,
    })
    this.#child = child
    this.#readyAt = undefined
    this.#ended = endingOf('what passes requests on', child).finally(() => {
      if (this.#child === child) this.#readyAt = undefined
    })
    const ready = says(child, 'ready').then(() => {
      this.#readyAt = performance.now()
      return 'ready' as const
    })
    return Promise.race([ready, this.#ended])
  }

  /** How long the process has answered, in ms. */
  get livedMs(): number {
    return this.#readyAt === undefined ? 0 : performance.now() - this.#readyAt
  }

  get ended(): Promise<Ending> {
    return this.#ended
  }

  /** For the watchdog. The data folder must be the working directory. */
  get watched(): Watched {
    return {
      name: 'what passes requests on',
      answers: async (ms) => this.#readyAt === undefined || (await answersAt({ path: this.#socket }, ms)),
      kill: () => void this.#child?.kill('SIGKILL'),
    }
  }

  /**
   * Gives the socket to the service of this machine, which becomes the active one. Resolves when the socket is gone.
   * Requests that are under way go on meanwhile, within PLINTH_STOP_SECONDS.
   */
  async handOver(): Promise<void> {
    const child = this.#child
    if (!child) return
    const gone = Promise.race([says(child, 'closed'), this.#ended])
    void this.stop()
    const timer = setTimeout(() => child.kill('SIGKILL'), HAND_OVER_MS) // it hangs
    await gone
    clearTimeout(timer)
  }

  /** Lets requests under way finish, within PLINTH_STOP_SECONDS. */
  async stop(): Promise<void> {
    this.#readyAt = undefined // it answers nobody from now on, and the watchdog must not take it for one that hangs
    if (this.#child) await stopChild(this.#child, 'SIGTERM', this.#config.stopSeconds * 1000 + GRACE_MS)
  }
}
