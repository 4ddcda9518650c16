// MD5, SHA-1 and SHA-512 of published files, which clients of Gitea may ask for. An upload does not pay for them: they
// are computed when they are first asked for, in a thread of their own, and kept beside the records of the uploads. A
// hash is kept with the SHA-256 of its file, so that one of an earlier file is no longer believed.

import { Worker } from 'node:worker_threads'
import type { Hashes } from '../digest.js'
import { tryLater, type Refusal } from '../errors.js'
import { hashesFile } from '../layout.js'
import { FairTurns } from '../shares/fair-turns.js'
import { Slots } from '../shares/slots.js'
import { parseJson } from '../store/parse-json.js'
import type { Store } from '../store/store.js'
import type { HashReply } from './hash-thread.js'

/** How long an answer waits. What was not ready goes on, and is there for a later request. */
const WAIT_MS = 30_000
/** Versions whose files are hashed or wait to be; of one address a quarter at most. */
const MOST_WAITING = 64
/** MB of JavaScript heap for the thread. */
const THREAD_HEAP_MB = 32
const HASH_THREAD = new URL('./hash-thread.js', import.meta.url)

/** A file of a version: its path is one of layout.ts. */
type VersionFile = { path: string; sha256: string }

const later = (why: string): Refusal => tryLater(10, why)

export class FileHashes {
  readonly #store: Store
  readonly #waitMs: number
  /** One thread for all versions. Addresses take turns. */
  readonly #thread = new FairTurns(1)
  /** Who waits. */
  readonly #slots = new Slots(MOST_WAITING)
  /** The versions whose files are hashed or wait to be. */
  readonly #underWay = new Map<string, Promise<Hashes[]>>()

  constructor(store: Store, waitMs = WAIT_MS) {
    this.#store = store
    this.#waitMs = waitMs
  }

  /**
   * The hashes of the files of a version, in their order, for `address`. `version` is its path, see {@link hashesFile}.
   * Throws a 503 when they are not ready in time, or when too many are asked for.
   */
  async of(version: string, files: readonly VersionFile[], address = ''): Promise<Hashes[]> {
    const known = await this.#known(version)
    const found = files.map(({ sha256 }) => known.get(sha256))
    if (found.every((hashes) => hashes !== undefined)) return found
    return within(this.#waitMs, this.#computing(version, files, known, address))
  }

  #computing(
    version: string,
    files: readonly VersionFile[],
    known: ReadonlyMap<string, Hashes>,
    address: string,
  ): Promise<Hashes[]> {
    // a version whose files have changed meanwhile is another one
    const key = [version, ...files.map(({ sha256 }) => sha256)].join(' ')
    const underWay = this.#underWay.get(key)
    if (underWay) return underWay
    const compute = (): Promise<Hashes[]> =>
      this.#thread.run(address, () => this.#compute(version, files, known))
    const full = (): Refusal => later('the hashes of too many versions are asked for')
    const computing = this.#slots.run(address, full, compute).finally(() => this.#underWay.delete(key))
    computing.catch(() => {}) // nobody may be waiting any more
    this.#underWay.set(key, computing)
    return computing
  }

  async #compute(
    version: string,
    files: readonly VersionFile[],
    known: ReadonlyMap<string, Hashes>,
  ): Promise<Hashes[]> {
    const missing = files.filter(({ sha256 }) => !known.has(sha256))
    const hashed = await hashInThread(missing.map(({ path }) => this.#store.at(path)))
    const all = new Map(known)
    for (const { path, sha256 } of missing) {
      const hashes = hashed.get(this.#store.at(path))
      if (hashes?.sha256 !== sha256) throw new Error(`${path}: its bytes are not those that were uploaded`)
      all.set(sha256, hashes)
    }
    const found = files.map(({ sha256 }) => all.get(sha256)).filter((hashes) => hashes !== undefined)
    // Only of a version that is still there: a delete has looked for this file already.
    await this.#store.writeMaking(hashesFile(version), JSON.stringify(found), { secret: true })
    if (!(await this.#store.exists(version))) await this.#store.remove(hashesFile(version))
    return found
  }

  /** SHA-256 → the hashes that are kept. */
  async #known(version: string): Promise<Map<string, Hashes>> {
    const text = await this.#store.read(hashesFile(version))
    const kept = text && parseJson(text.toString())
    return new Map(Array.isArray(kept) ? (kept as Hashes[]).map((hashes) => [hashes.sha256, hashes]) : [])
  }
}

/** Resolves with the hashes by the files' paths (absolute). */
function hashInThread(paths: readonly string[]): Promise<Map<string, Hashes>> {
  const found = new Map<string, Hashes>()
  const thread = new Worker(HASH_THREAD, {
    workerData: paths,
    execArgv: [], // what this process was started with would take memory there
    resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MB, maxYoungGenerationSizeMb: 1 },
  })
  thread.unref() // a service that ends does not wait for it
  return new Promise((resolve, reject) => {
    thread.on('message', ({ path, hashes }: HashReply) => void found.set(path, hashes))
    thread.once('error', reject)
    thread.once('exit', () => resolve(found))
  })
}

/** Resolves as `promise`, or throws a 503 when that takes longer. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(later('the hashes of these files are being computed')), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
