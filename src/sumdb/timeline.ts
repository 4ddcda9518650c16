// Finds one head of a log, or one record, among all of them. The lines of `heads` are in the order of their sizes, so a
// few of them are read, however long the log is. Whoever has read all heads once leaves marks: then one read is enough.

import { DamagedLog } from './damaged-log.js'
import { headLine, MAX_LINE_BYTES, parseUnsigned, type HeadLine, type SignedHead } from './heads-file.js'
import { headText, type Verifier } from './note.js'
import { readRecords } from './records-file.js'
import type { LogPlace, Truth } from './truth.js'

/** So much of the heads is read at once. */
const BLOCK_BYTES = 16 * 1024
/** Marks that are kept: of a longer log every second one goes, and a lookup reads a little more. */
const MOST_MARKS = 32_768
/** Heads that are remembered: after a rebuild all lookups have the same one. */
const MOST_SEEN = 64

/** A head of this size has its line at the bytes from `start` to `end`. */
type Mark = { size: number; start: number; end: number }

export class Timeline {
  readonly #truth: Truth
  readonly #verifier: Verifier
  /** Where the log ends. It may grow. */
  readonly #end: () => LogPlace
  /** Heads at some distance from each other, the oldest first. */
  #marks: Mark[] = []
  /** Bytes from one mark to the next, at least. */
  #distance = BLOCK_BYTES / 2
  /** Texts of heads that were signed, and those that are being looked for. */
  readonly #seen = new Map<string, Promise<boolean>>()

  constructor(truth: Truth, verifier: Verifier, end: () => LogPlace) {
    this.#truth = truth
    this.#verifier = verifier
    this.#end = end
  }

  /** Marks a head for later. `start` is where its line begins. Heads come in the order of the file. */
  pass(head: SignedHead, start: number): void {
    const last = this.#marks.at(-1)
    if (last && start < last.start + this.#distance) return
    this.#marks.push({ size: head.size, start, end: start + headLine(head).length })
    if (this.#marks.length < MOST_MARKS) return
    this.#marks = this.#marks.filter((_, nth) => nth % 2 === 0)
    this.#distance *= 2
  }

  /** Whether the log has signed exactly this head of this size. `text` is that of {@link headText}. */
  has(text: string): Promise<boolean> {
    const known = this.#seen.get(text)
    if (known) return known
    if (this.#seen.size >= MOST_SEEN) this.#seen.clear()
    const looking = this.#has(text)
    this.#seen.set(text, looking)
    const forget = (): void => void this.#seen.delete(text) // it may be signed later
    looking.then((found) => (found ? undefined : forget()), forget)
    return looking
  }

  async #has(text: string): Promise<boolean> {
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
    let [low, high] = this.#boundsOf(size)
    const found: { before?: SignedHead; after?: SignedHead } = {}
    while (high - low > BLOCK_BYTES) {
      const { head, start, end } = await this.#lineAt(Math.floor((low + high) / 2), low, high)
      if (head.size <= size) [found.before, low] = [head, end]
      else [found.after, high] = [head, start]
    }
    const lines = (await this.#truth.heads.read(low, high)).toString('latin1').split('\n').slice(0, -1)
    const next = lines.findIndex((line) => !(parseInt(line) <= size))
    const [before, after] = next === -1 ? [lines.at(-1)] : [lines[next - 1], lines[next]]
    if (before !== undefined) found.before = headIn(before)
    if (after !== undefined) found.after = headIn(after)
    return found
  }

  /** Bytes at which lines begin: the last head of `size` records at most is between them, and the one after it. */
  #boundsOf(size: number): [low: number, high: number] {
    let [from, to] = [0, this.#marks.length] // the marks before `from` are of this size at most, those from `to` on not
    while (from < to) {
      const middle = (from + to) >>> 1
      if ((this.#marks[middle]?.size ?? Infinity) <= size) from = middle + 1
      else to = middle
    }
    return [this.#marks[from - 1]?.start ?? 0, this.#marks[from]?.end ?? this.#end().end]
  }

  /** The line that the byte `at` is in. Lines begin at `low` and at `high`. */
  async #lineAt(at: number, low: number, high: number): Promise<HeadLine> {
    const from = Math.max(low, at - MAX_LINE_BYTES)
    const bytes = await this.#truth.heads.read(from, Math.min(high, at + MAX_LINE_BYTES))
    const begin = at === low ? 0 : bytes.lastIndexOf('\n', at - 1 - from) + 1
    const end = bytes.indexOf('\n', at - from)
    if (end === -1) throw new DamagedLog('a line of the heads is none')
    return { head: headIn(bytes.toString('latin1', begin, end)), start: from + begin, end: from + end + 1 }
  }
}

function headIn(line: string): SignedHead {
  const head = parseUnsigned(line)
  if (!head) throw new DamagedLog('a line of the heads is none')
  return head
}
