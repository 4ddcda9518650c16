// Runs nginx and the service side by side. nginx serves whether the service runs or not. Each is started again when it
// has ended, and the service on SIGUSR2. Both are brought down by a signal, by a first start that fails, and when
// another plinth has taken the data folder.

import { firstRun } from '../access/first-run.js'
import { AuditLog } from '../audit/audit-log.js'
import { auditLogOf } from '../audit/where.js'
import type { Config } from '../config.js'
import { messageOf } from '../errors.js'
import { folders, startPidPath } from '../layout.js'
import { checkTls } from '../nginx/certificate.js'
import { mustBeListenable } from '../nginx/listen.js'
import { endLeftNginx } from '../nginx/process.js'
import { isEmptyFolder } from '../store/data-folder.js'
import { FolderIsHeld, type Lock, type Patience } from '../store/lock.js'
import { removePidFile, writePidFile } from '../store/pid-file.js'
import type { Ending } from './child.js'
import { lockDataFolder } from './lock-data-folder.js'
import { NginxProcess } from './nginx-process.js'
import { RestartDelay } from './restart-delay.js'
import type { ServiceManager } from './service-manager.js'
import { ServiceProcess } from './service-process.js'
import type { Signals } from './signals.js'
import { complain, say, servedAt, tellFirstRun, terminalLog, warn } from './terminal.js'
import { startWatchdog } from './watchdog.js'

/** What is awaited by nobody when both are being brought down. */
const forever = new Promise<never>(() => {})

function tellEnding({ code, reason }: Ending): void {
  if (code === 0) say(reason)
  else complain(reason)
}

export class Supervisor {
  readonly #config: Config
  readonly #signals: Signals
  readonly #manager: ServiceManager
  readonly #service: ServiceProcess
  readonly #nginx: NginxProcess
  /** Whether both are being brought down: nothing is started any more. */
  #over = false
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
  }

  /** Resolves when both are down again. The data folder must be the working directory. */
  async run(): Promise<Ending> {
    let endWatchdog = (): void => {}
    try {
      const early = await this.#bringUp()
      if (early !== 'ready') return early
      void this.#manager.ready(this.#serving)
      endWatchdog = startWatchdog(this.#manager, [this.#service.watched, this.#nginx.watched])
      this.#signals.onReload(() => this.#reload())
      const ending = await Promise.race([this.#signals.stop, this.#keepService(), this.#keepNginx()])
      tellEnding(ending)
      return ending
    } finally {
      this.#over = true
      endWatchdog()
      void this.#manager.stopping()
      await this.#service.stop() // reads go on until the last write is done
      await this.#nginx.stop()
      removePidFile(startPidPath)
    }
  }

  get #serving(): string {
    return `serving ${this.#config.data} at ${servedAt(this.#config)}`
  }

  /** Lets nginx load the certificate again. One that is not good is left aside. */
  async #reload(): Promise<void> {
    await this.#manager.reloading()
    let status = this.#serving
    try {
      warn(checkTls(this.#config))
      this.#nginx.reload()
      say('nginx loads the certificate again')
    } catch (error) {
      status = `cannot load again, and goes on with what was loaded: ${messageOf(error)}`
      complain(status)
    }
    await this.#manager.ready(status)
  }

  /** Starts both for the first time. */
  async #bringUp(): Promise<'ready' | Ending> {
    const { stop } = this.#signals
    const lock = await Promise.race([this.#lock('for nobody'), stop])
    if ('code' in lock) return lock
    await Promise.race([endLeftNginx(this.#config, say), stop])
    await mustBeListenable(this.#config)
    const audit = new AuditLog(auditLogOf(this.#config), terminalLog)
    audit.mustOpen()
    // What a service manager reads is kept: no token goes there.
    const { token, warning } = await firstRun(this.#config, { mayShowToken: !this.#manager.isThere, audit })
    // The token is shown at once: whatever happens after this line, it was seen.
    if (token !== undefined) tellFirstRun(token, this.#config)
    warn(warning)
    // After a power cut, files of operations in the journal may be torn. Nobody reads them before the service has
    // recovered. Without such operations the tree needs no service.
    const torn = !isEmptyFolder(folders.journal)
    if (!torn) warn(await this.#nginx.start())
    const service = await Promise.race([this.#service.start(lock), stop])
    if (service !== 'ready') return service
    if (torn) warn(await this.#nginx.start())
    this.#nginx.connect()
    const nginx = await this.#nginx.listening(stop)
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
    for (;;) {
      const event = await Promise.race([this.#signals.restart, this.#service.ended])
      if (this.#over) return forever
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
    const lock = await this.#lock('for commands')
    if (this.#over) lock.release()
    if (this.#over || (await this.#service.start(lock, this.#nginxIsDue)) !== 'ready') return false
    if (this.#nginxIsDue) this.#nginx.reloadWritten()
    this.#nginxIsDue = false
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
      // Without the data folder's lock, another plinth of this machine may be about to listen at the same address.
      this.#startService()
      await this.#service.running()
      if (this.#over) return forever
      await this.#nginx.startAgain()
      if ((await this.#nginx.listening(this.#signals.stop)) === 'ready') say('nginx runs again')
    }
  }

  /** The data folder's lock. From then on signals for the plinth on this folder are for this process. */
  async #lock(patience: Patience): Promise<Lock> {
    const lock = await lockDataFolder(
      this.#config,
      (level, event, facts) => {
        terminalLog(level, event, facts)
        if (level === 'info') void this.#manager.status(event)
      },
      patience,
    )
    writePidFile(startPidPath)
    return lock
  }
}
