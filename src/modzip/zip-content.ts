// The contents of one zip entry, held against what its headers declare: never more bytes than that, the right CRC.
// Follows Go's archive/zip where it reads (findBodyOffset, checksumReader), and is stricter where that lets pass.

import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { constants, crc32, createInflateRaw, inflateRawSync } from 'node:zlib'
import type { ZipEntry } from '../gomod/check-zip.js'
import type { ReadAt } from './zip-directory.js'

/** An entry and the byte its local header stands at; `hasDescriptor`: sizes and CRC stand behind the data, too. */
export type LocatedEntry = ZipEntry & { offset: number; hasDescriptor: boolean }

/** Thrown for one entry whose content is not what its header says. */
export class BadContent extends Error {}

// archive/zip findBodyOffset
export function bodyOffset(read: ReadAt, entry: LocatedEntry): number {
  const header =
    Number.isSafeInteger(entry.offset) && entry.offset >= 0 ? read(entry.offset, 30) : Buffer.alloc(0)
  if (header.length < 30 || header.readUInt32LE(0) !== 0x04034b50) {
    throw new BadContent(`no local file header at byte ${entry.offset}, where the central directory points`)
  }
  return entry.offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28)
}

// archive/zip readDataDescriptor: with or without its signature, the CRC in it must be that of the directory.
function checkDescriptor(read: ReadAt, at: number, entry: LocatedEntry): void {
  const descriptor = read(at, 16)
  const crcAt = descriptor.length >= 4 && descriptor.readUInt32LE(0) === 0x08074b50 ? 4 : 0
  if (descriptor.length < crcAt + 12) throw new BadContent('its data descriptor is cut off')
  if (descriptor.readUInt32LE(crcAt) !== entry.crc32)
    throw new BadContent('checksum error in its data descriptor')
}

/** Entries up to this size, packed and unpacked, are inflated in one call; larger ones in pieces. */
const ONE_CALL_BYTES = 2 ** 20
const PIECE_BYTES = 256 * 1024

const inflateProblem = (error: unknown, entry: ZipEntry): BadContent => {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'ERR_BUFFER_TOO_LARGE'
    ? new BadContent(`uncompressed size is larger than declared size (${entry.size} bytes)`)
    : new BadContent(`cannot be inflated: ${error instanceof Error ? error.message : String(error)}`)
}

function* pieces(read: ReadAt, at: number, length: number, passing = false): Generator<Buffer> {
  for (let done = 0; done < length; done += PIECE_BYTES)
    yield read(at + done, Math.min(PIECE_BYTES, length - done), passing)
}

/**
 * The entry's content piece by piece, from byte `at` on ({@link bodyOffset}), never more than it declares. A piece may be
 * overwritten by the next one, if `read` does so.
 */
export async function* contents(read: ReadAt, at: number, entry: LocatedEntry): AsyncGenerator<Buffer> {
  if (entry.method === 0) return yield* pieces(read, at, entry.packedSize, true)
  if (entry.size <= ONE_CALL_BYTES && entry.packedSize <= ONE_CALL_BYTES) {
    try {
      return yield inflateRawSync(read(at, entry.packedSize, true), {
        maxOutputLength: Math.max(1, entry.size),
        chunkSize: Math.min(Math.max(64, entry.size + 1), PIECE_BYTES), // most files fit: nothing is put together
      })
    } catch (error) {
      throw inflateProblem(error, entry)
    }
  }
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
  if (size > entry.size)
    throw inflateProblem(Object.assign(new Error(), { code: 'ERR_BUFFER_TOO_LARGE' }), entry)
}

/** Inflates one entry, holds it against size and CRC, and returns its SHA-256 in hex; `keep` collects its bytes. */
export async function verifyContent(
  read: ReadAt,
  fileSize: number,
  entry: LocatedEntry,
  keep?: Buffer[],
): Promise<string> {
  const at = bodyOffset(read, entry)
  if (at + entry.packedSize > fileSize) throw new BadContent(`its data ends behind the last byte of the zip`)
  const hash = createHash('sha256')
  let size = 0
  let crc = 0
  for await (const piece of contents(read, at, entry)) {
    hash.update(piece)
    crc = crc32(piece, crc)
    size += piece.length
    keep?.push(Buffer.from(piece))
  }
  if (size !== entry.size) throw new BadContent(`holds ${size} bytes, but its header declares ${entry.size}`)
  if (crc !== entry.crc32) throw new BadContent('checksum error')
  if (entry.hasDescriptor) checkDescriptor(read, at + entry.packedSize, entry)
  return hash.digest('hex')
}
