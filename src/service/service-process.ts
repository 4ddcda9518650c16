// The service as a child process, which can be started again.

import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { environment, type Config } from '../config.js'
import type { Lock } from '../store/lock.js'
import { endingOf, stopChild, type Ending } from './child.js'
import { NODE_FLAGS } from './node-flags.js'

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url))

/** How long the service may take beyond PLINTH_STOP_SECONDS before it is killed. */
const GRACE_MS = 15_000

export class ServiceProcess {
  readonly #config: Config
  /** The process that was started last. */
  #child: ChildProcess | undefined
  /** Resolves when that process has ended. */
  #ended: Promise<Ending> = new Promise(() => {})

  constructor(config: Config) {
    this.#config = config
  }

  /**
   * Starts the process with the lock as an open file, and closes ours: the lock lives exactly as long as the service.
   * Resolves when the service takes requests, or when it has ended before.
   */
  start(lock: Lock): Promise<'ready' | Ending> {
    const lockFile = lock.fd === undefined ? [] : [lock.fd]
    const child = fork(MAIN, ['locked'], {
      env: { ...environment(), PLINTH_DATA: this.#config.data },
      execArgv: [...process.execArgv, ...NODE_FLAGS],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...lockFile],
      detached: true,
    })
    lock.release()
    this.#child = child
    this.#ended = endingOf('the service', child)
    const ready = new Promise<'ready'>((resolve) => child.once('message', () => resolve('ready')))
    return Promise.race([ready, this.#ended])
  }

  get ended(): Promise<Ending> {
    return this.#ended
  }

  /** Lets uploads and deletes in flight finish, within PLINTH_STOP_SECONDS. */
  async stop(): Promise<void> {
    if (this.#child) await stopChild(this.#child, 'SIGTERM', this.#config.stopSeconds * 1000 + GRACE_MS)
  }
}
