// The central directory of a zip. It is found and measured as Go's archive/zip does (reader.go: init), before anything
// is allocated by the sizes that the archive claims. It is held as the bytes that it is: an object for each entry is
// made when it is asked for, since an archive may have 200,000.

import type { ReadAt } from './read-at.js'
import { NotAZip, readDirectoryEnd } from './zip-end.js'
import {
  compareNamesIn,
  headerSpan,
  MOST_HEADER_BYTES,
  nameIn,
  readHeader,
  type LocatedEntry,
} from './zip-header.js'

/**
 * Entries and bytes of central directory that we take (ours: go has no limit but its memory). The largest modules known
 * have some 60,000 files and 10 MB of directory.
 */
const MAX_ENTRIES = 200_000
const MAX_DIRECTORY_BYTES = 32 * 2 ** 20

const WINDOW_BYTES = 2 ** 20

/** Where the headers begin, and how many bytes and entries they are. Offsets of entries count from `base`. */
type Span = { base: bigint; start: number; bytes: number; entries: number }

export class ZipDirectory {
  /** The headers, one after the other. */
  readonly #headers: Buffer
  /** Where each of them begins. */
  readonly #starts: Uint32Array
  /** What the offsets of entries count from. */
  readonly #base: bigint

  private constructor(headers: Buffer, { base, entries }: Span) {
    this.#headers = headers
    this.#base = base
    this.#starts = new Uint32Array(entries)
    for (let i = 0, at = 0; i < entries; i++) {
      this.#starts[i] = at
      const bytes = headerSpan(headers, at)
      if (typeof bytes === 'string') throw new Error('the zip changed while it was read')
      at += bytes
    }
  }

  /**
   * Reads the directory of a file of `size` bytes. Throws {@link NotAZip} for everything that Go's reader refuses, and
   * for a directory over our limits; and {@link LargeDirectory} for one of over `mostBytes`.
   */
  static read(read: ReadAt, size: number, mostBytes = MAX_DIRECTORY_BYTES): ZipDirectory {
    const span = locate(read, size)
    if (span.bytes > mostBytes) throw new LargeDirectory()
    return new ZipDirectory(read(span.start, span.bytes), span)
  }

  get length(): number {
    return this.#starts.length
  }

  /** In the order of the directory. */
  *[Symbol.iterator](): Generator<LocatedEntry> {
    for (const start of this.#starts) yield readHeader(this.#headers, start, this.#base)
  }

  at(index: number): LocatedEntry {
    return readHeader(this.#headers, this.#starts[index] ?? NaN, this.#base)
  }

  nameAt(index: number): Buffer {
    return nameIn(this.#headers, this.#starts[index] ?? NaN)
  }

  /** The indexes of all entries, in the byte order of their names. */
  inNameOrder(): Uint32Array {
    const indexes = Uint32Array.from(this.#starts, (_, index) => index)
    return indexes.sort((a, b) =>
      compareNamesIn(this.#headers, this.#starts[a] ?? NaN, this.#starts[b] ?? NaN),
    )
  }
}

/** The directory has more bytes than the reader holds in memory here. */
export class LargeDirectory extends Error {}

function locate(read: ReadAt, size: number): Span {
  const end = readDirectoryEnd(read, size)
  const { base, start } = chooseBase(read, end)
  const span = measure(read, start, size)
  if (BigInt(span.entries % 0x10000) !== end.records % 0x10000n) {
    throw new NotAZip(
      `broken zip: the end record at byte ${end.at} claims ${end.records} entries, ` +
        `but ${span.entries} were found at byte ${start}`,
    )
  }
  return { base, start, ...span }
}

// archive/zip readDirectoryEnd: the end record may be wrong about the base; a header at the plain offset wins.
function chooseBase(
  read: ReadAt,
  { base, start, otherStart }: ReturnType<typeof readDirectoryEnd>,
): { base: bigint; start: number } {
  if (otherStart === undefined) return { base, start }
  const found = headerSpan(read(otherStart, MOST_HEADER_BYTES), 0)
  return typeof found === 'number' ? { base: 0n, start: otherStart } : { base, start }
}

// archive/zip Reader.init: counts headers until something else follows, since the stored count has 16 bits.
function measure(read: ReadAt, start: number, size: number): { bytes: number; entries: number } {
  let window = read(start, Math.min(WINDOW_BYTES, size - start), true)
  let windowAt = start
  let at = start
  for (let entries = 0; ; entries++) {
    if (windowAt + window.length - at < MOST_HEADER_BYTES && windowAt + window.length < size) {
      windowAt = at
      window = read(at, Math.min(WINDOW_BYTES, size - at), true)
    }
    const bytes = headerSpan(window, at - windowAt)
    if (bytes === 'no header') return { bytes: at - start, entries }
    if (bytes === 'end of file')
      throw new NotAZip('broken zip: the file ends where another entry of its central directory would begin')
    at += bytes
    const limit =
      entries >= MAX_ENTRIES
        ? `${MAX_ENTRIES} entries`
        : at - start > MAX_DIRECTORY_BYTES
          ? `${MAX_DIRECTORY_BYTES} bytes of central directory`
          : undefined
    if (limit !== undefined) throw new NotAZip(`the zip has over ${limit}`)
  }
}
