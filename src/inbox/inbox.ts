// The drop folder: a file that appears in inbox/ is published and leaves. A look at the whole inbox finds the files. An
// event of the file system only starts a look, since events get lost (full queues, network file systems).

import { realpath } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { messageOf } from '../errors.js'
import { folders } from '../layout.js'
import { inFolder, makeInbox, removeEmptyFolder } from '../store/inbox-files.js'
import { Changed, Exchangeable, OpenedFolder } from '../store/opened-folder.js'
import { signatureOf } from '../store/reading.js'
import { scan, type Sighting } from './scan.js'
import { Settling } from './settling.js'
import { take, type InboxNeeds, type Taking } from './take.js'
import { Watcher } from './watcher.js'

/** Files that are published at the same time. */
const AT_ONCE = 4
/** More due files than this are taken without watching for others meanwhile. */
const BURST = 100
/** With more names than this nothing is watched. 150,000 took a GiB, and most of the watches that a user has. */
const MAX_WATCHED = 2000
/** The pause between two looks: at least GAP_MS, and GAP_LOOKS times what a look takes. */
const GAP_MS = 100
const GAP_LOOKS = 5
/** Without any event there is a look this often. */
const LOOK_EVERY_MS = 30_000
/** An empty folder is removed when it has not changed for so long. A new one is about to be filled. */
const EMPTY_FOLDER_MS = 3_600_000
/** Complaints that are remembered, so that each is logged once. */
const MAX_COMPLAINTS = 1000

/**
 * `settleMs`: how long a file must have been left alone before it is taken. `mostWatched`: see {@link MAX_WATCHED}.
 * `descriptors`: where this process finds its open files.
 */
type InboxSettings = { settleMs: number; lookEveryMs?: number; mostWatched?: number; descriptors?: string }

export class Inbox {
  /** What taking a file needs. */
  readonly #taking: Taking
  /** Without any event there is a look this often. */
  readonly #lookEveryMs: number
  /** With more names than this nothing is watched. */
  readonly #mostWatched: number
  /** The files that wait to be taken. */
  readonly #settling: Settling
  /** Aborted by {@link stop}. */
  readonly #stopping: AbortController
  /** What was logged of files that cannot be read. */
  readonly #complaints = new Set<string>()
  /** How long the last look took. */
  #lookTookMs = 0
  /** Whether an event has come since the last rest ended. */
  #hinted = false
  /** Aborted by an event: ends the rest between two looks. */
  #nap = new AbortController()
  /** The names that the last look has met. */
  #names = 0
  /** Watches for events; stopped while a burst is taken, and while there are many names. */
  readonly #watcher: Watcher
  /** The loop of looks. It ends after {@link stop}. */
  readonly #running: Promise<void>

  private constructor(taking: Taking, root: string, stopping: AbortController, settings: InboxSettings) {
    this.#taking = taking
    this.#stopping = stopping
    this.#lookEveryMs = settings.lookEveryMs ?? LOOK_EVERY_MS
    this.#mostWatched = settings.mostWatched ?? MAX_WATCHED
    this.#settling = new Settling(settings.settleMs)
    this.#watcher = new Watcher(root, {
      hint: () => this.#hear(),
      fail: (error) => this.#complain('', `no events, ${this.#looksGoOn}: ${messageOf(error)}`),
    })
    this.#running = this.#run()
  }

  /**
   * Makes the folder if there is none. Begins to take the files that are there and those that come. `undefined`: on a
   * machine without /proc the inbox stays off when others may exchange its folders, and the log says so.
   */
  static async start(needs: InboxNeeds, settings: InboxSettings): Promise<Inbox | undefined> {
    await makeInbox(needs.store, folders.inbox)
    const root = await realpath(needs.store.at(folders.inbox))
    const openRoot = (): Promise<OpenedFolder> => OpenedFolder.open(root, settings.descriptors)
    try {
      await inFolder(openRoot, '.', async () => {})
    } catch (error) {
      if (!(error instanceof Exchangeable)) throw error
      needs.log('error', 'inbox', { result: 'off', reason: messageOf(error) })
      return undefined
    }
    const stopping = new AbortController()
    return new Inbox({ ...needs, openRoot, signal: stopping.signal }, root, stopping, settings)
  }

  /** Takes no more files. Resolves when the files are published whose publishing has begun. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#nap.abort()
    await this.#running
    await this.#watcher.stop()
  }

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      let next = this.#lookEveryMs
      try {
        await this.#takeAll(await this.#look())
        if (!this.#isStopped && this.#names <= this.#mostWatched) this.#watcher.start()
        next = this.#settling.nextLookIn(this.#lookEveryMs, performance.now())
      } catch (error) {
        this.#taking.log('error', 'inbox', { reason: messageOf(error) })
      }
      if (!this.#isStopped) await this.#rest(next)
    }
  }

  /** Looks at the whole inbox. Resolves with the files that may be taken. */
  async #look(): Promise<string[]> {
    const begun = performance.now()
    const due: string[] = []
    this.#settling.beginLook()
    this.#names = 0
    await inFolder(this.#taking.openRoot, '.', async (root) => {
      for await (const found of scan(root, () => this.#countName())) {
        if (this.#isStopped) return
        if ('reason' in found) this.#complain(found.path, found.reason)
        else if (found.empty) await this.#removeOld(found)
        else if (this.#settling.isDue(found.path, signatureOf(found.status), performance.now()))
          due.push(found.path)
      }
    })
    if (this.#isStopped) return []
    this.#settling.endLook()
    this.#lookTookMs = performance.now() - begun
    return due
  }

  #countName(): void {
    this.#names++
    if (this.#names !== this.#mostWatched + 1) return
    void this.#watcher.stop()
    this.#complain('', `no events for over ${this.#mostWatched} files, ${this.#looksGoOn}`)
  }

  get #looksGoOn(): string {
    return `looks every ${this.#lookEveryMs / 1000} s go on`
  }

  #complain(path: string, reason: string): void {
    const line = `${path}: ${reason}`
    if (this.#complaints.has(line)) return
    if (this.#complaints.size > MAX_COMPLAINTS) this.#complaints.clear()
    this.#complaints.add(line)
    this.#taking.log('warn', 'inbox', { path, result: 'left', reason })
  }

  async #removeOld({ path, status }: Sighting): Promise<void> {
    if (Date.now() - Math.max(status.mtimeMs, status.ctimeMs) <= EMPTY_FOLDER_MS) return
    try {
      await inFolder(this.#taking.openRoot, dirname(path), async (folder) =>
        removeEmptyFolder({ folder, name: basename(path) }, signatureOf(status)),
      )
    } catch (error) {
      if (!(error instanceof Changed)) this.#complain(path, `it cannot be removed: ${messageOf(error)}`)
    }
  }

  async #takeAll(paths: readonly string[]): Promise<void> {
    // Watching files leave takes as long as publishing them: chokidar reads the folder again for each event.
    if (paths.length > BURST) await this.#watcher.stop()
    const due = paths.values()
    const workers = Array.from({ length: AT_ONCE }, async () => {
      for (const path of due) if (!this.#isStopped) await this.#takeOne(path)
    })
    await Promise.all(workers)
  }

  async #takeOne(path: string): Promise<void> {
    const outcome = await take(this.#taking, path)
    if (outcome.result === 'later') {
      const { reason } = outcome
      if (this.#settling.postpone(path, reason, performance.now()))
        this.#taking.log('warn', 'inbox', { path, result: 'later', reason })
    } else if (outcome.result === 'changed') this.#settling.changed(path)
    else this.#settling.taken(path)
  }

  /** Waits for `ms` or for an event, and at least for the gap. */
  async #rest(ms: number): Promise<void> {
    const gap = Math.max(GAP_MS, GAP_LOOKS * this.#lookTookMs)
    await sleep(gap, this.#stopping.signal)
    this.#nap = new AbortController()
    if (ms > gap && !this.#hinted && !this.#isStopped) await sleep(ms - gap, this.#nap.signal)
    this.#hinted = false
  }

  #hear(): void {
    this.#hinted = true
    this.#nap.abort()
  }
}

/** Resolves after `ms`, or when `signal` is aborted. */
const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  setTimeout(ms, undefined, { signal }).catch(() => {})
