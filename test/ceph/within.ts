// Waits that have an end: a machine that hangs must not hang the suite.

import { setTimeout } from 'node:timers/promises'

/** Waits until `isSo()`; rejects with `what` when it is not so within `seconds`. Errors of `isSo` mean no. */
export async function untilWithin(
  seconds: number,
  what: string,
  isSo: () => boolean | Promise<boolean>,
  everyMs = 100,
): Promise<void> {
  const end = performance.now() + seconds * 1000
  let last: unknown
  for (;;) {
    try {
      if (await isSo()) return
    } catch (error) {
      last = error
    }
    if (performance.now() > end) throw new Error(`not within ${seconds} s: ${what}`, { cause: last })
    await setTimeout(everyMs)
  }
}

/** Resolves after `ms`, or as soon as `signal` says so. */
export const pauseFor = (ms: number, signal?: AbortSignal): Promise<void> =>
  setTimeout(ms, undefined, signal && { signal }).catch(() => {})
