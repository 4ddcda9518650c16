// Threads that read module zips, in lanes: a small upload never waits behind a large one, and none behind an import. A thread that runs
// out of memory or time is ended and replaced; the zip it was reading is refused, the service goes on.

import { stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { errno } from '../errors.js'
import type { CheckReply, CheckRequest } from './check-worker.js'
import type { ZipReading } from './read-zip.js'

/** Zips up to this many bytes go through the lane for small ones. */
const SMALL_ZIP_BYTES = 4 * 2 ** 20
/** MB of JavaScript heap for one thread; the largest directory that is let in takes some 300. */
const THREAD_HEAP_MB = 768
/** The part of it for what is new: files that were inflated are given back soon, and not when 64 MB of them lie about. */
const THREAD_YOUNG_MB = 1
/** The largest module takes some 5 s; what takes longer than this is made to. */
const CHECK_TIMEOUT_MS = 60_000

/** A zip that took more memory or time than there is for one: no failure of ours, but nobody will use it either. */
const TOO_COMPLEX: ZipReading = {
  ok: false,
  problems: [{ rule: 'the zip takes too much memory or time to check' }],
}

type Task = {
  path: string
  resolve: (reading: ZipReading) => void
  reject: (error: Error) => void
}

const failed = (message: string, code?: string): Error => Object.assign(new Error(message), code && { code })

class Lane {
  readonly #waiting: Task[] = []
  readonly #idle: Worker[] = []
  readonly #all = new Set<Worker>()
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
    worker.unref() // an idle thread keeps no process alive
    return worker
  }

  #give(worker: Worker, task: Task): void {
    worker.ref()
    const end = (settle: () => void, alive: boolean): void => {
      clearTimeout(timer)
      worker.removeAllListeners()
      worker.on('error', () => {}) // a thread that is being ended may still have one to tell
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
          'reading' in reply ? task.resolve(reply.reading) : task.reject(failed(reply.error, reply.errno)),
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
      end(() => task.reject(failed(`the checking thread ended with code ${code}`)), false),
    )
    worker.postMessage({ path: task.path } satisfies CheckRequest)
  }
}

export type CheckPool = ReturnType<typeof makeCheckPool>

export function makeCheckPool() {
  const small = new Lane(2)
  const large = new Lane(Math.max(1, availableParallelism() - 1))
  const patient = new Lane(1)
  return {
    /** `readModuleZip` in another thread. Throws what a failing disk throws, with its errno as `code`. */
    read: async (path: string): Promise<ZipReading> =>
      ((await stat(path)).size <= SMALL_ZIP_BYTES ? small : large).run(path),
    /** The same for what nobody waits for: one zip at a time, in a thread of its own, so that uploads never wait for it. */
    readPatiently: (path: string): Promise<ZipReading> => patient.run(path),
    close: async (): Promise<void> => {
      await Promise.all([small, large, patient].map((lane) => lane.close()))
    },
  }
}
