// Finds the central directory of a zip as Go's archive/zip finds it (reader.go: readDirectoryEnd, init), and measures
// it before anything is allocated by the sizes that the archive claims.

import { quote } from '../errors.js'

/**
 * Reads up to `length` bytes at `offset`, fewer only at the end of the file. With `passing` the next such read may
 * overwrite them.
 */
export type ReadAt = (offset: number, length: number, passing?: boolean) => Buffer

/** Byte positions in the file. Entry offsets count from `base`: other bytes may precede the archive. */
export type ZipDirectory = { base: number; offset: number; bytes: number; entries: number }

/** go could not read these bytes as a zip. The message says what was found, and where. */
export class NotAZip extends Error {
  override readonly name = 'NotAZip'
}

/**
 * Entries and bytes of central directory that we hold in memory at once (ours: go has no limit but its address
 * space). The largest modules known have some 60,000 files and 10 MB of directory.
 */
const MAX_ENTRIES = 200_000
const MAX_DIRECTORY_BYTES = 64 * 2 ** 20

const END = { signature: 0x06054b50, bytes: 22 }
const LOCATOR64 = { signature: 0x07064b50, bytes: 20 }
const END64 = { signature: 0x06064b50, bytes: 56 }
const HEADER = { signature: 0x02014b50, bytes: 46 }
const ZIP64_EXTRA = 0x0001
const MAX32 = 0xffffffff

type End = { records: bigint; size: bigint; offset: bigint }

// archive/zip findSignatureInBlock: takes the last signature; it is an error there when its comment does not fit.
function findEndIn(block: Buffer): number {
  for (let i = block.length - END.bytes; i >= 0; i--) {
    if (block.readUInt32LE(i) !== END.signature) continue
    return block.readUInt16LE(i + 20) + END.bytes + i > block.length ? -1 : i
  }
  return -1
}

function findEnd(read: ReadAt, size: number): number {
  for (const length of [1024, 65 * 1024]) {
    const start = Math.max(0, size - length)
    const at = findEndIn(read(start, size - start))
    if (at >= 0) return start + at
  }
  throw new NotAZip(whatItIs(read(0, 8), size))
}

function whatItIs(start: Buffer, size: number): string {
  if (size === 0) return 'the body is empty: a module zip was expected'
  const begins = (...bytes: number[]): boolean => start.subarray(0, bytes.length).equals(Buffer.from(bytes))
  const kind = begins(0x1f, 0x8b)
    ? 'it is gzip (a .tar.gz?)'
    : begins(0x50, 0x4b, 3, 4)
      ? 'it starts as a zip does, so it was probably cut off'
      : `it starts with ${quote(start.toString('latin1'))}`
  return `not a zip: no end of central directory record in the last 65 KiB of ${size} bytes; ${kind}`
}

// archive/zip findDirectory64End, readDirectory64End
function readEnd64(read: ReadAt, endAt: number): { at: number; end: End } | undefined {
  const locator = read(Math.max(0, endAt - LOCATOR64.bytes), LOCATOR64.bytes)
  if (endAt < LOCATOR64.bytes || locator.readUInt32LE(0) !== LOCATOR64.signature) return undefined
  if (locator.readUInt32LE(4) !== 0 || locator.readUInt32LE(16) !== 1) return undefined // more than one disk
  const at = locator.readBigInt64LE(8)
  if (at < 0n) return undefined
  const record = at < BigInt(endAt) ? read(Number(at), END64.bytes) : Buffer.alloc(0)
  if (record.length < END64.bytes || record.readUInt32LE(0) !== END64.signature) {
    throw new NotAZip(
      `broken zip: no zip64 end of central directory record at byte ${at}, where its locator points`,
    )
  }
  return {
    at: Number(at),
    end: {
      records: record.readBigUInt64LE(32),
      size: record.readBigUInt64LE(40),
      offset: record.readBigUInt64LE(48),
    },
  }
}

// archive/zip readDirectoryHeader: a header with maximal sizes and no zip64 extra field for them is not a header.
function zip64Complete(header: Buffer, extra: Buffer): boolean {
  let needed = [header.readUInt32LE(24), header.readUInt32LE(20), header.readUInt32LE(42)].map(
    (n) => n === MAX32,
  )
  for (let rest = extra; rest.length >= 4;) {
    const size = rest.readUInt16LE(2)
    if (rest.length - 4 < size) break
    if (rest.readUInt16LE(0) === ZIP64_EXTRA) {
      if (size < 8 * needed.filter(Boolean).length) return false
      needed = [false, false, false]
    }
    rest = rest.subarray(4 + size)
  }
  return !needed[1] && !needed[2] // an unpacked size of exactly 2³²-1 is believed
}

/** Bytes of the directory header at `at`, or 0 when there is none. */
function headerBytes(window: Buffer, at: number): number {
  if (window.length - at < HEADER.bytes || window.readUInt32LE(at) !== HEADER.signature) return 0
  const header = window.subarray(at, at + HEADER.bytes)
  const name = header.readUInt16LE(28)
  const extra = header.readUInt16LE(30)
  const total = HEADER.bytes + name + extra + header.readUInt16LE(32)
  if (window.length - at < total) return 0
  const extraAt = at + HEADER.bytes + name
  return zip64Complete(header, window.subarray(extraAt, extraAt + extra)) ? total : 0
}

// archive/zip Reader.init: counts headers until something else follows, since the stored count has 16 bits.
function measure(read: ReadAt, start: number, size: number): { bytes: number; entries: number } {
  const WINDOW = 2 ** 20
  const LARGEST_HEADER = HEADER.bytes + 3 * 0xffff
  let window = read(start, WINDOW)
  let windowAt = start
  let at = start
  let entries = 0
  for (;;) {
    if (windowAt + window.length - at < LARGEST_HEADER && windowAt + window.length < size) {
      windowAt = at
      window = read(at, WINDOW)
    }
    const bytes = headerBytes(window, at - windowAt)
    if (bytes === 0) return { bytes: at - start, entries }
    at += bytes
    entries++
    if (entries > MAX_ENTRIES || at - start > MAX_DIRECTORY_BYTES) {
      const limit =
        entries > MAX_ENTRIES ? `${MAX_ENTRIES} entries` : `${MAX_DIRECTORY_BYTES} bytes of central directory`
      throw new NotAZip(`the zip has over ${limit}`)
    }
  }
}

/**
 * Finds the central directory and counts its entries. `size` is the size of the file in bytes.
 * Throws {@link NotAZip} for everything that Go's reader refuses.
 */
export function locateDirectory(read: ReadAt, size: number): ZipDirectory {
  let endAt = findEnd(read, size)
  const record = read(endAt, END.bytes)
  let end: End = {
    records: BigInt(record.readUInt16LE(10)),
    size: BigInt(record.readUInt32LE(12)),
    offset: BigInt(record.readUInt32LE(16)),
  }
  // The three values of archive/zip, 0xffff for the size included
  if (end.records === 0xffffn || end.size === 0xffffn || end.offset === BigInt(MAX32)) {
    const end64 = readEnd64(read, endAt)
    if (end64) ({ at: endAt, end } = end64)
  }
  const base = BigInt(endAt) - end.size - end.offset
  const start = base + end.offset
  if (start < 0n || start >= BigInt(size)) {
    throw new NotAZip(
      `broken zip: the end record at byte ${endAt} claims a central directory of ${end.size} bytes ` +
        `at byte ${end.offset}, but the file has ${size} bytes`,
    )
  }
  const found = chooseBase(read, size, Number(base), Number(end.offset), Number(start))
  const measured = measure(read, found.offset, size)
  if (BigInt(measured.entries % 0x10000) !== end.records % 0x10000n) {
    throw new NotAZip(
      `broken zip: the end record at byte ${endAt} claims ${end.records} entries, ` +
        `but ${measured.entries} were found at byte ${found.offset}`,
    )
  }
  return { ...found, ...measured }
}

// archive/zip readDirectoryEnd: the end record may be wrong about the base; a header at the plain offset wins.
function chooseBase(
  read: ReadAt,
  size: number,
  base: number,
  offset: number,
  start: number,
): { base: number; offset: number } {
  if (base > 0 && offset < size && headerBytes(read(offset, HEADER.bytes + 3 * 0xffff), 0) > 0) {
    return { base: 0, offset }
  }
  return { base, offset: start }
}
