// What the running service does for a backup, which another process makes: it tells which packages change meanwhile,
// and keeps one package from changing while that process copies it. A process that ends or stands still holds nothing
// for long: its connection ends, or the hold has its own end.

import type { Journal } from '../packages/journal.js'
import type { Touched } from '../packages/watch.js'

/** The longest time for which nobody may publish to a package. */
const MOST_HOLD_MS = 30_000

/** Ends when the watch ends. */
export type WatchEvent = { watch: string; done: false } | { done: true }
export type TouchedEvent = Touched & { done: true }
/** `entries` are paths of the journal; `count` is that of the watch when the hold began. */
export type HoldEvent = { entries: string[]; count: number; done: false } | { done: true }

export type TouchedRequest = { watch: string; since: number }
export type HoldRequest = { watch: string; key: string }

export function parseTouched(request: unknown): TouchedRequest {
  const { watch, since } = request as Record<string, unknown>
  if (typeof watch !== 'string' || typeof since !== 'number') throw new Error('the request names no watch')
  return { watch, since }
}

export function parseHold(request: unknown): HoldRequest {
  const { watch, key } = request as Record<string, unknown>
  if (typeof watch !== 'string' || typeof key !== 'string') throw new Error('the request names no package')
  return { watch, key }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

/** Notes which packages change, until `signal` ends it. */
export async function* watchChanges(journal: Journal, signal: AbortSignal): AsyncGenerator<WatchEvent> {
  const { id, end } = journal.watch()
  try {
    yield { watch: id, done: false }
    await aborted(signal)
  } finally {
    end()
  }
  yield { done: true }
}

/** Tells what has changed since the `count` of an earlier answer. */
export function touchedSince(journal: Journal, { watch, since }: TouchedRequest): TouchedEvent {
  const found = journal.watchOf(watch)
  if (!found) throw new Error('there is no such watch')
  return { ...found.since(since), done: true }
}

/** Keeps a package from changing until `signal` ends it, or for as long as is bearable. */
export async function* holdPackage(
  journal: Journal,
  { watch, key }: HoldRequest,
  signal: AbortSignal,
): AsyncGenerator<HoldEvent> {
  let release = (): void => {}
  const released = new Promise<void>((resolve) => (release = resolve))
  try {
    const entries = await new Promise<string[]>((resolve, reject) => {
      const over = journal.hold(key, async (found) => {
        resolve(found)
        await released
      })
      over.catch(reject)
      void aborted(signal).then(() => resolve([]))
    })
    yield { entries, count: touchedSince(journal, { watch, since: Infinity }).count, done: false }
    const timer = setTimeout(release, MOST_HOLD_MS)
    await Promise.race([released, aborted(signal)])
    clearTimeout(timer)
  } finally {
    release()
  }
  yield { done: true }
}
