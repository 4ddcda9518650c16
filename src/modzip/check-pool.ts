// Threads that read module zips, in lanes: a small upload never waits for a large one, no upload waits for an import,
// and an account has one thread of a lane at a time, so that it delays no other account's uploads. Zips with very many
// files are the exception: they wait for each other. A thread that runs out of memory or time is ended and replaced.
// The zip that it was reading is refused, and the service goes on.
//
// Memory is bounded: a zip with very many files is read again in a lane of its own, one zip at a time.

import { rm, stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { errno } from '../errors.js'
import { FairTurns, type SparePlaces, type TurnFigures } from '../shares/fair-turns.js'
import type { CheckReply, CheckRequest } from './check-worker.js'
import type { ZipReading, ZipReadOptions } from './read-zip.js'

/** Zips up to this many bytes go through the lane for small ones. */
const SMALL_ZIP_BYTES = 4 * 2 ** 20
/** MB of JavaScript heap for one thread. */
const THREAD_HEAP_MB = 64
/** MB of it for the zip with the most files that is allowed. */
const VAST_HEAP_MB = 256
/** Bytes of central directory that a thread holds: some 20,000 files. A zip with more has a lane of its own. */
const DIRECTORY_BYTES = 2 * 2 ** 20
/** MB of heap for new objects, beside it: buffers of inflated files are freed soon, before 64 MB have piled up. */
const THREAD_YOUNG_MB = 1
/** The largest module takes some 5 s. A zip that takes longer than this was made to. */
const CHECK_TIMEOUT_MS = 60_000
/** Threads for small zips: so many accounts have theirs checked at once. A bomb of 4 MiB holds one for seconds. */
const SMALL_THREADS = 4
/** Threads for large zips: so many accounts have theirs checked at once. */
const LARGE_THREADS = 2
const CHECK_WORKER = new URL('./check-worker.js', import.meta.url)

/** A zip that took more memory or time than one zip may: not a failure of ours, but nobody could use it either. */
const TOO_COMPLEX: ZipReading = {
  ok: false,
  unsure: true,
  problems: [{ rule: 'the zip takes too much memory or time to check' }],
}

/**
 * What a lane answers: `large directory` when the zip has more files than its threads hold, `out of memory` when the
 * thread had too little for it.
 */
type LaneReading = ZipReading | 'large directory' | 'out of memory'

type Task = {
  request: CheckRequest
  resolve: (reading: LaneReading) => void
  reject: (error: Error) => void
}

/** A task that a thread has, and the timer that ends both. */
type Reading = { task: Task; timer: NodeJS.Timeout }

/**
 * `heapMb` is of each thread. `spare` threads run beside the others, while they may. Threads of a lane that does not
 * `keep` them are ended with their zip.
 */
type LaneOptions = {
  threads: number
  spare?: SparePlaces
  script: URL
  heapMb: number
  keep: boolean
}

const failure = (message: string, code?: string): Error => Object.assign(new Error(message), code && { code })

function settle(task: Task, reply: CheckReply): void {
  if ('reading' in reply) task.resolve(reply.reading)
  else if ('largeDirectory' in reply) task.resolve('large directory')
  else task.reject(failure(reply.error, reply.errno))
}

/** Up to `threads` threads. Accounts take turns, and each has one thread at a time. Threads are started when needed. */
class Lane {
  /** As many turns as threads, so whoever has a turn finds a thread. */
  readonly #turns: FairTurns
  readonly #options: LaneOptions
  /** Threads that have nothing to do. */
  readonly #idle: Worker[] = []
  /** All threads that run, each with the zip that it reads. */
  readonly #all = new Map<Worker, Reading | undefined>()
  /** Set by {@link close}. */
  #closed = false

  constructor(options: LaneOptions) {
    this.#turns = new FairTurns(options.threads, 1, options.spare)
    this.#options = options
  }

  get figures(): TurnFigures {
    return this.#turns.figures
  }

  run(account: string, request: CheckRequest): Promise<LaneReading> {
    return this.#turns.run(
      account,
      () =>
        new Promise((resolve, reject) => {
          if (this.#closed) reject(failure('no more zips are read: the service is being stopped'))
          else this.#give(this.#idle.pop() ?? this.#start(), { request, resolve, reject })
        }),
    )
  }

  /** Ends all threads, and resolves then. The zips that they read, and those that wait for a turn, are not read. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#all.keys()].map((worker) => worker.terminate()))
  }

  #start(): Worker {
    const { script, heapMb } = this.#options
    const worker = new Worker(script, {
      resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: THREAD_YOUNG_MB },
    })
    this.#all.set(worker, undefined)
    worker.on('message', (reply: CheckReply) => {
      this.#end(worker, this.#options.keep, (task) => settle(task, reply))
    })
    worker.on('error', (error) => {
      this.#end(worker, false, (task) => {
        if (errno(error) === 'ERR_WORKER_OUT_OF_MEMORY') task.resolve('out of memory')
        else task.reject(error)
      })
    })
    worker.on('exit', (code) => {
      this.#end(worker, false, (task) => task.reject(failure(`the checking thread ended with code ${code}`)))
    })
    worker.unref() // an idle thread does not keep the process alive
    return worker
  }

  #give(worker: Worker, task: Task): void {
    const timer = setTimeout(() => {
      this.#end(worker, false, ({ resolve }) => resolve(TOO_COMPLEX))
    }, CHECK_TIMEOUT_MS)
    this.#all.set(worker, { task, timer })
    worker.ref()
    worker.postMessage(task.request)
  }

  /** Takes the zip from a thread, and settles it. The thread waits for another one with `keep`, and ends without. */
  #end(worker: Worker, keep: boolean, settle: (task: Task) => void): void {
    if (!this.#all.has(worker)) return // it was ended
    const reading = this.#all.get(worker)
    clearTimeout(reading?.timer)
    if (keep) {
      if (!this.#closed) worker.unref() // else it is being ended, and waited for
      if (reading) this.#idle.push(worker)
      this.#all.set(worker, undefined)
    } else {
      const at = this.#idle.indexOf(worker)
      if (at >= 0) this.#idle.splice(at, 1)
      this.#all.delete(worker)
      void worker.terminate()
    }
    if (reading) settle(reading.task)
  }
}

/**
 * Whose zip it is, none for one that no account sends, or that it is `patient`. The others are those of
 * {@link readModuleZip}.
 */
type ReadOptions = { account?: string; patient?: boolean } & Pick<
  ZipReadOptions,
  'mod' | 'facts' | 'wantFacts'
>

export class CheckPool {
  /** For zips up to SMALL_ZIP_BYTES. */
  readonly #small: Lane
  /** For larger ones. */
  readonly #large: Lane
  /**
   * For imports and the drop folder, which nobody waits for: one zip at a time while any upload is checked, and one on
   * each processor while none is.
   */
  readonly #patient: Lane
  /** For zips with more files than the threads of other lanes hold. */
  readonly #vast: Lane
  /** Whether READMEs load their images from where they are. */
  readonly #readmeImages: boolean

  /** `script` is what the threads run. */
  constructor({
    script = CHECK_WORKER,
    readmeImages = false,
  }: { script?: URL; readmeImages?: boolean } = {}) {
    this.#readmeImages = readmeImages
    const kept = { script, heapMb: THREAD_HEAP_MB, keep: true }
    this.#small = new Lane({ ...kept, threads: SMALL_THREADS })
    this.#large = new Lane({ ...kept, threads: LARGE_THREADS })
    const isFree = (): boolean => [this.#small, this.#large].every(({ figures }) => figures.running === 0)
    this.#patient = new Lane({ ...kept, threads: 1, spare: { places: availableParallelism() - 1, isFree } })
    this.#vast = new Lane({ script, heapMb: VAST_HEAP_MB, keep: false, threads: 1 })
  }

  /**
   * {@link readModuleZip} in another thread. The zip waits for others of its `account`; with `patient` it waits for
   * other patient ones, whose accounts take turns, and no upload waits for it. One with very many files waits for
   * all others of this kind.
   * Throws what a failing disk throws, with its errno as `code`.
   */
  async read(path: string, options: ReadOptions = {}): Promise<ZipReading> {
    const { account = '', patient = false, ...files } = options
    const request = { path, ...files, readmeImages: this.#readmeImages }
    const lane = patient ? this.#patient : await this.#laneFor(path)
    const reading = await this.#readIn(lane, account, request)
    if (reading !== 'out of memory') return reading
    if (files.facts === undefined && files.wantFacts !== true) return TOO_COMPLEX
    // A README that is made to take memory must not refuse its zip.
    for (const begun of [files.mod, files.facts]) if (begun !== undefined) await rm(begun, { force: true })
    const plain = await this.#readIn(lane, account, { ...request, plainReadme: true })
    return plain === 'out of memory' ? TOO_COMPLEX : plain
  }

  /** How many zips each lane reads, of how many at once, and how many wait. */
  get figures(): Record<'small' | 'large' | 'patient' | 'vast', TurnFigures> {
    return {
      small: this.#small.figures,
      large: this.#large.figures,
      patient: this.#patient.figures,
      vast: this.#vast.figures,
    }
  }

  async close(): Promise<void> {
    const lanes = [this.#small, this.#large, this.#patient, this.#vast]
    await Promise.all(lanes.map((lane) => lane.close()))
  }

  async #laneFor(path: string): Promise<Lane> {
    const { size } = await stat(path)
    return size <= SMALL_ZIP_BYTES ? this.#small : this.#large
  }

  /** Reads the zip in `lane`, and in that for very many files when it has so many. */
  async #readIn(lane: Lane, account: string, request: CheckRequest): Promise<ZipReading | 'out of memory'> {
    const reading = await lane.run(account, { ...request, mostDirectoryBytes: DIRECTORY_BYTES })
    if (reading !== 'large directory') return reading
    const vast = await this.#vast.run(account, request)
    return vast === 'large directory' ? TOO_COMPLEX : vast
  }
}
