// nginx as a child process, which can be started again.

import type { ChildProcess } from 'node:child_process'
import type { Config } from '../config.js'
import { messageOf } from '../errors.js'
import { planNginx, writtenConfiguration, type NginxPlan } from '../nginx/configure.js'
import { clearLeftSockets } from '../nginx/left-socket.js'
import { reachedAt, untilListening } from '../nginx/listen.js'
import { letWorkersWrite, signalGroup, startNginx } from '../nginx/process.js'
import { letWorkersRead } from '../nginx/workers.js'
import { endingOf, killChild, stopChild, type Ending } from './child.js'
import { answersAt } from './probe.js'
import type { Watched } from './watchdog.js'

/** How long nginx may go on with downloads in flight before they are cut off. */
const GRACE_MS = 10_000

export class NginxProcess {
  readonly #config: Config
  /** The process that was started last. */
  #child: ChildProcess | undefined
  /** What it was started with. */
  #plan: NginxPlan | undefined
  /** Whether a service of a later version has written the configuration: it knows what that version serves. */
  #isWrittenElsewhere = false
  /** What it loaded last. */
  #loaded = ''
  /** When it was started, on the clock of `performance`. */
  #begun = 0
  /** Resolves when that process has ended. */
  #ended: Promise<Ending> = new Promise(() => {})
  /** Set by {@link stop}: no process is started any more. */
  #stopped = false

  constructor(config: Config) {
    this.#config = config
  }

  /**
   * Writes the configuration and starts the process. Returns a warning for the operator, if there is one. Throws a
   * StartProblem when there is no nginx. Without the data folder's lock nothing in it may be changed (`mayChange`).
   */
  async start({ mayChange = true } = {}): Promise<string | undefined> {
    if (!this.#plan || !this.#isWrittenElsewhere) this.#plan = await planNginx(this.#config)
    if (mayChange) await this.admit()
    if (this.#stopped) return undefined
    this.#loaded = writtenConfiguration(this.#config)
    this.#child = startNginx(this.#config, this.#plan)
    this.#begun = performance.now()
    this.#ended = endingOf('nginx', this.#child)
    return this.#plan.warning
  }

  /** Lets the workers read what is not public. The process must hold the data folder's lock. */
  async admit(): Promise<void> {
    if (this.#plan?.user) await letWorkersRead(this.#config, this.#plan.user)
  }

  /** {@link start}, for an nginx that ran before. A failure is an ending like any other. */
  async startAgain(how?: { mayChange: boolean }): Promise<void> {
    try {
      await clearLeftSockets(this.#config)
      await this.start(how)
    } catch (error) {
      this.#begun = performance.now()
      this.#ended = Promise.resolve({ code: 1, reason: `nginx cannot be started: ${messageOf(error)}` })
    }
  }

  /**
   * Lets nginx load its configuration and the certificate again. Requests go on. What nginx cannot load it names in its
   * log, and goes on with what it has.
   */
  reload(): void {
    if (this.#isRunning) this.#child?.kill('SIGHUP')
  }

  /**
   * {@link reload} where the service, which may be of another version, has written another configuration than nginx has
   * loaded. This process does not write its own over it.
   */
  reloadWritten(): void {
    if (writtenConfiguration(this.#config) === this.#loaded) return
    this.#isWrittenElsewhere = true
    this.#loaded = writtenConfiguration(this.#config)
    this.reload()
  }

  get #isRunning(): boolean {
    return this.#child?.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** For the watchdog. A master that is killed leaves its workers: the next start ends those. */
  get watched(): Watched {
    return {
      name: 'nginx',
      answers: async (ms) => !this.#isRunning || (await answersAt(reachedAt(this.#config), ms)),
      kill: () => void (this.#child?.pid && signalGroup(this.#child.pid, 'SIGKILL')),
    }
  }

  /** Resolves when nginx accepts connections. Resolves with the reason when it has ended, or with that of `stop`. */
  async listening(stop: Promise<Ending>): Promise<'ready' | Ending> {
    const over = new AbortController()
    const ending = Promise.race([stop, this.#ended])
    void ending.then(() => over.abort())
    await untilListening(this.#config, over.signal)
    return over.signal.aborted ? ending : 'ready'
  }

  get ended(): Promise<Ending> {
    return this.#ended
  }

  /** How long the process has run, in ms. */
  get livedMs(): number {
    return performance.now() - this.#begun
  }

  /** Lets the workers use the socket of the service. Call it whenever the service has made a new one. */
  connect(): void {
    if (this.#plan) letWorkersWrite(this.#config, this.#plan)
  }

  /** Takes the port from the workers of a master that was killed. They may finish their downloads for a while. */
  endWorkers(): void {
    const group = this.#child?.pid
    if (group === undefined) return
    signalGroup(group, 'SIGQUIT')
    setTimeout(() => signalGroup(group, 'SIGTERM'), GRACE_MS).unref()
  }

  /** Ends nginx at once, without a wait for what hangs. */
  async kill(): Promise<void> {
    this.#stopped = true
    if (this.#child?.pid === undefined) return
    signalGroup(this.#child.pid, 'SIGKILL')
    await killChild(this.#child)
  }

  /** Lets downloads in flight finish, for a while. */
  async stop(): Promise<void> {
    this.#stopped = true
    if (!this.#child) return
    await stopChild(this.#child, 'SIGQUIT', GRACE_MS)
    if (this.#child.pid !== undefined) signalGroup(this.#child.pid, 'SIGTERM')
  }
}
