// The drop folder: a file that appears in inbox/ is published and leaves. A look at the whole inbox finds the files. An
// event of the file system only starts a look, since events get lost (full queues, network file systems).

import { realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { watch, type FSWatcher } from 'chokidar'
import { messageOf } from '../errors.js'
import { folders } from '../layout.js'
import { inFolder, makeInbox, removeEmptyFolder } from '../store/inbox-files.js'
import { Changed, Exchangeable, OpenedFolder } from '../store/opened-folder.js'
import { signatureOf } from '../store/reading.js'
import { REJECTED } from './place.js'
import { scan, type Sighting } from './scan.js'
import { Settling } from './settling.js'
import { take, type InboxNeeds, type Taking } from './take.js'

/** Files that are published at the same time. */
const AT_ONCE = 4
/** More due files than this are taken without watching for others meanwhile. */
const BURST = 100
/** The pause between two looks: at least GAP_MS, and GAP_LOOKS times what a look takes. */
const GAP_MS = 100
const GAP_LOOKS = 5
/** Without any event there is a look this often. */
const LOOK_EVERY_MS = 30_000
/** An empty folder is removed when it has not changed for so long. A new one is about to be filled. */
const EMPTY_FOLDER_MS = 3_600_000
const MAX_WATCHED_DEPTH = 5
/** Complaints that are remembered, so that each is logged once. */
const MAX_COMPLAINTS = 1000

/**
 * `settleMs`: how long a file must have been left alone before it is taken. `descriptors`: where this process finds its
 * open files.
 */
type InboxSettings = { settleMs: number; lookEveryMs?: number; descriptors?: string }

export class Inbox {
  /** What taking a file needs. */
  readonly #taking: Taking
  /** The inbox, absolute and without links. */
  readonly #root: string
  /** Without any event there is a look this often. */
  readonly #lookEveryMs: number
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
  /** Watches for events; closed while a burst is taken. */
  #watcher: FSWatcher
  /** The loop of looks. It ends after {@link stop}. */
  readonly #running: Promise<void>

  private constructor(taking: Taking, root: string, stopping: AbortController, settings: InboxSettings) {
    this.#taking = taking
    this.#root = root
    this.#stopping = stopping
    this.#lookEveryMs = settings.lookEveryMs ?? LOOK_EVERY_MS
    this.#settling = new Settling(settings.settleMs)
    this.#watcher = this.#watch()
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
    await this.#watcher.close()
  }

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      let next = this.#lookEveryMs
      try {
        await this.#takeAll(await this.#look())
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
    await inFolder(this.#taking.openRoot, '.', async (root) => {
      for await (const found of scan(root)) {
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
    const isBurst = paths.length > BURST
    if (isBurst) await this.#watcher.close()
    const due = paths.values()
    const workers = Array.from({ length: AT_ONCE }, async () => {
      for (const path of due) if (!this.#isStopped) await this.#takeOne(path)
    })
    await Promise.all(workers)
    if (isBurst && !this.#isStopped) this.#watcher = this.#watch()
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

  #watch(): FSWatcher {
    const root = this.#root
    const watcher = watch(root, {
      ignoreInitial: true,
      followSymlinks: false,
      ignorePermissionErrors: true,
      depth: MAX_WATCHED_DEPTH,
      ignored: (path) => path === join(root, REJECTED),
    })
    const hint = (): void => {
      this.#hinted = true
      this.#nap.abort()
    }
    watcher.on('all', hint)
    watcher.on('ready', hint) // files that came before the watching began have no event
    watcher.on('error', (error) =>
      this.#complain('', `no events, looks every ${this.#lookEveryMs / 1000} s go on: ${messageOf(error)}`),
    )
    return watcher
  }
}

/** Resolves after `ms`, or when `signal` is aborted. */
const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  setTimeout(ms, undefined, { signal }).catch(() => {})
