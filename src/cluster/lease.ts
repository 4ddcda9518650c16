// How the active service of several machines sees that the shared folder is no longer its own: a network file system
// cuts a machine off that it does not hear of, and lets another one take the lock. The machine that was cut off is told
// by an error, or by nothing at all: its calls hang.

import { readFile, unlink } from 'node:fs/promises'
import { errno, messageOf } from '../errors.js'
import { renewFile } from '../store/renew-file.js'

/** How often the lease is renewed within the time after which it counts as lost. */
const RENEWALS = 10

/** What a file system tells a machine that it has cut off, or whose mount is gone. A full disk is none of these. */
const CUT_OFF = ['ESHUTDOWN', 'EIO', 'ENOTCONN', 'ESTALE', 'EROFS', 'ENODEV', 'ENXIO', 'EACCES', 'ENOENT']

/** What is renewed: `path` is a file of the shared folder, `seconds` the time after which it counts as lost. */
type LeaseTerms = {
  path: string
  seconds: number
  /** Whether the lock of the folder still names this process. */
  isHolder: () => Promise<boolean>
}

export class Lease {
  readonly #terms: LeaseTerms
  /** Told once why the lease is lost. */
  readonly #onLost: (reason: string) => void
  #timer: NodeJS.Timeout | undefined
  /** The renewal that has not ended, and how many looks have been made since it began. */
  #renewing: { looks: number } | undefined
  #over = false

  constructor(terms: LeaseTerms, onLost: (reason: string) => void) {
    this.#terms = terms
    this.#onLost = onLost
  }

  /** Renews for the first time, and again and again. Rejects when the file cannot be written. */
  async start(): Promise<void> {
    await this.#write()
    this.#timer = setInterval(() => this.#look(), (this.#terms.seconds * 1000) / RENEWALS)
  }

  /** Renews no more. What hangs is left. */
  stop(): void {
    this.#over = true
    clearInterval(this.#timer)
  }

  /** {@link stop}, in order: the next one to look finds no lease. */
  async end(): Promise<void> {
    this.stop()
    await unlink(this.#terms.path).catch(() => {})
  }

  // Looks are counted, and no time is taken: one that was stopped, and goes on, has not yet asked whether it may.
  #look(): void {
    if (!this.#renewing) void this.#renew()
    else if (++this.#renewing.looks >= RENEWALS)
      this.#lose(`the data folder has not answered for ${this.#terms.seconds} s`)
  }

  async #renew(): Promise<void> {
    this.#renewing = { looks: 0 }
    try {
      await this.#write()
      this.#renewing = { looks: 0 } // it did answer
      if (!(await this.#terms.isHolder())) this.#lose('another process has taken the data folder')
    } catch (error) {
      if (CUT_OFF.includes(errno(error) ?? '')) this.#lose(`the data folder is gone: ${messageOf(error)}`)
    } finally {
      this.#renewing = undefined
    }
  }

  #write(): Promise<void> {
    return renewFile(this.#terms.path, `${new Date().toISOString()}\n`)
  }

  #lose(reason: string): void {
    if (this.#over) return
    this.stop()
    this.#onLost(reason)
  }
}

/**
 * Looks at the lease of another machine's service until the returned function is called. Tells once, and anew after
 * each renewal, that it was not renewed between two looks, `seconds` apart: that service hangs. The clocks of machines
 * differ, so that the times in the file are only compared with each other.
 */
export function watchLease(path: string, seconds: number, onStale: () => void): () => void {
  let [seen, isTold] = ['', false]
  const look = async (): Promise<void> => {
    const text = await readFile(path, 'utf8').catch(() => '')
    if (text !== seen) [seen, isTold] = [text, false]
    else if (text !== '' && !isTold) {
      isTold = true
      onStale()
    }
  }
  const timer = setInterval(() => void look(), seconds * 1000)
  return () => clearInterval(timer)
}
