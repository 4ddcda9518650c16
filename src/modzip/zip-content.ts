// Reads the content of one zip entry and checks it against the entry's headers: never more bytes than declared, the
// right CRC. Follows Go's archive/zip (findBodyOffset, checksumReader), and is stricter where archive/zip is lenient.
// unzipper's streams are not used here: they believe the declared sizes, check no CRC, inflate any method, and took 3.6
// times what go takes.

import { createHash, hash } from 'node:crypto'
import { Readable } from 'node:stream'
import { constants, crc32, createInflateRaw, inflateRawSync } from 'node:zlib'
import { errno, messageOf } from '../errors.js'
import type { ZipEntry } from '../gomod/check-zip.js'
import { doneWith } from '../shares/free-buffers.js'
import type { ReadAt } from './read-at.js'
import type { LocatedEntry } from './zip-header.js'

/** The content of one entry is not what its header says. */
export class BadContent extends Error {}

// archive/zip findBodyOffset
export function bodyOffset(read: ReadAt, entry: LocatedEntry): number {
  const header =
    Number.isSafeInteger(entry.offset) && entry.offset >= 0 ? read(entry.offset, 30, true) : Buffer.alloc(0)
  if (header.length < 30 || header.readUInt32LE(0) !== 0x04034b50) {
    throw new BadContent(`no local file header at byte ${entry.offset}, where the central directory points`)
  }
  return entry.offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28)
}

// archive/zip readDataDescriptor: its signature is optional, its CRC must be that of the central directory.
function checkDescriptor(read: ReadAt, at: number, entry: LocatedEntry): void {
  const descriptor = read(at, 16, true)
  const crcAt = descriptor.length >= 4 && descriptor.readUInt32LE(0) === 0x08074b50 ? 4 : 0
  if (descriptor.length < crcAt + 12) throw new BadContent('its data descriptor is cut off')
  if (descriptor.readUInt32LE(crcAt) !== entry.crc32)
    throw new BadContent('checksum error in its data descriptor')
}

/** Entries up to this size, packed and unpacked, are inflated in one call; larger ones in pieces. */
const ONE_CALL_BYTES = 2 ** 20
const PIECE_BYTES = 256 * 1024

const largerThanDeclared = ({ size }: ZipEntry): BadContent =>
  new BadContent(`uncompressed size is larger than declared size (${size} bytes)`)

const inflateProblem = (error: unknown, entry: ZipEntry): BadContent =>
  errno(error) === 'ERR_BUFFER_TOO_LARGE'
    ? largerThanDeclared(entry)
    : new BadContent(`cannot be inflated: ${messageOf(error)}`)

function* pieces(read: ReadAt, at: number, length: number, passing = false): Generator<Buffer> {
  for (let done = 0; done < length; done += PIECE_BYTES) {
    yield read(at + done, Math.min(PIECE_BYTES, length - done), passing)
    if (!passing) doneWith(PIECE_BYTES)
  }
}

/** Whether an entry is inflated in pieces. That of others needs no turn of the event loop, which costs more than it. */
const isInPieces = ({ method, size, packedSize }: LocatedEntry): boolean =>
  method !== 0 && (size > ONE_CALL_BYTES || packedSize > ONE_CALL_BYTES)

/** The content of an entry that is inflated in one call. Its packed bytes begin at `at`. */
function inflated(read: ReadAt, at: number, entry: LocatedEntry): Buffer {
  const packed = read(at, entry.packedSize, true) // a disk that fails says nothing of the zip
  try {
    return inflateRawSync(packed, {
      maxOutputLength: Math.max(1, entry.size),
      chunkSize: Math.max(64, entry.size + 1), // all of it fits: no pieces to concatenate
    })
  } catch (error) {
    throw inflateProblem(error, entry)
  }
}

/** Yields the content of an entry that is inflated in pieces, never more than it declares. */
async function* inflatedPieces(read: ReadAt, at: number, entry: LocatedEntry): AsyncGenerator<Buffer> {
  const inflate = createInflateRaw({ chunkSize: PIECE_BYTES, finishFlush: constants.Z_FINISH })
  const source = Readable.from(pieces(read, at, entry.packedSize))
  source.pipe(inflate)
  let size = 0
  try {
    for await (const piece of inflate as AsyncIterable<Buffer>) {
      size += piece.length
      if (size > entry.size) break
      yield piece
    }
  } catch (error) {
    throw error instanceof BadContent ? error : inflateProblem(error, entry)
  } finally {
    source.destroy()
    inflate.destroy()
  }
  if (size > entry.size) throw largerThanDeclared(entry)
}

/** What was found of an entry's content: its `size` in bytes, its CRC-32, and its SHA-256. */
type Found = { size: number; crc: number; sha256: Buffer }

/** Finds it piece by piece. */
class Finder {
  readonly #hash = createHash('sha256')
  readonly #take: Take | undefined
  #size = 0
  #crc = 0

  constructor(take: Take | undefined) {
    this.#take = take
  }

  add(piece: Buffer): void {
    this.#hash.update(piece)
    this.#crc = crc32(piece, this.#crc)
    this.#size += piece.length
    this.#take?.(piece)
    doneWith(piece.length)
  }

  end(): Found {
    return { size: this.#size, crc: this.#crc, sha256: this.#hash.digest() }
  }
}

/** Gets the content piece by piece. The next piece may overwrite the one before. */
type Take = (piece: Buffer) => void

function foundAtOnce(content: Buffer, take: Take | undefined): Found {
  take?.(content)
  doneWith(content.length)
  return { size: content.length, crc: crc32(content), sha256: hash('sha256', content, 'buffer') }
}

async function foundIn(read: ReadAt, at: number, entry: LocatedEntry, take?: Take): Promise<Found> {
  const finder = new Finder(take)
  for await (const piece of inflatedPieces(read, at, entry)) finder.add(piece)
  return finder.end()
}

function foundStored(read: ReadAt, at: number, entry: LocatedEntry, take?: Take): Found {
  const finder = new Finder(take)
  for (const piece of pieces(read, at, entry.packedSize, true)) finder.add(piece)
  return finder.end()
}

/**
 * Inflates one entry, checks its size and CRC, and gives its SHA-256: at once, but for an entry that is large. `take`
 * gets each piece, which is reused.
 */
export function verifyContent(
  read: ReadAt,
  fileSize: number,
  entry: LocatedEntry,
  take?: Take,
): Buffer | Promise<Buffer> {
  const at = bodyOffset(read, entry)
  if (at + entry.packedSize > fileSize) throw new BadContent('its data ends behind the last byte of the zip')
  const sha256Of = (found: Found): Buffer => {
    mustBeAsDeclared(read, at, entry, found)
    return found.sha256
  }
  if (isInPieces(entry)) return foundIn(read, at, entry, take).then(sha256Of)
  const found =
    entry.method === 0 ? foundStored(read, at, entry, take) : foundAtOnce(inflated(read, at, entry), take)
  return sha256Of(found)
}

function mustBeAsDeclared(read: ReadAt, at: number, entry: LocatedEntry, { size, crc }: Found): void {
  if (size !== entry.size) throw new BadContent(`holds ${size} bytes, but its header declares ${entry.size}`)
  if (crc !== entry.crc32) throw new BadContent('checksum error')
  if (entry.hasDescriptor) checkDescriptor(read, at + entry.packedSize, entry)
}
