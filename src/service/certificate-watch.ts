// Sees that the certificate of nginx is about to expire, or has, in the eyes of clients: one that was renewed counts
// when nginx has loaded it. Without TLS it does nothing.

import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Log } from '../log.js'
import { endOfCertificate } from '../nginx/certificate.js'

const LOOK_EVERY_MS = 3_600_000
/** How long it is known what nginx serves. Asking is a handshake. */
const KNOWN_MS = 5000
const DAY_MS = 86_400_000
/** Days before the end from which the log says so. */
const SOON_DAYS = 14
const NOT_LOADED = 'nginx has not loaded the new one yet'

/** A certificate: the path of its PEM file, and who finds out when the one expires that is served, in ms since 1970. */
type Watched = { path: string; servedEnd: () => Promise<number | undefined> }

export class CertificateWatch {
  /** Absent without TLS. */
  readonly #watched: Watched | undefined
  readonly #log: Log
  /** Gives milliseconds since the epoch. */
  readonly #now: () => number
  readonly #knownMs: number
  /** Whether the log was told that the end is near. */
  #told = false
  #timer: NodeJS.Timeout | undefined
  /** What nginx was last seen to serve; it is kept while nginx does not answer. */
  #served: number | undefined
  /** The last question to nginx, and when it was asked, on the clock of `performance`. */
  #asked: { at: number; answer: Promise<number | undefined> } | undefined

  constructor(watched: Watched | undefined, log: Log, now: () => number = Date.now, knownMs = KNOWN_MS) {
    this.#now = now
    this.#knownMs = knownMs
    this.#watched = watched
    this.#log = log
  }

  /** Looks now and every hour. */
  start(): void {
    if (!this.#watched) return
    void this.look()
    this.#timer = setInterval(() => void this.look(), LOOK_EVERY_MS).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /**
   * When the certificate expires, in ms since the epoch: the one that is served, or, when nginx has never answered,
   * the one in the file. `undefined` without either.
   */
  async expires(): Promise<number | undefined> {
    return (await this.#ends()).seen
  }

  /** `seen` is what {@link expires} tells; `waits` when a certificate that ends later is in the file. */
  async #ends(): Promise<{ seen: number | undefined; waits: boolean }> {
    if (!this.#watched) return { seen: undefined, waits: false }
    const { path, servedEnd } = this.#watched
    const [served, inFile] = await Promise.all([this.#servedEnd(servedEnd), endOf(path)])
    return { seen: served ?? inFile, waits: (inFile ?? 0) > (served ?? Infinity) }
  }

  async #servedEnd(ask: () => Promise<number | undefined>): Promise<number | undefined> {
    const now = performance.now()
    if (!this.#asked || now - this.#asked.at >= this.#knownMs) this.#asked = { at: now, answer: ask() }
    this.#served = (await this.#asked.answer) ?? this.#served
    return this.#served
  }

  /** What is wrong; `undefined` when nothing is. */
  async problem(): Promise<string | undefined> {
    const { seen, waits } = await this.#ends()
    if (seen === undefined || seen > this.#now()) return undefined
    const expired = `the certificate expired on ${new Date(seen).toISOString()}`
    return waits ? `${expired}, and ${NOT_LOADED}` : expired
  }

  /** Says in the log that the certificate is about to expire, at each look, and once that there is a new one. */
  async look(): Promise<void> {
    const { seen, waits } = await this.#ends()
    if (seen === undefined) return
    const days = Math.floor((seen - this.#now()) / DAY_MS)
    const fields = { expires: new Date(seen).toISOString(), days, ...(waits && { reason: NOT_LOADED }) }
    if (days < SOON_DAYS)
      this.#log('warn', days < 0 ? 'the certificate has expired' : 'the certificate expires soon', fields)
    else if (this.#told) this.#log('info', 'there is a new certificate', fields)
    this.#told = days < SOON_DAYS
  }
}

/** When the certificate in a PEM file expires; `undefined` when it cannot be read. */
async function endOf(path: string): Promise<number | undefined> {
  try {
    return endOfCertificate(new X509Certificate(await readFile(path)))
  } catch {
    return undefined // the service may run as a user who may not read it, or it is being replaced
  }
}
