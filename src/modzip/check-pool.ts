// Threads that read module zips, in lanes: a small upload never waits for a large one, no upload waits for an import,
// and an account has one thread of a lane at a time, so that it delays no other account's uploads. A thread that runs
// out of memory or time is ended and replaced. The zip that it was reading is refused, and the service goes on.

import { stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { errno } from '../errors.js'
import { FairTurns } from '../shares/fair-turns.js'
import type { CheckReply, CheckRequest } from './check-worker.js'
import type { ZipReading } from './read-zip.js'

/** Zips up to this many bytes go through the lane for small ones. */
const SMALL_ZIP_BYTES = 4 * 2 ** 20
/** MB of JavaScript heap for one thread. The largest central directory that is allowed takes some 300. */
const THREAD_HEAP_MB = 768
/** MB of it for new objects: buffers of inflated files are freed soon, and not when 64 MB of them have piled up. */
const THREAD_YOUNG_MB = 1
/** The largest module takes some 5 s. A zip that takes longer than this was made to. */
const CHECK_TIMEOUT_MS = 60_000
/** Threads for small zips: so many accounts have theirs checked at once. A bomb of 4 MiB holds one for seconds. */
const SMALL_THREADS = 4
const CHECK_WORKER = new URL('./check-worker.js', import.meta.url)

/** A zip that took more memory or time than one zip may: not a failure of ours, but nobody could use it either. */
const TOO_COMPLEX: ZipReading = {
  ok: false,
  problems: [{ rule: 'the zip takes too much memory or time to check' }],
}

type Task = {
  path: string
  resolve: (reading: ZipReading) => void
  reject: (error: Error) => void
}

const failure = (message: string, code?: string): Error => Object.assign(new Error(message), code && { code })

/** Up to `most` threads. Accounts take turns, and each has one thread at a time. Threads are started when needed. */
class Lane {
  /** As many turns as threads, so whoever has a turn finds a thread. */
  readonly #turns: FairTurns
  /** What the threads run. */
  readonly #script: URL
  /** Threads that have nothing to do. */
  readonly #idle: Worker[] = []
  /** All threads that run. */
  readonly #all = new Set<Worker>()

  constructor(most: number, script: URL) {
    this.#turns = new FairTurns(most, 1)
    this.#script = script
  }

  run(account: string, path: string): Promise<ZipReading> {
    return this.#turns.run(
      account,
      () =>
        new Promise((resolve, reject) =>
          this.#give(this.#idle.pop() ?? this.#start(), { path, resolve, reject }),
        ),
    )
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all].map((worker) => worker.terminate()))
  }

  #start(): Worker {
    const worker = new Worker(this.#script, {
      resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MB, maxYoungGenerationSizeMb: THREAD_YOUNG_MB },
    })
    this.#all.add(worker)
    worker.unref() // an idle thread does not keep the process alive
    return worker
  }

  #give(worker: Worker, task: Task): void {
    worker.ref()
    const end = (settle: () => void, alive: boolean): void => {
      clearTimeout(timer)
      worker.removeAllListeners()
      worker.on('error', () => {}) // a thread that is being ended may still emit one
      worker.unref()
      if (alive) this.#idle.push(worker)
      else {
        this.#all.delete(worker)
        void worker.terminate()
      }
      settle()
    }
    const timer = setTimeout(() => end(() => task.resolve(TOO_COMPLEX), false), CHECK_TIMEOUT_MS)
    worker.removeAllListeners()
    worker.once('message', (reply: CheckReply) =>
      end(
        () =>
          'reading' in reply ? task.resolve(reply.reading) : task.reject(failure(reply.error, reply.errno)),
        true,
      ),
    )
    worker.once('error', (error) =>
      end(
        () => (errno(error) === 'ERR_WORKER_OUT_OF_MEMORY' ? task.resolve(TOO_COMPLEX) : task.reject(error)),
        false,
      ),
    )
    worker.once('exit', (code) =>
      end(() => task.reject(failure(`the checking thread ended with code ${code}`)), false),
    )
    worker.postMessage({ path: task.path } satisfies CheckRequest)
  }
}

/** Whose zip it is, none for one that no account sends, or that it is `patient`. */
type ReadOptions = { account?: string; patient?: boolean }

export class CheckPool {
  /** For zips up to SMALL_ZIP_BYTES. */
  readonly #small: Lane
  /** For larger ones. There is a second thread for a second account, whatever the machine has. */
  readonly #large: Lane
  /** For imports and the drop folder, which nobody waits for: one zip at a time. */
  readonly #patient: Lane

  /** `script` is what the threads run. */
  constructor(script: URL = CHECK_WORKER) {
    this.#small = new Lane(SMALL_THREADS, script)
    this.#large = new Lane(Math.max(2, availableParallelism() - 1), script)
    this.#patient = new Lane(1, script)
  }

  /**
   * {@link readModuleZip} in another thread. The zip waits for others of its `account`; with `patient` it waits for
   * other patient ones, and no upload waits for it. Throws what a failing disk throws, with its errno as `code`.
   */
  async read(path: string, { account = '', patient = false }: ReadOptions = {}): Promise<ZipReading> {
    if (patient) return this.#patient.run(account, path)
    const { size } = await stat(path)
    return (size <= SMALL_ZIP_BYTES ? this.#small : this.#large).run(account, path)
  }

  async close(): Promise<void> {
    await Promise.all([this.#small, this.#large, this.#patient].map((lane) => lane.close()))
  }
}
