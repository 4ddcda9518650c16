// Whose turn it is to write to the data folder. One of several machines, which has a runtime folder of its own, stands
// by until it is its turn: what is for the service is passed on to the active one meanwhile.

import { watchLease } from '../cluster/lease.js'
import type { Config } from '../config.js'
import { isOneOfSeveral, runtimeFiles } from '../settings/runtime-files.js'
import { leasePath } from '../layout.js'
import type { Log } from '../log.js'
import { holderOf, type Lock, type Patience } from '../store/lock.js'
import { writePidFile } from '../store/pid-file.js'
import { Forwarding } from './forwarding.js'
import { lockDataFolder } from './lock-data-folder.js'
import type { ServiceManager } from './service-manager.js'
import { terminalLog, warn } from './terminal.js'
import type { Watched } from './watchdog.js'

export class Turn {
  readonly #config: Config
  readonly #manager: ServiceManager
  /** Absent where there is one machine. */
  readonly #forwarding: Forwarding | undefined
  /** Resolves when another one has the data folder, and this machine serves reads while it waits. */
  readonly standsBy: Promise<'stands by'>
  #whenWaiting: (lockFile: number) => void = () => {}

  /**
   * `connect` lets nginx's workers use the socket of what passes requests on. `prepare` is told when this machine
   * waits, and gets the open file that will have the lock.
   */
  constructor(
    config: Config,
    manager: ServiceManager,
    { connect, prepare }: { connect: () => void; prepare: (lockFile: number) => void },
  ) {
    this.#config = config
    this.#manager = manager
    if (isOneOfSeveral(config)) this.#forwarding = new Forwarding(config, connect)
    this.standsBy = new Promise((resolve) => {
      if (!this.#forwarding) return
      this.#whenWaiting = (lockFile) => {
        prepare(lockFile)
        resolve('stands by')
      }
    })
  }

  /** Whether nginx serves on this machine whoever has the data folder. */
  get mayStandBy(): boolean {
    return this.#forwarding !== undefined
  }

  get watched(): Watched[] {
    return this.#forwarding ? [this.#forwarding.watched] : []
  }

  /** The data folder's lock. From then on signals for the plinth on this folder are for this process. */
  async take(patience: Patience): Promise<Lock> {
    const log: Log = (level, event, facts) => {
      terminalLog(level, event, facts)
      if (level === 'info') void this.#manager.status(event)
    }
    let endWatch = (): void => {}
    try {
      const lock = await lockDataFolder(this.#config, log, patience, (lockFile) => {
        endWatch = this.#watchActive()
        this.#forwarding?.begin()
        this.#whenWaiting(lockFile)
      })
      await this.#forwarding?.end()
      writePidFile(runtimeFiles(this.#config.runtime).startPid)
      return lock
    } finally {
      endWatch()
    }
  }

  /** Tells when the active service hangs: it keeps the lock, and this machine cannot end it. */
  #watchActive(): () => void {
    const { data, leaseSeconds } = this.#config
    const seconds = leaseSeconds * 2 // a renewal may take almost as long as the lease holds
    return watchLease(leasePath, seconds, () =>
      warn(`the active plinth (${holderOf(data)}) shows no life for ${seconds} s: end it, or its machine`),
    )
  }

  /** Resolves when what is for the service is passed on for the first time, or cannot be. */
  async passesOn(): Promise<void> {
    await this.#forwarding?.tried
  }

  /** Passes nothing on any more, when what is under way has ended. */
  async end(): Promise<void> {
    await this.#forwarding?.stop()
  }
}
