// Threads that look at packages for the first time, one on each processor. What they find right is right. What they do
// not, or cannot look at, the service's own thread looks at, as it does without threads: so a thread that runs out of
// memory, or hangs on a zip that was made for that, costs nothing but time. Memory is bounded for each thread.

import { Worker } from 'node:worker_threads'
import type { LookOptions, LookReply, LookRequest, PackageLook } from './look-thread.js'

/** Threads at most, whatever is asked for. */
export const MOST_JOBS = 256
/** MB of JavaScript heap for one thread: a module with some 10,000 versions. */
const THREAD_HEAP_MB = 64
/** MB of it for new objects: with 1 a third of the time was collections. */
const THREAD_YOUNG_MB = 8
/** A thread tells that it is alive between reads. The largest zip takes some 5 s. */
const SILENT_MS = 60_000
const LOOK_THREAD = new URL('./look-thread.js', import.meta.url)

type Task = { request: LookRequest; settle: (reply: LookReply) => void }

export class FirstLooks {
  readonly #options: LookOptions
  /** Threads at most. */
  #most: number
  /** What the threads run. */
  readonly #script: URL
  readonly #silentMs: number
  /** The threads that run, with what each does. */
  readonly #threads = new Map<Worker, { task?: Task; timer?: NodeJS.Timeout }>()
  readonly #waiting: Task[] = []
  #closed = false

  /** Threads are started when there is something to do. `script` and `silentMs` are for tests. */
  constructor(options: LookOptions, most: number, { script = LOOK_THREAD, silentMs = SILENT_MS } = {}) {
    this.#options = options
    this.#most = most
    this.#script = script
    this.#silentMs = silentMs
  }

  /** What was seen of a package; `undefined` when no thread can tell. Never rejects. */
  async look(request: Exclude<LookRequest, { records: string }>): Promise<PackageLook | undefined> {
    const reply = await this.#ask(request)
    return 'seen' in reply ? reply.seen : undefined
  }

  /** The records of one folder that have a problem, all others have none; `undefined` when no thread can tell. */
  async wrongRecords(request: Extract<LookRequest, { records: string }>): Promise<string[] | undefined> {
    const reply = await this.#ask(request)
    return 'wrong' in reply ? reply.wrong : undefined
  }

  /** Ends all threads, without waiting for what they read. Nothing can be told then. */
  close(): void {
    this.#closed = true
    for (const thread of this.#threads.keys()) this.#end(thread)
    for (const { settle } of this.#waiting.splice(0)) settle({ failed: true })
  }

  #ask(request: LookRequest): Promise<LookReply> {
    return new Promise((resolve) => {
      if (this.#closed || this.#most === 0) return resolve({ failed: true })
      this.#waiting.push({ request, settle: resolve })
      const idle = [...this.#threads].find(([, { task }]) => !task)?.[0]
      if (idle) this.#next(idle)
      else this.#oneMore()
    })
  }

  /** Lets one more thread do what waits. Where none can be started (a limit of processes), those that run do it. */
  #oneMore(): void {
    if (this.#waiting.length === 0 || this.#threads.size >= this.#most) return
    try {
      this.#next(this.#start())
    } catch {
      this.#most = this.#threads.size
      if (this.#most === 0) for (const { settle } of this.#waiting.splice(0)) settle({ failed: true })
    }
  }

  #start(): Worker {
    const thread = new Worker(this.#script, {
      workerData: this.#options,
      resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MB, maxYoungGenerationSizeMb: THREAD_YOUNG_MB },
    })
    this.#threads.set(thread, {})
    thread.on('message', (reply: LookReply) => {
      const doing = this.#threads.get(thread)
      if (!doing?.task) return // it was ended
      if ('alive' in reply) return void doing.timer?.refresh()
      clearTimeout(doing.timer)
      const { settle } = doing.task
      this.#threads.set(thread, {})
      settle(reply)
      this.#next(thread)
    })
    for (const end of ['error', 'exit'])
      thread.on(end, () => {
        this.#end(thread)
        this.#oneMore()
      })
    return thread
  }

  /** Gives the thread what waits. */
  #next(thread: Worker): void {
    const task = this.#waiting.shift()
    if (!task) return
    const timer = setTimeout(() => this.#end(thread), this.#silentMs)
    this.#threads.set(thread, { task, timer })
    thread.postMessage(task.request)
  }

  /** Ends a thread. What it was looking at is looked at elsewhere. */
  #end(thread: Worker): void {
    const doing = this.#threads.get(thread)
    if (!doing) return
    this.#threads.delete(thread)
    clearTimeout(doing.timer)
    void thread.terminate()
    doing.task?.settle({ failed: true })
  }
}
