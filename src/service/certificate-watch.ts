// Sees that the certificate of nginx is about to expire, or has. Without TLS it does nothing.

import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Log } from '../log.js'

const LOOK_EVERY_MS = 3_600_000
const DAY_MS = 86_400_000
/** Days before the end from which the log says so. */
const SOON_DAYS = 14

export class CertificateWatch {
  /** The path of a PEM file; `undefined` without TLS. */
  readonly #path: string | undefined
  readonly #log: Log
  /** Gives milliseconds since the epoch. */
  readonly #now: () => number
  /** Whether the log was told that the end is near. */
  #told = false
  #timer: NodeJS.Timeout | undefined

  constructor(path: string | undefined, log: Log, now: () => number = Date.now) {
    this.#now = now
    this.#path = path
    this.#log = log
  }

  /** Looks now and every hour. */
  start(): void {
    if (this.#path === undefined) return
    void this.look()
    this.#timer = setInterval(() => void this.look(), LOOK_EVERY_MS).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** When the certificate in the file expires, in ms since the epoch; `undefined` without one that can be read. */
  async expires(): Promise<number | undefined> {
    if (this.#path === undefined) return undefined
    try {
      return Date.parse(new X509Certificate(await readFile(this.#path)).validTo)
    } catch {
      return undefined // the service may run as a user who may not read it, or it is being replaced
    }
  }

  /** What is wrong; `undefined` when nothing is. */
  async problem(): Promise<string | undefined> {
    const expires = await this.expires()
    if (expires === undefined || expires > this.#now()) return undefined
    return `the certificate expired on ${new Date(expires).toISOString()}`
  }

  /** Says in the log that the certificate is about to expire, at each look, and once that there is a new one. */
  async look(): Promise<void> {
    const expires = await this.expires()
    if (expires === undefined) return
    const days = Math.floor((expires - this.#now()) / DAY_MS)
    const fields = { expires: new Date(expires).toISOString(), days }
    if (days < SOON_DAYS)
      this.#log('warn', days < 0 ? 'the certificate has expired' : 'the certificate expires soon', fields)
    else if (this.#told) this.#log('info', 'there is a new certificate', fields)
    this.#told = days < SOON_DAYS
  }
}
