// Tells when something in the inbox may have changed. It is a convenience: whoever uses it looks now and then anyway.
// Each watched file costs memory and one of the system's watches, so few are watched.

import { join } from 'node:path'
import { watch, type FSWatcher } from 'chokidar'
import { REJECTED } from './place.js'

const MAX_WATCHED_DEPTH = 5

/** `hint` is called for each event, `fail` for each error. */
type Hearing = { hint: () => void; fail: (error: unknown) => void }

export class Watcher {
  /** The inbox, absolute and without links. */
  readonly #root: string
  /** Who is told. */
  readonly #hearing: Hearing
  /** What watches now. */
  #watching: FSWatcher | undefined
  /** The end of what has watched before. */
  #ended: Promise<void> = Promise.resolve()

  constructor(root: string, hearing: Hearing) {
    this.#root = root
    this.#hearing = hearing
  }

  /** Watches from now on, if it does not yet. Files that have come before have no event: there is one hint for them. */
  start(): void {
    if (this.#watching) return
    const { hint, fail } = this.#hearing
    const rejected = join(this.#root, REJECTED)
    this.#watching = watch(this.#root, {
      ignoreInitial: true,
      followSymlinks: false,
      ignorePermissionErrors: true,
      depth: MAX_WATCHED_DEPTH,
      ignored: (path) => path === rejected,
    })
    this.#watching.on('all', hint).on('ready', hint).on('error', fail)
  }

  /** Watches no more. */
  stop(): Promise<void> {
    const watching = this.#watching
    this.#watching = undefined
    if (watching) this.#ended = Promise.all([this.#ended, watching.close()]).then(() => {})
    return this.#ended
  }
}
