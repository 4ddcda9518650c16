// Takes the root go.mod out of a module zip while its content is checked. It has up to 16 MiB, so only its hash and its
// beginning stay in memory.

import { createHash } from 'node:crypto'
import { closeSync, openSync, writeSync } from 'node:fs'
import type { Sum } from '../digest.js'
import { TextStart } from './text-start.js'

/** The module line is looked for in so many bytes. The longest go.mod files known have some 100 kB. */
export const START_BYTES = 256 * 1024

/** Takes the bytes of one go.mod. {@link close} must be called. */
export class GoModTaker {
  readonly #hash = createHash('sha256')
  /** The open file that gets the bytes. */
  readonly #file: number | undefined
  readonly #start = new TextStart(START_BYTES)
  #size = 0

  /** Makes the new file `path` (absolute) for the bytes, if it is given. Throws what the file system throws. */
  constructor(path?: string) {
    if (path !== undefined) this.#file = openSync(path, 'wx', 0o600)
  }

  take(piece: Buffer): void {
    this.#hash.update(piece)
    this.#start.take(piece)
    this.#size += piece.length
    for (let done = 0; this.#file !== undefined && done < piece.length;)
      done += writeSync(this.#file, piece, done)
  }

  /** The SHA-256 and size of the bytes, and the beginning of the text in whole lines. */
  finish(): Sum & { start: string } {
    const { text, isWhole } = this.#start
    const start = isWhole ? text : text.slice(0, text.lastIndexOf('\n') + 1)
    return { sha256: this.#hash.digest('hex'), size: this.#size, start }
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
  }
}
