// A machine of the cluster: a network, processes, mounts and a host name of its own, in namespaces of the kernel's. It
// has two network cards: `front`, where clients and other machines are, and `store`, where the storage is.

import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { promisify } from 'node:util'
import { untilWithin } from './within.js'

const run = promisify(execFile)

/** The two networks, as the suite sees them: it is a client in the one, and has the storage in the other. */
export const NETWORKS = { front: '10.88.0', store: '10.89.0' } as const
export type Network = keyof typeof NETWORKS
/** The last byte of the suite's own addresses. */
const SUITE = 254
export const storageAddress = `${NETWORKS.store}.${SUITE}`

const ip = (...words: string[]): void =>
  void execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'inherit'] })

/** Makes the networks in the network namespace of this process, which must be its own. */
export function makeNetworks(): void {
  ip('link', 'set', 'lo', 'up')
  for (const [index, [name, prefix]] of Object.entries(NETWORKS).entries()) {
    // A bridge without an address of its own has that of a card. It is another one when that card's machine goes, and
    // the machine that stays would send into the void for half a minute, until Ceph shuts it out.
    ip('link', 'add', name, 'address', `02:00:00:00:00:0${index + 1}`, 'type', 'bridge')
    ip('addr', 'add', `${prefix}.${SUITE}/24`, 'dev', name)
    ip('link', 'set', name, 'up')
  }
}

type MachineProcess = { pid: number; command: string }

export class Machine {
  readonly name: string
  /** The last byte of its addresses. */
  readonly #number: number
  /** The process that made the namespaces, and its child, the first process in them. */
  #unshare: ChildProcess | undefined
  #init = 0
  /** What was started in it: each stops when what it has started is stopped, and must be told to go on. */
  readonly #entered = new Set<ChildProcess>()

  constructor(name: string, number: number) {
    this.name = name
    this.#number = number
  }

  addressIn(network: Network): string {
    return `${NETWORKS[network]}.${this.#number}`
  }

  /** How often it was switched on and off. */
  boots = 0

  get isUp(): boolean {
    return this.#init !== 0
  }

  /** Switches it on. Nothing runs in it yet. */
  async boot(): Promise<void> {
    const own = ['--net', '--mount', '--uts', '--pid', '--fork', '--kill-child', '--mount-proc']
    const init = `hostname ${this.name} && ip link set lo up && echo up && exec sleep infinity`
    const unshare = spawn('unshare', [...own, '--propagation', 'private', 'sh', '-ec', init], {
      stdio: ['ignore', 'pipe', 'ignore'], // a power off makes it complain
    })
    await once(unshare.stdout, 'data')
    const children = readFileSync(`/proc/${unshare.pid}/task/${unshare.pid}/children`, 'utf8')
    this.boots++
    this.#unshare = unshare
    this.#init = Number(children.trim())
    for (const network of Object.keys(NETWORKS) as Network[]) {
      const card = this.#cardOf(network)
      ip('link', 'add', card, 'type', 'veth', 'peer', 'name', network, 'netns', String(this.#init))
      ip('link', 'set', card, 'master', network, 'up')
      await this.run('ip', 'addr', 'add', `${this.addressIn(network)}/24`, 'dev', network)
      await this.run('ip', 'link', 'set', network, 'up')
    }
  }

  /** Cuts the power: nothing in it runs on, or is told. */
  async powerOff(): Promise<void> {
    const { pid } = this.#unshare ?? {}
    if (pid === undefined) return
    this.boots++
    const gone = once(this.#unshare as ChildProcess, 'exit')
    process.kill(this.#init, 'SIGKILL') // the kernel ends all others of the namespace
    process.kill(pid, 'SIGCONT')
    this.#goOn()
    this.#init = 0
    await gone
    this.#unshare = undefined
    // The cards go with the network namespace, which goes with its last process.
    await untilWithin(60, `the cards of ${this.name} are gone`, () =>
      (Object.keys(NETWORKS) as Network[]).every((network) => !hasCard(this.#cardOf(network))),
    )
  }

  /** Runs a program in it, for a minute at most. Resolves with what it prints, and rejects when it fails. */
  run(...words: string[]): Promise<string> {
    return this.runFor(60, ...words)
  }

  /** The same for a program that may take so many seconds. */
  async runFor(seconds: number, ...words: string[]): Promise<string> {
    const [program, args] = this.#inside(words)
    const { stdout } = await run(program, args, { timeout: seconds * 1000, killSignal: 'SIGKILL' })
    return stdout
  }

  /** Starts a program in it that writes what it says to the file `log`. */
  spawn(words: readonly string[], log: string, env: Record<string, string> = {}): ChildProcess {
    const out = openSync(log, 'a')
    const [program, args] = this.#inside(words)
    const child = spawn(program, args, { stdio: ['ignore', out, out], env: { ...process.env, ...env } })
    this.#entered.add(child)
    child.once('exit', () => this.#entered.delete(child))
    return child
  }

  /** What runs in it and is no zombie, as the suite sees it: pids are the suite's. */
  processes(): MachineProcess[] {
    if (!this.isUp) return []
    const own = readlinkSync(`/proc/${this.#init}/ns/pid`)
    return readdirSync('/proc').flatMap((name) => {
      if (!/^\d+$/.test(name)) return []
      try {
        if (readlinkSync(`/proc/${name}/ns/pid`) !== own) return []
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
        return command === '' ? [] : [{ pid: Number(name), command }]
      } catch {
        return [] // it has ended
      }
    })
  }

  /** Sends `signal` to each process whose command matches. Returns how many that were. */
  signal(signal: NodeJS.Signals, pattern: RegExp): number {
    const found = this.processes().filter(({ command }) => pattern.test(command))
    for (const { pid } of found) kill(pid, signal)
    return found.length
  }

  /** Stops every process of it where it is. */
  freeze(): void {
    for (let round = 0; round < 3; round++) this.signal('SIGSTOP', /(?:)/) // some were just being made
  }

  thaw(): void {
    this.signal('SIGCONT', /(?:)/)
    if (this.#unshare?.pid !== undefined) kill(this.#unshare.pid, 'SIGCONT')
    this.#goOn()
  }

  /** Takes the cable of a network away, without a signal to either side. */
  cut(network: Network): void {
    ip('link', 'set', this.#cardOf(network), 'nomaster')
  }

  join(network: Network): void {
    ip('link', 'set', this.#cardOf(network), 'master', network)
  }

  /** Whether it is kept from other such machines in `front`. Clients still reach it. */
  isolate(isolated: boolean): void {
    const words = ['link', 'set', 'dev', this.#cardOf('front'), 'isolated', isolated ? 'on' : 'off']
    execFileSync('bridge', words)
  }

  #cardOf(network: Network): string {
    return `${network}-${this.#number}`
  }

  #inside(words: readonly string[]): [program: string, args: string[]] {
    return ['nsenter', ['--target', String(this.#init), '--net', '--mount', '--uts', '--pid', '--', ...words]]
  }

  #goOn(): void {
    for (const { pid } of this.#entered) if (pid !== undefined) kill(pid, 'SIGCONT')
  }
}

// /sys is of the network namespace that it was mounted in, /proc/net of the one that asks.
const hasCard = (name: string): boolean => readFileSync('/proc/net/dev', 'utf8').includes(`${name}:`)

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
