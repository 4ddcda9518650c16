// Threads that read module zips, in lanes: a small upload never waits for a large one, and no upload waits for an
// import. A thread that runs out of memory or time is ended and replaced. The zip that it was reading is refused, and
// the service goes on.

import { stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { errno } from '../errors.js'
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

/** Up to `most` threads with a queue of their own. Threads are started when they are needed. */
class Lane {
  /** Zips that wait for a thread, first come first served. */
  readonly #waiting: Task[] = []
  /** Threads that have nothing to do. */
  readonly #idle: Worker[] = []
  /** All threads that run. */
  readonly #all = new Set<Worker>()
  /** How many threads may run. */
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  run(path: string): Promise<ZipReading> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ path, resolve, reject })
      this.#next()
    })
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all].map((worker) => worker.terminate()))
  }

  #next(): void {
    if (this.#waiting.length === 0) return
    const worker = this.#idle.pop() ?? (this.#all.size < this.#most ? this.#start() : undefined)
    const task = worker && this.#waiting.shift()
    if (worker && task) this.#give(worker, task)
  }

  #start(): Worker {
    const worker = new Worker(new URL('./check-worker.js', import.meta.url), {
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
      this.#next()
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

export class CheckPool {
  /** For zips up to SMALL_ZIP_BYTES. */
  readonly #small = new Lane(2)
  /** For larger ones. */
  readonly #large = new Lane(Math.max(1, availableParallelism() - 1))
  /** For imports and the drop folder, which nobody waits for: one zip at a time. */
  readonly #patient = new Lane(1)

  /**
   * {@link readModuleZip} in another thread. With `patient` the zip waits for other patient ones, and no upload waits
   * for it. Throws what a failing disk throws, with its errno as `code`.
   */
  async read(path: string, { patient = false }: { patient?: boolean } = {}): Promise<ZipReading> {
    if (patient) return this.#patient.run(path)
    const { size } = await stat(path)
    return (size <= SMALL_ZIP_BYTES ? this.#small : this.#large).run(path)
  }

  async close(): Promise<void> {
    await Promise.all([this.#small, this.#large, this.#patient].map((lane) => lane.close()))
  }
}
