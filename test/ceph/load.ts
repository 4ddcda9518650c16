// Who uses the cluster while a fault is made: clients that publish through whichever machine takes it, and readers that
// poll each machine. A ledger has what was acknowledged.

import { createHash } from 'node:crypto'
import { simpleModule } from '../support/zips.js'
import type { Member } from './member.js'
import { askMachine, GO, publishTo, whyUnread } from './request.js'
import { pauseFor } from './within.js'

/** How long a client waits for an answer to an upload before it asks the other machine. */
const UPLOAD_SECONDS = 15
/** Between two uploads of a client. Without it two clients leave the machine of a test no time for anything else. */
const UPLOAD_PAUSE_MS = 200
/** Times are on the clock of `performance`. */
type Acknowledged = { path: string; sha256: string; sentAt: number; at: number }
type Read = { member: Member; at: number; ms: number; problem: string | undefined }

/** What is read all the time. */
const STILL = 'example.com/still'
export const STILL_LIST = `${GO}/${STILL}/@v/list`
export const publishStill = async (address: string): Promise<number> =>
  (await publishTo(address, await simpleModule(STILL, 'v1.0.0'))).status

export class Load {
  readonly acknowledged: Acknowledged[] = []
  readonly reads: Read[] = []
  /** A version that was acknowledged, and that the other machine answered without. */
  readonly misses: string[] = []
  /** Answers to uploads that nobody should get. */
  readonly odd: string[] = []
  /** How many uploads were there when they were sent a second time. */
  settled = 0
  readonly #members: readonly Member[]
  readonly #name: string
  readonly #over = new AbortController()
  #running: Promise<unknown> = Promise.resolve()

  /** `name` is in the names of all modules. */
  constructor(members: readonly Member[], name: string) {
    this.#members = members
    this.#name = name
  }

  start(): void {
    const writers = this.#members.map((_, nth) => this.#write(nth))
    this.#running = Promise.all([...writers, ...this.#members.map((member) => this.#read(member))])
    this.#running.catch(() => {})
  }

  async stop(): Promise<void> {
    this.#over.abort()
    await this.#running
  }

  /** When the first upload was acknowledged that was sent after `time`. */
  nextAfter(time: number): number | undefined {
    return this.acknowledged.find(({ sentAt }) => sentAt >= time)?.at
  }

  /** Reads of `members` that ended after `time`. */
  readsOf(members: readonly Member[], time: number): Read[] {
    return this.reads.filter(({ member, at, ms }) => members.includes(member) && at + ms >= time)
  }

  /** What was acknowledged and cannot be read from `member` as it was sent. */
  async lost(member: Member): Promise<string[]> {
    const lost: string[] = []
    for (const { path, sha256 } of this.acknowledged) {
      const { status, bytes } = await askMachine(member.address, path, { seconds: 60 })
      if (status !== 200 || sha256Of(bytes) !== sha256) lost.push(`${path}: ${status}`)
    }
    return lost
  }

  async #write(nth: number): Promise<void> {
    const module = `example.com/${this.#name}/writer-${nth}`
    const looks = new Set<Promise<void>>()
    let at = nth
    for (let count = 0; !this.#over.signal.aborted; count++) {
      const version = `v1.${count}.0`
      const zip = await simpleModule(module, version)
      for (let tries = 0; !this.#over.signal.aborted; tries++) {
        const member = this.#members[at % this.#members.length] as Member
        const sentAt = performance.now()
        const status = await publishTo(member.address, zip, UPLOAD_SECONDS).then(
          (answer) => answer.status,
          () => 0,
        )
        if (status === 201) {
          const path = `${GO}/${module}/@v/${version}.zip`
          this.acknowledged.push({ path, sha256: sha256Of(zip), sentAt, at: performance.now() })
          for (const other of this.#members) {
            const look = this.#mustBeSeen(other, module, version).finally(() => looks.delete(look))
            looks.add(look)
          }
          break
        }
        if (status === 409 && tries > 0) {
          this.settled++ // an upload without an answer had been taken
          break
        }
        if (status !== 0 && status < 500) this.odd.push(`${module}@${version}: ${status}`)
        at++
        await pauseFor(50, this.#over.signal)
      }
      if (looks.size > 20) await Promise.race(looks)
      await pauseFor(UPLOAD_PAUSE_MS, this.#over.signal)
    }
    await Promise.all(looks)
  }

  /** A machine that does not answer shows nothing wrong. */
  async #mustBeSeen(member: Member, module: string, version: string): Promise<void> {
    for (const [path, content] of [
      [`${GO}/${module}/@v/list`, `${version}\n`],
      [`${GO}/${module}/@v/${version}.info`, version],
    ] as const) {
      const why = await whyUnread(member.address, path, content)
      if (why === '404' || why?.startsWith('it lacks')) this.misses.push(`${member.name} ${path}: ${why}`)
    }
  }

  async #read(member: Member): Promise<void> {
    while (!this.#over.signal.aborted) {
      const at = performance.now()
      const problem = await whyUnread(member.address, STILL_LIST, 'v1.0.0\n')
      this.reads.push({ member, at, ms: performance.now() - at, problem })
      await pauseFor(20, this.#over.signal)
    }
  }
}

const sha256Of = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
