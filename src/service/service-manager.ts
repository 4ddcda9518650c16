// Tells the service manager that started this process, systemd say, how it is: sd_notify(3). Node sends no datagrams on
// unix sockets, so systemd's own program systemd-notify does. Without a service manager nothing is done here.

import { spawn } from 'node:child_process'
import { environment, toldByServiceManager } from '../config.js'
import { warn } from './terminal.js'

/** How long one message may take before it is given up, in ms. */
const PATIENCE_MS = 5000

export class ServiceManager {
  /** Where it listens; `undefined` without one. */
  readonly #socket: string | undefined
  /** How often it wants to hear that all is well, in ms; `undefined` when it does not. */
  readonly watchdogMs: number | undefined
  /** The messages under way: they are sent one after the other. */
  #sent: Promise<void> = Promise.resolve()
  /** Whether a message failed already. One warning is enough. */
  #warned = false

  constructor({ socket, watchdogMs } = toldByServiceManager()) {
    this.#socket = socket
    this.watchdogMs = socket === undefined ? undefined : watchdogMs
  }

  /** Whether a service manager started this process. Its output is then a log that is kept. */
  get isThere(): boolean {
    return this.#socket !== undefined
  }

  /** What it says, in words, until something else is told. */
  status(text: string): Promise<void> {
    return this.#send(`STATUS=${text}`)
  }

  /** The start, or loading again, is over. */
  ready(text: string): Promise<void> {
    return this.#send('READY=1', `STATUS=${text}`)
  }

  /** Settings or certificates are loaded again; {@link ready} follows. */
  reloading(): Promise<void> {
    return this.#send('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`)
  }

  stopping(): Promise<void> {
    return this.#send('STOPPING=1', 'STATUS=stopping')
  }

  /** All is well, for the next {@link watchdogMs}. */
  alive(): Promise<void> {
    return this.#send('WATCHDOG=1')
  }

  /** Resolves when the message was sent, or given up. Never rejects: what is served does not depend on it. */
  #send(...states: string[]): Promise<void> {
    const socket = this.#socket
    if (socket === undefined) return Promise.resolve()
    this.#sent = this.#sent.then(async () => {
      const failure = await notify(socket, states)
      if (failure === undefined || this.#warned) return
      this.#warned = true
      warn(`the service manager cannot be told that ${states[0]}: ${failure}`)
    })
    return this.#sent
  }
}

/** Resolves with the reason when it fails. */
const notify = (socket: string, states: string[]): Promise<string | undefined> =>
  new Promise((resolve) => {
    const child = spawn('systemd-notify', states, {
      env: { ...environment(), NOTIFY_SOCKET: socket },
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: PATIENCE_MS,
      killSignal: 'SIGKILL',
    })
    let said = ''
    child.stderr.on('data', (text: Buffer) => (said += text.toString()))
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code, signal) =>
      resolve(code === 0 ? undefined : said.trim() || `systemd-notify ended with ${code ?? signal}`),
    )
  })
