// Runs nginx and the service side by side. nginx serves whether the service runs or not. Each is started again when it
// has ended, and the service on SIGUSR2. Both are brought down by a signal, by a first start that fails, and when
// another plinth has taken the data folder. One of several machines stands by instead, and its nginx serves meanwhile.

import type { Config } from '../config.js'
import { messageOf } from '../errors.js'
import { folders } from '../layout.js'
import { runtimeFiles } from '../settings/runtime-files.js'
import { isEmptyFolder } from '../store/data-folder.js'
import { FolderIsHeld, type Lock } from '../store/lock.js'
import { removePidFile } from '../store/pid-file.js'
import { claimRuntimeFolder } from '../store/runtime-folder.js'
import { makeFirstAccount, makeRoom } from './bring-up.js'
import type { Ending } from './child.js'
import { mustBeOnGoodFilesystem } from './lock-data-folder.js'
import { NginxProcess } from './nginx-process.js'
import { reloadCertificate } from './reload-certificate.js'
import { RestartDelay } from './restart-delay.js'
import type { ServiceManager } from './service-manager.js'
import { ServiceProcess } from './service-process.js'
import type { Signals } from './signals.js'
import { complain, say, servedAt, tellEnding, warn } from './terminal.js'
import { untilTreeIsWhole } from './whole-tree.js'
import { Turn } from './turn.js'
import { startWatchdog } from './watchdog.js'

/** What is awaited by nobody when both are being brought down. */
const forever = new Promise<never>(() => {})

export class Supervisor {
  readonly #config: Config
  readonly #signals: Signals
  readonly #manager: ServiceManager
  readonly #service: ServiceProcess
  readonly #nginx: NginxProcess
  readonly #turn: Turn
  /** The lock that is waited for since the start, while this machine stands by. */
  #awaited: Promise<Lock> | undefined
  /** Whether both are being brought down: nothing is started any more. */
  #over = false
  /** Whether the data folder has accounts, and nginx's workers were let in, by this process. */
  #isSettled = false
  /** Whether SIGUSR2 asked for a restart: another version may be there, and knows what nginx is to serve of it. */
  #nginxIsDue = false
  /** Ends the wait before the service is started again. */
  #startService = (): void => {}

  constructor(config: Config, signals: Signals, manager: ServiceManager) {
    this.#config = config
    this.#signals = signals
    this.#manager = manager
    this.#service = new ServiceProcess(config)
    this.#nginx = new NginxProcess(config)
    this.#turn = new Turn(config, manager, {
      connect: () => this.#nginx.connect(),
      prepare: (lockFile) => this.#service.prepare(lockFile),
    })
  }

  /** Resolves when both are down again. The data folder must be the working directory. */
  async run(): Promise<Ending> {
    let endWatchdog = (): void => {}
    try {
      const early = await this.#bringUp()
      if (early !== 'ready') return early
      void this.#manager.ready(this.#serving)
      const watched = [this.#service.watched, this.#nginx.watched, ...this.#turn.watched]
      endWatchdog = startWatchdog(this.#manager, watched)
      this.#signals.onReload(() => reloadCertificate(this.#config, this.#nginx, this.#manager, this.#serving))
      const ending = await Promise.race([this.#signals.stop, this.#keepService(), this.#keepNginx()])
      tellEnding(ending)
      return ending
    } finally {
      this.#over = true
      endWatchdog()
      void this.#manager.stopping()
      await Promise.all([this.#service.stop(), this.#turn.end()]) // reads go on until the last write is done
      await (this.#service.isFenced ? this.#nginx.kill() : this.#nginx.stop())
      removePidFile(runtimeFiles(this.#config.runtime).startPid)
    }
  }

  get #serving(): string {
    return `serving ${this.#config.data} at ${servedAt(this.#config)}`
  }

  /** Starts both for the first time, or nginx alone while another machine is active. */
  async #bringUp(): Promise<'ready' | Ending> {
    const { stop } = this.#signals
    await claimRuntimeFolder(this.#config.runtime)
    if (this.#turn.mayStandBy) {
      await mustBeOnGoodFilesystem(this.#config, warn) // a takeover is not to wait for that
      await makeRoom(this.#config, stop)
    }
    this.#awaited = this.#turn.take('for nobody')
    this.#awaited.catch(() => {}) // whoever awaits it hears of it
    const turn = await Promise.race([this.#awaited, stop, this.#turn.standsBy])
    // Who is active may end before it has recovered, and then it is this machine that recovers.
    const lock = turn === 'stands by' ? await untilTreeIsWhole<Lock | Ending>(this.#awaited, stop) : turn
    if (lock === 'whole') return this.#standBy()
    this.#awaited = undefined
    if ('code' in lock) return lock
    if (!this.#turn.mayStandBy) await makeRoom(this.#config, stop)
    await this.#settleIn()
    // After a power cut, files of operations in the journal may be torn. Nobody reads them before the service has
    // recovered. Without such operations the tree needs no service.
    const torn = !isEmptyFolder(folders.journal)
    if (!torn) warn(await this.#nginx.start())
    const service = await Promise.race([this.#service.start(lock), stop])
    if (service !== 'ready') return service
    if (torn) warn(await this.#nginx.start())
    this.#nginx.connect()
    return this.#untilServing()
  }

  /** Starts nginx while the service of another machine has the data folder, in which nothing is changed here. */
  async #standBy(): Promise<'ready' | Ending> {
    warn(await this.#nginx.start({ mayChange: false }))
    await Promise.race([this.#turn.passesOn(), this.#signals.stop])
    this.#nginx.connect()
    return this.#untilServing()
  }

  /** Makes the first account, and lets nginx read what is not public, once; the process has the lock. */
  async #settleIn(): Promise<void> {
    if (this.#isSettled) return
    await makeFirstAccount(this.#config, !this.#manager.isThere) // what a service manager reads is kept
    await this.#nginx.admit()
    this.#isSettled = true
  }

  async #untilServing(): Promise<'ready' | Ending> {
    const nginx = await this.#nginx.listening(this.#signals.stop)
    if (nginx === 'ready') say(this.#serving)
    else tellEnding(nginx)
    return nginx
  }

  /**
   * Starts the service again whenever it has ended and whenever SIGUSR2 asks for it. Resolves with the reason to end:
   * another plinth has the data folder.
   */
  async #keepService(): Promise<Ending> {
    const delay = new RestartDelay()
    if (this.#awaited && !(await this.#takeOver(this.#awaited))) return forever
    for (;;) {
      const event = await Promise.race([this.#signals.restart, this.#service.ended])
      if (this.#over) return forever
      if (this.#service.isFenced && event !== 'restart') return event
      if (event === 'restart') say('restarting the service; nginx goes on serving')
      const asked =
        event === 'restart' || (await this.#pause(event.reason, delay.after(this.#service.livedMs)))
      if (asked) {
        delay.reset()
        this.#nginxIsDue = true
      }
      if (this.#over) return forever
      this.#signals.awaitNextRestart() // a SIGUSR2 that comes from now on asks for another restart
      await this.#service.stop()
      try {
        if (await this.#startServiceAgain()) say('the service runs again')
      } catch (error) {
        if (error instanceof FolderIsHeld) return { code: 1, reason: error.message }
        this.#service.failed(messageOf(error))
      }
    }
  }

  /** Starts the service for the first time, when this machine gets the lock. Resolves whether it ever does. */
  async #takeOver(awaited: Promise<Lock>): Promise<boolean> {
    try {
      if (await this.#startWith(await this.#taken(awaited))) say('the service runs here now')
      else if (this.#over) return false
    } catch (error) {
      this.#service.failed(messageOf(error))
    }
    return true
  }

  /** Waits for `ms` after the service has ended, or less when SIGUSR2 asks for the service. Resolves whether it did. */
  async #pause(reason: string, ms: number): Promise<boolean> {
    complain(`${reason}; nginx goes on serving, and the service is started again in ${ms / 1000} s`)
    let timer: NodeJS.Timeout | undefined
    const pause = new Promise<void>((resolve) => {
      this.#startService = resolve
      timer = setTimeout(resolve, ms)
    })
    const event = await Promise.race([pause, this.#signals.restart, this.#signals.stop])
    clearTimeout(timer)
    return event === 'restart'
  }

  /** Whether the service runs again. Throws a {@link FolderIsHeld} when another plinth has the data folder. */
  async #startServiceAgain(): Promise<boolean> {
    // A command that works on the folder meanwhile ends some time, and no plinth has taken the folder then.
    const runs = await this.#startWith(await this.#taken(this.#turn.take('for commands')))
    if (runs && this.#nginxIsDue) this.#nginx.reloadWritten()
    this.#nginxIsDue &&= !runs
    return runs
  }

  /** The lock, when it comes. A SIGUSR2 is for what waits until then, where machines take turns. */
  async #taken(lock: Promise<Lock>): Promise<Lock> {
    while (this.#turn.mayStandBy) {
      const event = await Promise.race([lock, this.#signals.restart])
      this.#signals.awaitNextRestart()
      if (event !== 'restart') break
      this.#nginxIsDue = true
      this.#service.dropPrepared()
      say('the next service will be of the program that is there now')
    }
    return lock
  }

  /** Whether the service has started. */
  async #startWith(lock: Lock): Promise<boolean> {
    try {
      if (!this.#over) await this.#settleIn()
    } catch (error) {
      this.#service.dropPrepared() // it has the lock, too
      lock.release()
      throw error
    }
    if (this.#over) lock.release()
    if (this.#over || (await this.#service.start(lock, this.#nginxIsDue)) !== 'ready') return false
    this.#nginx.connect()
    return true
  }

  /** Starts nginx again whenever it has ended. */
  async #keepNginx(): Promise<never> {
    const delay = new RestartDelay(0)
    for (;;) {
      const { reason } = await this.#nginx.ended
      const ms = delay.after(this.#nginx.livedMs)
      if (this.#over) return forever
      complain(`${reason}; it is started again${ms > 0 ? ` in ${ms / 1000} s` : ''}`)
      this.#nginx.endWorkers()
      await new Promise((resolve) => setTimeout(resolve, ms))
      if (!this.#turn.mayStandBy) {
        // Without the data folder's lock, another plinth of this machine may be about to listen at the same address.
        this.#startService()
        await this.#service.running()
      }
      if (this.#over) return forever
      await this.#nginx.startAgain({ mayChange: this.#service.isRunning })
      if ((await this.#nginx.listening(this.#signals.stop)) === 'ready') say('nginx runs again')
    }
  }
}
