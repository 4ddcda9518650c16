// What `npm start` prints goes to a file: a pipe that is read late would hold the service up.

import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs'
import type { Seen } from './target.js'

const MAX_BYTES = 64 * 2 ** 20
const CHUNK_BYTES = 2 ** 20
const NEWLINE = 10
/** The lines that are no answers to requests are kept, the last of them. */
const KEPT_CHARS = 4000

export class LogFile {
  /** The open file. The writer appends, so that it can be emptied. */
  readonly fd: number
  /** How far it was read. */
  #at = 0
  /** Bytes of the line that is not whole yet. */
  #line = 0
  #seen: Seen = { longestLine: 0, logBytes: 0 }
  /** The last lines that are no answers to requests. */
  #kept = ''

  constructor(path: string) {
    this.fd = openSync(path, 'a+', 0o600)
  }

  /** Reads what has come since the last look. */
  look(): void {
    const { size } = fstatSync(this.fd)
    const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, Math.max(size - this.#at, 0)))
    while (this.#at < size) {
      const length = readSync(this.fd, chunk, 0, chunk.length, this.#at)
      if (length === 0) break
      this.#at += length
      this.#count(chunk.subarray(0, length))
    }
    if (this.#at < MAX_BYTES) return
    ftruncateSync(this.fd)
    this.#at = 0
  }

  #count(chunk: Buffer): void {
    this.#seen.logBytes += chunk.length
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      const line = chunk.subarray(from, end)
      this.#seen.longestLine = Math.max(this.#seen.longestLine, this.#line + line.length)
      if (!line.includes('"event":"request"') && !line.includes('"event":"inbox"'))
        this.#kept = `${this.#kept}${line.toString()}\n`.slice(-KEPT_CHARS)
      this.#line = 0
      from = end + 1
    }
    this.#line += chunk.length - from
  }

  /** What was written since the last call. */
  take(): Seen {
    this.look()
    const seen = this.#seen
    this.#seen = { longestLine: 0, logBytes: 0 }
    return seen
  }

  /** The last lines, without the answers to requests. */
  get lastLines(): string {
    this.look()
    return this.#kept
  }

  close(): void {
    closeSync(this.fd)
  }
}
