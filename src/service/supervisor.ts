// Runs the service and nginx side by side: brings both up, restarts the service on SIGUSR2, and brings both down when
// a signal says so or when either has ended.

import type { ChildProcess } from 'node:child_process'
import { firstRun } from '../access/first-run.js'
import type { Config } from '../config.js'
import { planNginx, type NginxPlan } from '../nginx/configure.js'
import { mustBeListenable, untilListening } from '../nginx/listen.js'
import { endLeftNginx, letWorkersWrite, signalGroup, startNginx } from '../nginx/process.js'
import type { Lock } from '../store/lock.js'
import { endingOf, stopChild, type Ending } from './child.js'
import { lockDataFolder } from './lock-data-folder.js'
import { ServiceProcess } from './service-process.js'
import type { Signals } from './signals.js'
import { complain, say, tellFirstRun, terminalLog, urlOf, warn } from './terminal.js'

/** How long nginx may go on with downloads in flight before it is killed. */
const NGINX_GRACE_MS = 10_000

/** A running nginx, with what it was started by. */
type Nginx = { child: ChildProcess; plan: NginxPlan; ended: Promise<Ending> }

export class Supervisor {
  readonly #config: Config
  readonly #signals: Signals
  readonly #service: ServiceProcess

  constructor(config: Config, signals: Signals) {
    this.#config = config
    this.#signals = signals
    this.#service = new ServiceProcess(config)
  }

  /** Resolves when both are down again. The data folder must be the working directory. */
  async run(): Promise<Ending> {
    const early = await this.#bringUpService()
    if (early !== 'ready') {
      await this.#service.stop()
      return early
    }
    const nginx = await this.#bringUpNginx()
    const ending = await this.#untilEnding(nginx)
    if (ending.code === 0) say(ending.reason)
    else complain(ending.reason)
    await this.#service.stop() // reads go on until the last write is done
    await stopChild(nginx.child, 'SIGQUIT', NGINX_GRACE_MS)
    if (nginx.child.pid !== undefined) signalGroup(nginx.child.pid, 'SIGTERM')
    return ending
  }

  async #bringUpService(): Promise<'ready' | Ending> {
    const lock = await this.#lock()
    if ('code' in lock) return lock
    await Promise.race([endLeftNginx(this.#config, say), this.#signals.stop])
    await mustBeListenable(this.#config)
    const { token, warning } = await firstRun(this.#config)
    // The token is shown at once: whatever happens after this line, it was seen.
    if (token !== undefined) tellFirstRun(token, this.#config)
    warn(warning)
    return this.#startService(lock)
  }

  async #bringUpNginx(): Promise<Nginx> {
    const plan = planNginx(this.#config)
    warn(plan.warning)
    const child = startNginx(this.#config, plan)
    const ended = endingOf('nginx', child)
    const over = new AbortController()
    void Promise.race([this.#signals.stop, this.#service.ended, ended]).then(() => over.abort())
    await untilListening(this.#config, over.signal)
    if (!over.signal.aborted) say(`serving ${this.#config.data} at ${urlOf(this.#config)}`)
    return { child, plan, ended }
  }

  /** Restarts the service as often as SIGUSR2 asks for it. Resolves with the reason to bring both down. */
  async #untilEnding(nginx: Nginx): Promise<Ending> {
    for (;;) {
      const { stop, restart } = this.#signals
      const event = await Promise.race([stop, this.#service.ended, nginx.ended, restart])
      if (event !== 'restart') return event
      const outcome = await this.#restartService(nginx)
      if (outcome !== 'ready') return outcome
    }
  }

  /** Ends the service and starts it anew, as it is on the disk now. nginx serves meanwhile. */
  async #restartService({ plan }: Nginx): Promise<'ready' | Ending> {
    this.#signals.awaitNextRestart() // a SIGUSR2 that comes during this restart asks for another one
    say('restarting the service; nginx goes on serving')
    await this.#service.stop()
    const lock = await this.#lock()
    if ('code' in lock) return lock
    const outcome = await this.#startService(lock)
    if (outcome !== 'ready') return outcome
    letWorkersWrite(this.#config, plan)
    say('the service runs again')
    return 'ready'
  }

  /** The data folder's lock, or the reason to end while waiting for it. */
  #lock(): Promise<Lock | Ending> {
    return Promise.race([lockDataFolder(this.#config, terminalLog), this.#signals.stop])
  }

  #startService(lock: Lock): Promise<'ready' | Ending> {
    return Promise.race([this.#service.start(lock), this.#signals.stop])
  }
}
