// A machine that runs Plinth on the shared folder, as a service manager runs it: the folder is mounted first, and a
// Plinth that has ended is started again.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { CLI, plainNode } from '../support/cli.js'
import { TOKEN } from '../support/http.js'
import { START } from '../support/start.js'
import type { Ceph } from './ceph.js'
import { Machine } from './machine.js'
import { askMachine, PORT, whyUnread } from './request.js'
import { untilWithin } from './within.js'

/** Where machines reach each other. */
const INTERNAL_PORT = 8081
/** How long a command may take: `verify` looks at thousands of versions beside whatever else the machines do. */
const CLI_SECONDS = 900
/** How long an edge may keep what anybody may read. */
export const SHARED_CACHE_SECONDS = 1
/** How long a service manager waits before it starts again what has ended. */
const RESTART_MS = 1000
/** The service's process. */
export const SERVICE = /\/src\/main\.js/
/** nginx's first process. */
export const NGINX = /^nginx: master/

export class Member {
  readonly machine: Machine
  readonly #ceph: Ceph
  readonly #folder: string
  /** Where the file system is mounted: the same path on each machine. */
  readonly #mount: string

  constructor(ceph: Ceph, folder: string, number: number) {
    this.machine = new Machine(`machine-${'ab'[number] ?? number}`, 11 + number)
    this.#ceph = ceph
    this.#folder = join(folder, this.machine.name)
    this.#mount = join(folder, 'shared')
  }

  get name(): string {
    return this.machine.name
  }

  get address(): string {
    return this.machine.addressIn('front')
  }

  get data(): string {
    return join(this.#mount, 'data')
  }

  /** Switches the machine on and starts Plinth. Resolves when the machine serves. */
  async start(): Promise<void> {
    for (const folder of [this.#folder, this.#mount]) mkdirSync(folder, { recursive: true })
    await this.machine.boot()
    await this.#ceph.mount(this.machine, this.#mount)
    await this.machine.run('mkdir', '-p', this.data)
    this.#startPlinth()
    await this.untilServing()
  }

  /** Starts Plinth, and again whenever it ends, until the machine is off. */
  #startPlinth(): void {
    const [program, args] = plainNode(START)
    const plinth = this.machine.spawn([program, ...args], this.#logFile, {
      PLINTH_DATA: this.data,
      PLINTH_RUNTIME: this.#runtime,
      PLINTH_LISTEN: `${this.address}:${PORT}`,
      PLINTH_INTERNAL_LISTEN: `${this.address}:${INTERNAL_PORT}`,
      PLINTH_STANDBY: '1',
      PLINTH_ADMIN_TOKEN: TOKEN,
      PLINTH_FAILED_LOGINS: '100000',
      PLINTH_WRITE_RATE: '0',
      PLINTH_SHARED_CACHE_SECONDS: String(SHARED_CACHE_SECONDS),
    })
    const boot = this.machine.boots
    plinth.once('exit', () => {
      const again = (): void => (this.machine.boots === boot ? this.#startPlinth() : undefined)
      setTimeout(again, RESTART_MS).unref()
    })
  }

  /** Whether a service of it is there, in whatever state. */
  get hasService(): boolean {
    return this.machine.processes().some(({ command }) => SERVICE.test(command))
  }

  /** Whether it reads, and uploads can be taken through it. */
  async serves(): Promise<boolean> {
    const ready = await askMachine(this.address, '/-/ready').catch(() => undefined)
    return ready?.status === 200 && (await whyUnread(this.address, '/')) === undefined
  }

  async untilServing(): Promise<void> {
    await untilWithin(180, `${this.name} reads and takes uploads`, () => this.serves(), 200)
  }

  /** What a person does with a machine that hangs, or is dead: off, and on again. */
  async restart(): Promise<void> {
    await this.machine.powerOff()
    await this.start()
  }

  /** `plinth` on it. */
  cli(...words: string[]): Promise<string> {
    return this.cliWith({}, ...words)
  }

  /** The same with more in its environment. */
  async cliWith(env: Readonly<Record<string, string>>, ...words: string[]): Promise<string> {
    const [program, args] = plainNode(CLI, ...words)
    const all = { ...env, PLINTH_DATA: this.data, PLINTH_RUNTIME: this.#runtime }
    const settings = Object.entries(all).map(([name, value]) => `${name}=${value}`)
    return this.machine.runFor(CLI_SECONDS, 'env', ...settings, program, ...args)
  }

  get #runtime(): string {
    return join(this.#folder, 'runtime')
  }

  get #logFile(): string {
    return join(this.#folder, 'plinth.log')
  }
}
