// The service as a child process, which can be started again.

import { fork, type ChildProcess } from 'node:child_process'
import { environment, type Config } from '../config.js'
import { runtimeFiles } from '../settings/runtime-files.js'
import type { Lock } from '../store/lock.js'
import { endingOf, killChild, says, stopChild, type Ending } from './child.js'
import { NODE_ENV, NODE_FLAGS } from './node-flags.js'
import { answersAt } from './probe.js'
import { programFile } from './program.js'
import type { Watched } from './watchdog.js'

/** How long the service may take beyond PLINTH_STOP_SECONDS before it is killed. */
const GRACE_MS = 15_000

export class ServiceProcess {
  readonly #config: Config
  /** The process that was started last. */
  #child: ChildProcess | undefined
  /** A process that waits to be the next one. */
  #prepared: ChildProcess | undefined
  /** Resolves when that process has ended. */
  #ended: Promise<Ending> = new Promise(() => {})
  /** Whether that process runs, and so holds the lock. */
  #running = false
  /** When that process became ready, on the clock of `performance`; `undefined` until then. */
  #readyAt: number | undefined
  /** Whether a process was cut off from the data folder, and may hang. */
  #isFenced = false
  /** Those who wait for a process that runs. */
  #waiting: (() => void)[] = []

  constructor(config: Config) {
    this.#config = config
  }

  /**
   * Starts the process with the lock as an open file, and closes ours: the lock lives exactly as long as the service.
   * Resolves when the service takes requests, or when it has ended before. With `writesNginx` it writes what nginx
   * reads before it is ready: the program may be of another version than this one.
   */
  start(lock: Lock, writesNginx = false): Promise<'ready' | Ending> {
    const child = this.#takePrepared() ?? this.#fork(writesNginx ? ['writes-nginx'] : [], lock.fd)
    lock.release()
    this.#child = child
    this.#running = true
    this.#readyAt = undefined
    for (const go of this.#waiting.splice(0)) go()
    const ended = endingOf('the service', child).finally(() => (this.#running = false))
    const fenced = says(child, 'fenced').then((): Ending => {
      this.#isFenced = true
      return { code: 1, reason: 'the service was cut off from the data folder' }
    })
    this.#ended = Promise.race([ended, fenced])
    const ready = says(child, 'ready').then(() => {
      this.#readyAt = performance.now()
      return 'ready' as const
    })
    return Promise.race([ready, this.#ended])
  }

  /**
   * Loads the program in a process that waits for {@link start}, so that a takeover need not wait for that. `lockFile`
   * is the open file that will have the lock.
   */
  prepare(lockFile: number): void {
    const child = this.#fork(['waits'], lockFile)
    this.#prepared = child
    void endingOf('the waiting service', child).then(() => {
      if (this.#prepared === child) this.#prepared = undefined
    })
  }

  /** Ends the process that waits: another program may be there by now. */
  dropPrepared(): void {
    this.#prepared?.kill('SIGKILL')
    this.#prepared = undefined
  }

  /** The process that waits, which is told to go on; `undefined` when there is none. */
  #takePrepared(): ChildProcess | undefined {
    const child = this.#prepared
    this.#prepared = undefined
    child?.send('start')
    return child
  }

  #fork(more: readonly string[], lockFile: number | undefined): ChildProcess {
    return fork(programFile('main.js'), ['locked', ...more], {
      env: { ...NODE_ENV, ...environment(), PLINTH_DATA: this.#config.data },
      execArgv: [...process.execArgv, ...NODE_FLAGS],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...(lockFile === undefined ? [] : [lockFile])],
      detached: true,
    })
  }

  /** Tells that the process could not even be started. */
  failed(reason: string): void {
    this.#readyAt = undefined
    this.#ended = Promise.resolve({ code: 1, reason: `the service cannot be started: ${reason}` })
  }

  /** Resolves when a process runs, at once when one does. */
  running(): Promise<void> {
    return this.#running ? Promise.resolve() : new Promise((resolve) => void this.#waiting.push(resolve))
  }

  /** Whether the process runs, and so has the data folder's lock. */
  get isRunning(): boolean {
    return this.#running
  }

  /** How long the process has taken requests, in ms. */
  get livedMs(): number {
    return this.#readyAt === undefined ? 0 : performance.now() - this.#readyAt
  }

  /** For the watchdog. The data folder must be the working directory. A start takes as long as it takes. */
  get watched(): Watched {
    return {
      name: 'the service',
      answers: async (ms) =>
        !this.#running ||
        this.#readyAt === undefined ||
        (await answersAt({ path: runtimeFiles(this.#config.runtime).socket }, ms)),
      kill: () => void this.#child?.kill('SIGKILL'),
    }
  }

  get ended(): Promise<Ending> {
    return this.#ended
  }

  /** Whether the last process was cut off from the data folder. What hangs there can only be killed. */
  get isFenced(): boolean {
    return this.#isFenced
  }

  /** Lets uploads and deletes in flight finish, within PLINTH_STOP_SECONDS. */
  async stop(): Promise<void> {
    this.#readyAt = undefined // it answers nobody from now on, and the watchdog must not take it for one that hangs
    this.dropPrepared()
    if (!this.#child) return
    if (this.#isFenced) await killChild(this.#child)
    else await stopChild(this.#child, 'SIGTERM', this.#config.stopSeconds * 1000 + GRACE_MS)
  }
}
