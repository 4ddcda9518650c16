// Finds the end record of a zip, and with it the central directory, as Go's archive/zip does (reader.go:
// readDirectoryEnd and what it calls).

import { quote } from '../errors.js'
import type { ReadAt } from './read-at.js'

/** go could not read these bytes as a zip. The message says what was found, and where. */
export class NotAZip extends Error {
  override readonly name = 'NotAZip'
}

/**
 * What the end record says, checked against the size of the file. `at` is the byte of the record itself, and `start`
 * that of the central directory when offsets count from `base`: other bytes may precede the archive. With `otherStart`
 * the record may be wrong about the base: when there is a directory header, it wins, and the base is 0. A base may be
 * far below 0, and no number is exact for it.
 */
type DirectoryEnd = {
  at: number
  records: bigint
  base: bigint
  start: number
  otherStart?: number
}

const END = { signature: 0x06054b50, bytes: 22 }
const LOCATOR64 = { signature: 0x07064b50, bytes: 20 }
const END64 = { signature: 0x06064b50, bytes: 56 }
const MAX32 = 0xffffffffn
const MAX_INT64 = 2n ** 63n - 1n

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
function readEnd64(read: ReadAt, endAt: number, size: number): { at: number; end: End } | undefined {
  if (endAt < LOCATOR64.bytes) return undefined
  const locator = read(endAt - LOCATOR64.bytes, LOCATOR64.bytes)
  if (locator.readUInt32LE(0) !== LOCATOR64.signature) return undefined
  if (locator.readUInt32LE(4) !== 0 || locator.readUInt32LE(16) !== 1) return undefined // more than one disk
  const at = locator.readBigInt64LE(8)
  if (at < 0n) return undefined
  const record = at < BigInt(size) ? read(Number(at), END64.bytes) : Buffer.alloc(0)
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

/** Finds the end record. `size` is the size of the file in bytes. Throws {@link NotAZip}. */
export function readDirectoryEnd(read: ReadAt, size: number): DirectoryEnd {
  let at = findEnd(read, size)
  const record = read(at, END.bytes)
  let end: End = {
    records: BigInt(record.readUInt16LE(10)),
    size: BigInt(record.readUInt32LE(12)),
    offset: BigInt(record.readUInt32LE(16)),
  }
  // The three values of archive/zip, 0xffff for the size included
  if (end.records === 0xffffn || end.size === 0xffffn || end.offset === MAX32) {
    const end64 = readEnd64(read, at, size)
    if (end64) ({ at, end } = end64)
  }
  const start = BigInt(at) - end.size
  if (end.size > MAX_INT64 || end.offset > MAX_INT64 || start < 0n || start >= BigInt(size)) {
    throw new NotAZip(
      `broken zip: the end record at byte ${at} claims a central directory of ${end.size} bytes ` +
        `at byte ${end.offset}, but the file has ${size} bytes`,
    )
  }
  const base = start - end.offset
  return {
    at,
    records: end.records,
    base,
    start: Number(start),
    ...(base > 0n && { otherStart: Number(end.offset) }),
  }
}
