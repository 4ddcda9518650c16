// Which requests are let in: a bounded number of uploads, and nothing when the service is being stopped.

import { Refusal } from '../errors.js'
import type { RequestMiddleware } from './request-state.js'

const retryAfter = (seconds: number, why: string): Refusal =>
  new Refusal(503, `${why}: try again in ${seconds} s`, { headers: { 'Retry-After': String(seconds) } })

export class Admission {
  /** The uploads that are taken at the same time, at most. */
  readonly #most: number
  /** Uploads that are being taken. */
  #uploads = 0
  /** Requests that have no answer yet. */
  #requests = 0
  /** Set by {@link stop}. */
  #stopping = false
  /** Called when the last request ends. */
  #whenIdle = (): void => {}

  constructor(most: number) {
    this.#most = most
  }

  /** Middleware that counts requests. After {@link stop} it throws a 503 for each. */
  readonly count: RequestMiddleware = async (_ctx, next) => {
    if (this.#stopping) throw retryAfter(5, 'the service is being stopped or restarted')
    this.#requests++
    try {
      await next()
    } finally {
      this.#requests--
      if (this.#requests === 0) this.#whenIdle()
    }
  }

  /** Runs one upload. Throws a 503 when too many run already, before anything is read. */
  async upload<T>(action: () => Promise<T>): Promise<T> {
    if (this.#uploads >= this.#most) throw retryAfter(2, `${this.#most} uploads are under way already`)
    this.#uploads++
    try {
      return await action()
    } finally {
      this.#uploads--
    }
  }

  /** Lets no more requests in. */
  stop(): void {
    this.#stopping = true
  }

  /** Resolves when every request has its answer. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenIdle = resolve
      if (this.#requests === 0) resolve()
    })
  }
}
