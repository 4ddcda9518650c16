// Finds one head of a log, or one record, among all of them. The lines of `heads` are in the order of their sizes, so a
// few of them are read, however long the log is.

import { DamagedLog } from './damaged-log.js'
import { MAX_LINE_BYTES, parseUnsigned, type HeadLine, type SignedHead } from './heads-file.js'
import { headText, type Verifier } from './note.js'
import { readRecords } from './records-file.js'
import type { LogPlace, Truth } from './truth.js'

export class Timeline {
  readonly #truth: Truth
  readonly #verifier: Verifier
  /** Where the log ends. It may grow. */
  readonly #end: () => LogPlace

  constructor(truth: Truth, verifier: Verifier, end: () => LogPlace) {
    this.#truth = truth
    this.#verifier = verifier
    this.#end = end
  }

  /** Whether the log has signed exactly this head of this size. `text` is that of {@link headText}. */
  async has(text: string): Promise<boolean> {
    const size = Number(/^[^\n]*\n(\d{1,15})\n/.exec(text)?.[1])
    if (!Number.isSafeInteger(size)) return false
    const { before: head } = await this.#around(size)
    return head?.size === size && headText(this.#verifier, head, head.signature) === text
  }

  /** The record of this number; `undefined` when the log has no such record. */
  async recordAt(id: number): Promise<string | undefined> {
    const { before, after } = await this.#around(id)
    if (!after) return undefined
    let at = before?.size ?? 0
    for await (const record of readRecords(this.#truth.records, before?.bytes ?? 0, after.bytes))
      if (at++ === id) return record
    return undefined
  }

  /** The last head of `size` records at most, and the one after it. */
  async #around(size: number): Promise<{ before?: SignedHead; after?: SignedHead }> {
    let [low, high] = [0, this.#end().end]
    const found: { before?: SignedHead; after?: SignedHead } = {}
    while (low < high) {
      const { head, start, end } = await this.#lineAt(Math.floor((low + high) / 2), low, high)
      if (head.size <= size) [found.before, low] = [head, end]
      else [found.after, high] = [head, start]
    }
    return found
  }

  /** The line that the byte `at` is in. Lines begin at `low` and at `high`. */
  async #lineAt(at: number, low: number, high: number): Promise<HeadLine> {
    const from = Math.max(low, at - MAX_LINE_BYTES)
    const bytes = await this.#truth.heads.read(from, Math.min(high, at + MAX_LINE_BYTES))
    const begin = at === low ? 0 : bytes.lastIndexOf('\n', at - 1 - from) + 1
    const end = bytes.indexOf('\n', at - from)
    const head = parseUnsigned(bytes.toString('latin1', begin, end))
    if (!head || end === -1) throw new DamagedLog('a line of the heads is none')
    return { head, start: from + begin, end: from + end + 1 }
  }
}
