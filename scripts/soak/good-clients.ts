// Clients that behave: they read, publish and delete at the pace of a busy team, and keep a ledger of what was
// acknowledged.

import { randomBytes } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { messageOf } from '../../src/errors.js'
import { simpleModule } from '../../test/support/zips.js'
import { GoClient } from './go-client.js'
import { askGood, type GoodAnswer } from './good-request.js'
import { newFile, newVersion, type Upload } from './good-uploads.js'
import { Ledger } from './ledger.js'
import { pause } from './raw-request.js'
import type { Soaked } from './soaked-plinth.js'
import type { Met } from './verdict.js'

/** Published files of each kind that are kept; older ones are deleted. */
const KEPT = 30
/** The pauses between two requests of a client, and between two downloads by go. */
const READ_PAUSE_MS = 10
const WRITE_PAUSE_MS = 25
const GO_PAUSE_MS = 5000
/** A write that gets 503 again and again has failed after so many times. */
const TRIES = 40
const MOST_RETRY_AFTER_S = 5
const KEPT_FAILURES = 10

const OWNER = '/api/packages/good'
const STILL = `${OWNER}/generic/still/1/file`
const PRIVATE = '/api/packages/private/generic/still/1/file'
const MODULE = 'example.com/still'

const nothing = (): Met => ({
  reads: [],
  writes: [],
  failedReads: 0,
  failedWrites: 0,
  turnedAway: 0,
  failures: [],
  stoodStill: 0,
})

export class GoodClients {
  readonly #plinth: Soaked
  readonly ledger = new Ledger()
  /** What the clients met since the last {@link take}. */
  #met = nothing()
  /** How long this process stands still. */
  readonly #delay = monitorEventLoopDelay({ resolution: 10 })
  /** Whether a write that gets 503 is repeated: the service is being killed. */
  #patient = false
  /** Aborted by {@link rest}. */
  #working = new AbortController()
  #loops: Promise<unknown> = Promise.resolve()
  /** What is read again and again: path, credentials, bytes. */
  #still: { path: string; auth?: string; bytes?: Buffer }[] = []
  /** Uploads so far: each has a name of its own. */
  #made = 0
  /** The real go; absent where there is none. */
  readonly #go: GoClient | undefined

  constructor(plinth: Soaked) {
    this.#plinth = plinth
    this.#go = GoClient.find(`http://127.0.0.1:${plinth.port}${OWNER}/go`)
  }

  /** Publishes what is read again and again. Throws unless all of it is accepted. */
  async prepare(): Promise<void> {
    const { good, reader } = this.#plinth
    const zip = await simpleModule(MODULE, 'v1.0.0')
    const file = randomBytes(20_000)
    for (const [path, body] of [
      [STILL, file],
      [PRIVATE, file],
      [`${OWNER}/go/upload`, zip],
    ] as const) {
      const { status, body: text } = await this.#ask('PUT', path, good, body)
      if (status !== 201) throw new Error(`PUT ${path} was answered with ${status}: ${text.toString()}`)
    }
    const versions = `${OWNER}/go/${MODULE}/@v`
    this.#still = [
      { path: STILL, bytes: file },
      { path: PRIVATE, bytes: file, auth: reader },
      { path: `${versions}/list`, bytes: Buffer.from('v1.0.0\n') },
      { path: `${versions}/v1.0.0.info` },
      { path: `${versions}/v1.0.0.zip`, bytes: zip },
      { path: `${OWNER}/go/${MODULE}/@latest` },
    ]
    this.ledger.uploaded(STILL, file)
    this.ledger.uploaded(`${versions}/v1.0.0.zip`, zip)
  }

  /** Begins. With `patient` the clients repeat writes that get 503, as honest clients do. */
  work(patient = false): void {
    this.#patient = patient
    this.#working = new AbortController()
    this.#delay.enable()
    const { signal } = this.#working
    const go = this.#go
    setMaxListeners(0, signal) // every pause listens
    const loop = async (ms: number, step: (n: number) => Promise<void>): Promise<void> => {
      for (let n = 0; !signal.aborted; n++) {
        await step(n)
        await pause(ms, signal)
      }
    }
    this.#loops = Promise.all([
      loop(READ_PAUSE_MS, (n) => this.#readStill(n)),
      loop(READ_PAUSE_MS, (n) => this.#readStill(n + 3)),
      this.#writer(loop, () => newFile(OWNER, this.#made++)),
      this.#writer(loop, () => newVersion(OWNER, this.#made++)),
      ...(go ? [loop(GO_PAUSE_MS, () => this.#download(go))] : []),
    ])
  }

  /** Resolves when every request under way has ended. */
  async rest(): Promise<void> {
    this.#working.abort()
    await this.#loops
  }

  /** What the clients met since the last call. */
  take(): Met {
    const met = { ...this.#met, stoodStill: this.#delay.max / 1e6 }
    this.#met = nothing()
    this.#delay.reset()
    return met
  }

  /** What is not as it was acknowledged, on the disk and, for files that are there, through nginx. */
  async lost(): Promise<string[]> {
    const { data } = this.#plinth
    const onDisk = await this.ledger.problems(async (path) => {
      const file = join(data, 'tree', path)
      return existsSync(file) ? readFile(file) : undefined
    })
    const unread: string[] = []
    for (const [path, bytes] of this.ledger.there) {
      const answer = await this.#ask('GET', path).catch(() => undefined)
      if (answer?.status !== 200 || !answer.body.equals(bytes)) unread.push(`${path} cannot be read`)
    }
    return [...onDisk, ...unread]
  }

  #ask(method: string, path: string, auth?: string, body?: Buffer): Promise<GoodAnswer> {
    return askGood(this.#plinth.port, method, path, {
      ...(auth !== undefined && { auth }),
      ...(body && { body }),
    })
  }

  #failed(kind: 'failedReads' | 'failedWrites', what: string): void {
    this.#met[kind]++
    if (this.#met.failures.length < KEPT_FAILURES) this.#met.failures.push(what)
  }

  async #readStill(n: number): Promise<void> {
    const still = this.#still[n % this.#still.length]
    if (still) await this.#read(still.path, still.auth, still.bytes)
  }

  async #read(path: string, auth?: string, bytes?: Buffer): Promise<void> {
    try {
      const { status, body, ms } = await this.#ask('GET', path, auth)
      if (status !== 200) this.#failed('failedReads', `GET ${path}: ${status}`)
      else if (bytes && !body.equals(bytes)) this.#failed('failedReads', `GET ${path}: other bytes`)
      else this.#met.reads.push(ms)
    } catch (error) {
      this.#failed('failedReads', `GET ${path}: ${messageOf(error)}`)
    }
  }

  async #writer(
    loop: (ms: number, step: () => Promise<void>) => Promise<void>,
    make: () => Promise<Upload>,
  ): Promise<void> {
    const kept: Upload[] = []
    await loop(WRITE_PAUSE_MS, async () => {
      const upload = await make()
      if (await this.#upload(upload)) kept.push(upload)
      const oldest = kept.length > KEPT ? kept.shift() : undefined
      if (oldest) await this.#remove(oldest)
    })
  }

  async #upload({ url, path, body }: Upload): Promise<boolean> {
    const done = await this.#write('PUT', url, 201, 409, body)
    if (!done) this.ledger.doubtful(path)
    else this.ledger.uploaded(path, body)
    if (done) await this.#read(path, undefined, body)
    return done
  }

  async #remove({ remove, path }: Upload): Promise<void> {
    this.ledger.doubtful(path)
    if (await this.#write('DELETE', remove, 204, 404)) this.ledger.deleted(path)
  }

  /** Whether the write was done. `repeated` is the answer to a write that was done although it got 503 before. */
  async #write(
    method: string,
    url: string,
    wanted: number,
    repeated: number,
    body?: Buffer,
  ): Promise<boolean> {
    for (let tries = 1; ; tries++) {
      let wrong: string
      try {
        const { status, retryAfter, ms, body: text } = await this.#ask(method, url, this.#plinth.good, body)
        if (status === wanted || (tries > 1 && (status === repeated || status === 200))) {
          this.#met.writes.push(ms)
          return true
        }
        const seconds = Number(retryAfter ?? NaN)
        if (status === 503 && this.#patient && seconds >= 0 && tries < TRIES) {
          this.#met.turnedAway++
          await new Promise((resolve) => setTimeout(resolve, Math.min(seconds, MOST_RETRY_AFTER_S) * 1000))
          continue
        }
        wrong = `${status} ${text.toString().trim().slice(0, 200)}`
      } catch (error) {
        wrong = messageOf(error)
      }
      this.#failed('failedWrites', `${method} ${url}: ${wrong}`)
      return false
    }
  }

  async #download(go: GoClient): Promise<void> {
    const wrong = await go.download(`${MODULE}@v1.0.0`)
    if (wrong !== undefined) this.#failed('failedReads', `go mod download: ${wrong}`)
  }
}
