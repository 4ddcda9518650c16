// Reads one header of the central directory, as Go's archive/zip does (reader.go: readDirectoryHeader). It is the only
// place that knows where a header has its sizes and its offset, and what a zip64 field changes of them.

import type { ZipEntry } from '../gomod/check-zip.js'

/**
 * An entry. `offset` is the byte where its local header begins. `hasDescriptor` says that sizes and CRC also follow the
 * data.
 */
export type LocatedEntry = ZipEntry & { offset: number; hasDescriptor: boolean }

/** Bytes of a header without its name, extra fields and comment. */
const FIXED_BYTES = 46
/** No header has more bytes. */
export const MOST_HEADER_BYTES = FIXED_BYTES + 3 * 0xffff

const SIGNATURE = 0x02014b50
const ZIP64 = 0x0001
const MAX32 = 0xffffffff

/**
 * Bytes of the header at `at`. `no header`: something else is there, or a part of one; go ends the directory there.
 * `end of file`: the bytes end right where the header or its name would begin; go refuses the archive.
 */
type HeaderSpan = number | 'no header' | 'end of file'

/**
 * Measures the header at `at` of `window`, which holds the rest of the file, or MOST_HEADER_BYTES from `at` on. A
 * header that has no valid zip64 field for its largest values is none.
 */
export function headerSpan(window: Buffer, at: number): HeaderSpan {
  const left = window.length - at
  if (left <= 0) return 'end of file'
  if (left < FIXED_BYTES || window.readUInt32LE(at) !== SIGNATURE) return 'no header'
  const variable = window.readUInt16LE(at + 28) + window.readUInt16LE(at + 30) + window.readUInt16LE(at + 32)
  if (variable > 0 && left === FIXED_BYTES) return 'end of file'
  if (left < FIXED_BYTES + variable) return 'no header'
  return resolve(window, at) ? FIXED_BYTES + variable : 'no header'
}

/** Sizes over 2⁵³ are not exact, and exceed every limit. The offset is exact: it is added to the base. */
type Resolved = { size: number; packedSize: number; offset: bigint }

/**
 * The sizes and the offset: those of the header itself, and where one has its largest value, those of the zip64 field.
 * Returns `undefined` when a zip64 field is too short for them, or when there is none for the packed size or the
 * offset. An unpacked size of exactly 2³²-1 is believed. Extra fields end where one claims more bytes than are left.
 */
function resolve(header: Buffer, at: number): Resolved | undefined {
  const found: Resolved = {
    packedSize: header.readUInt32LE(at + 20),
    size: header.readUInt32LE(at + 24),
    offset: BigInt(header.readUInt32LE(at + 42)),
  }
  const needs = {
    size: found.size === MAX32,
    packedSize: found.packedSize === MAX32,
    offset: found.offset === BigInt(MAX32),
  }
  if (!needs.size && !needs.packedSize && !needs.offset) return found
  let field = at + FIXED_BYTES + header.readUInt16LE(at + 28)
  const end = field + header.readUInt16LE(at + 30)
  while (end - field >= 4) {
    const tag = header.readUInt16LE(field)
    let value = field + 4
    const next = value + header.readUInt16LE(field + 2)
    if (next > end) break
    if (tag === ZIP64) {
      for (const name of ['size', 'packedSize', 'offset'] as const) {
        if (!needs[name]) continue
        if (next - value < 8) return undefined
        if (name === 'offset') found.offset = header.readBigInt64LE(value)
        else found[name] = Number(header.readBigUInt64LE(value))
        needs[name] = false
        value += 8
      }
    }
    field = next
  }
  return needs.packedSize || needs.offset ? undefined : found
}

/** Reads the header at `at`, which {@link headerSpan} has measured. Its offset counts from `base`, in 64 bits. */
export function readHeader(window: Buffer, at: number, base: bigint): LocatedEntry {
  const found = resolve(window, at)
  if (!found) throw new Error('the zip changed while it was read')
  const system = window.readUInt8(at + 5)
  const flags = window.readUInt16LE(at + 8)
  return {
    name: nameIn(window, at),
    size: found.size,
    packedSize: found.packedSize,
    crc32: window.readUInt32LE(at + 16),
    method: window.readUInt16LE(at + 10),
    encrypted: (flags & 1) !== 0,
    hasDescriptor: (flags & 8) !== 0,
    unixMode: system === 3 || system === 19 ? window.readUInt16LE(at + 40) : 0, // Unix, macOS
    offset: Number(BigInt.asIntN(64, base + found.offset)),
  }
}

/** The bytes of the name in the header at `at`. */
export const nameIn = (window: Buffer, at: number): Buffer =>
  window.subarray(at + FIXED_BYTES, at + FIXED_BYTES + window.readUInt16LE(at + 28))

/** Compares the names of two headers byte by byte. */
export const compareNamesIn = (window: Buffer, a: number, b: number): number =>
  window.compare(
    window,
    b + FIXED_BYTES,
    b + FIXED_BYTES + window.readUInt16LE(b + 28),
    a + FIXED_BYTES,
    a + FIXED_BYTES + window.readUInt16LE(a + 28),
  )
