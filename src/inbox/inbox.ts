// The drop folder: what appears in inbox/ is published, then leaves. A look at the whole inbox is the truth; an event
// of the file system only says that a look is worth while, since events get lost (full queues, network file systems).

import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { watch, type FSWatcher } from 'chokidar'
import { messageOf } from '../errors.js'
import { folders } from '../layout.js'
import { look, type Sighting } from './scan.js'
import { REJECTED } from './place.js'
import { makeTake, type Inbox } from './take.js'
import { signatureOf } from '../store/reading.js'

/** Files that are published at once. */
const AT_ONCE = 4
/** More than so many at once are taken without watching for others meanwhile. */
const BURST = 100
/** Files that one look keeps in mind; the others are found when these are gone. */
const MOST_WAITING = 10_000
/** Between two looks at least this, and several times what a look takes. */
const GAP_MS = 100
const GAP_LOOKS = 5
/** Without any event there is a look this often. */
const LOOK_EVERY_MS = 30_000
/** An empty folder that nobody touched for so long goes; one just made is about to be filled. */
const EMPTY_FOLDER_MS = 3_600_000
const MAX_DELAY_MS = 60_000
const MAX_DEPTH = 5

/** A file that is waiting to be taken; times are of performance.now(), in ms. */
type Waiting = { signature: string; since: number; notBefore: number; tries: number; reason?: string }

export type Settings = { settleMs: number; lookEveryMs?: number }

/**
 * Starts to take what is in the inbox and what comes; `stop` ends it, when what is being published is.
 * Makes the folder if there is none.
 */
export async function openInbox(inbox: Inbox, { settleMs, lookEveryMs = LOOK_EVERY_MS }: Settings) {
  const { store, log } = inbox
  await store.makeFolder(folders.inbox)
  const root = await realpath(store.at(folders.inbox))
  const stopping = new AbortController()
  const take = makeTake(inbox, root, stopping.signal)
  const waiting = new Map<string, Waiting>()
  const told = new Set<string>()
  let lookTookMs = 0
  let again = false // there is more than can be kept in mind, or a file that has to settle anew

  function complain(path: string, reason: string): void {
    const line = `${path}: ${reason}`
    if (told.has(line)) return
    if (told.size > 1000) told.clear()
    told.add(line)
    log('warn', 'inbox', { path, result: 'left', reason })
  }

  /** Notes what was seen; whether it may be taken now. */
  function isDue({ path, status }: Sighting, now: number): boolean {
    const signature = signatureOf(status)
    const before = waiting.get(path)
    if (before?.signature === signature) return now - before.since >= settleMs && now >= before.notBefore
    if (!before && waiting.size >= MOST_WAITING) again = true
    else waiting.set(path, { signature, since: now, notBefore: 0, tries: 0 })
    return false
  }

  async function pruneOld({ path, status }: Sighting): Promise<void> {
    if (Date.now() - Math.max(status.mtimeMs, status.ctimeMs) > EMPTY_FOLDER_MS)
      await store.removeEmpty(`${folders.inbox}/${path}`)
  }

  async function lookAround(): Promise<string[]> {
    const begun = performance.now()
    const due: string[] = []
    const seen = new Set<string>()
    again = false
    for await (const found of look(root)) {
      if (stopping.signal.aborted) return []
      if ('reason' in found) complain(found.path, found.reason)
      else if (found.empty) await pruneOld(found)
      else {
        if (isDue(found, performance.now())) due.push(found.path)
        if (waiting.has(found.path)) seen.add(found.path)
      }
    }
    for (const path of waiting.keys()) if (!seen.has(path)) waiting.delete(path)
    lookTookMs = performance.now() - begun
    return due
  }

  async function takeOne(path: string): Promise<void> {
    const outcome = await take(path)
    const before = waiting.get(path)
    if (outcome.result !== 'later' || !before) {
      waiting.delete(path)
      again ||= outcome.result === 'changed'
      return
    }
    const { tries, reason } = before
    const delay = Math.min(1000 * 2 ** tries, MAX_DELAY_MS)
    waiting.set(path, {
      ...before,
      tries: tries + 1,
      notBefore: performance.now() + delay,
      reason: outcome.reason,
    })
    if (outcome.reason !== reason) log('warn', 'inbox', { path, result: 'later', reason: outcome.reason })
  }

  /** Looks and takes; resolves with how many ms the next look may wait for. */
  async function pass(): Promise<number> {
    const found = await lookAround()
    // Watching files leave took as much time as publishing them: each event makes chokidar read the folder again.
    const isBurst = found.length > BURST
    if (isBurst) await watcher.close()
    const due = found.values()
    const workers = Array.from({ length: AT_ONCE }, async () => {
      for (const path of due) if (!stopping.signal.aborted) await takeOne(path)
    })
    await Promise.all(workers)
    if (isBurst && !stopping.signal.aborted) watcher = startWatching()
    if (again) return 0
    let next = lookEveryMs
    const now = performance.now()
    for (const { since, notBefore } of waiting.values())
      next = Math.min(next, Math.max(since + settleMs, notBefore) - now)
    return next
  }

  let hinted = false
  let nap = new AbortController()
  const hint = (): void => {
    hinted = true
    nap.abort()
  }
  const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
    setTimeout(ms, undefined, { signal }).catch(() => {}) // woken up

  /** `ms`, or until a hint; never shorter than the gap. */
  async function rest(ms: number): Promise<void> {
    const gap = Math.max(GAP_MS, GAP_LOOKS * lookTookMs)
    await sleep(gap, stopping.signal)
    nap = new AbortController()
    if (ms > gap && !hinted && !stopping.signal.aborted) await sleep(ms - gap, nap.signal)
    hinted = false
  }

  function startWatching(): FSWatcher {
    const started = watch(root, {
      ignoreInitial: true,
      followSymlinks: false,
      ignorePermissionErrors: true,
      depth: MAX_DEPTH,
      ignored: (path) => path === join(root, REJECTED),
    })
    started.on('all', hint)
    started.on('ready', hint) // what came before it began to watch has no event
    started.on('error', (error) =>
      complain('', `no events, looks every ${lookEveryMs / 1000} s go on: ${messageOf(error)}`),
    )
    return started
  }

  let watcher = startWatching()

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      let next = lookEveryMs
      try {
        next = await pass()
      } catch (error) {
        log('error', 'inbox', { reason: messageOf(error) })
      }
      if (!stopping.signal.aborted) await rest(next)
    }
  }

  const running = run()
  return {
    stop: async (): Promise<void> => {
      stopping.abort()
      nap.abort()
      await running
      await watcher.close()
    },
  }
}
