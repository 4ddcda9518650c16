// How much at once, and when no more: a bound on uploads, and the stop.

import type { Context, Middleware, Next } from 'koa'
import { Refusal } from '../errors.js'

export type Gate = ReturnType<typeof makeGate>

const later = (why: string, seconds: number): Refusal =>
  new Refusal(503, `${why}: try again in ${seconds} s`, { headers: { 'Retry-After': String(seconds) } })

/** `most` uploads are taken at once. */
export function makeGate(most: number) {
  let stopping = false
  let uploads = 0
  let requests = 0
  let whenIdle = (): void => {}

  const count: Middleware = async (_ctx: Context, next: Next) => {
    if (stopping) throw later('the service is being stopped or restarted', 5)
    requests++
    try {
      await next()
    } finally {
      requests--
      if (requests === 0) whenIdle()
    }
  }

  /** Runs one upload, unless there are too many: then it throws a 503 before anything is read. */
  async function upload<T>(action: () => Promise<T>): Promise<T> {
    if (uploads >= most) throw later(`${most} uploads are under way already`, 2)
    uploads++
    try {
      return await action()
    } finally {
      uploads--
    }
  }

  return {
    count,
    upload,
    /** From now on every write gets 503. */
    stop: () => void (stopping = true),
    /** Resolves when no request is under way. */
    idle: () =>
      new Promise<void>((resolve) => {
        whenIdle = resolve
        if (requests === 0) resolve()
      }),
  }
}
