// Parses the central directory of a zip. The only file that touches unzipper.
//
// unzipper does not see the archive's own end record: that may claim 4·10⁹ entries (an endless loop) or be where
// unzipper does not look. We locate and measure the directory as go does, and give unzipper just those bytes with an
// end record of our own.

import { Readable } from 'node:stream'
import { Open } from 'unzipper'
import type { LocatedEntry } from './zip-content.js'
import type { ReadAt, ZipDirectory } from './zip-directory.js'

// An entry of unzipper 0.12, with the fields that its type definitions leave out.
type UnzipperEntry = {
  pathBuffer: Buffer | ''
  flags: number
  versionMadeBy: number
  compressionMethod: number
  crc32: number
  compressedSize: number | null
  uncompressedSize: number | null
  externalFileAttributes: number
  offsetToLocalFileHeader: number | null
}

// The type definitions leave the options out, too.
const openCustom = Open.custom as unknown as (
  source: { size: () => Promise<number>; stream: (offset: number, length?: number) => Readable },
  options: { tailSize: number },
) => Promise<{ files: UnzipperEntry[] }>

// A zip64 end record, its locator, and an end record that refers to them (APPNOTE.TXT 4.3.14–4.3.16)
function endRecords(directory: ZipDirectory): Buffer {
  const end = Buffer.alloc(56 + 20 + 22)
  end.writeUInt32LE(0x06064b50, 0)
  end.writeBigUInt64LE(44n, 4)
  end.writeBigUInt64LE(BigInt(directory.entries), 24)
  end.writeBigUInt64LE(BigInt(directory.entries), 32)
  end.writeBigUInt64LE(BigInt(directory.bytes), 40)
  end.writeUInt32LE(0x07064b50, 56)
  end.writeBigUInt64LE(BigInt(directory.bytes), 64)
  end.writeUInt32LE(1, 72)
  end.writeUInt32LE(0x06054b50, 76)
  end.fill(0xff, 80, 96)
  return end
}

/** All entries of the central directory that {@link locateDirectory} found. */
export async function readEntries(read: ReadAt, directory: ZipDirectory): Promise<LocatedEntry[]> {
  const bytes = Buffer.concat([read(directory.offset, directory.bytes), endRecords(directory)])
  const { files } = await openCustom(
    { size: async () => bytes.length, stream: (offset) => Readable.from(chunks(bytes, offset)) },
    { tailSize: 22 },
  )
  return files.map((file) => ({
    name: Buffer.from(file.pathBuffer), // '' for an empty name
    size: file.uncompressedSize ?? Infinity,
    packedSize: file.compressedSize ?? Infinity,
    crc32: file.crc32,
    method: file.compressionMethod,
    encrypted: (file.flags & 1) !== 0,
    hasDescriptor: (file.flags & 8) !== 0,
    unixMode: [3, 19].includes(file.versionMadeBy >> 8) ? file.externalFileAttributes >>> 16 : 0, // Unix, macOS
    offset: directory.base + (file.offsetToLocalFileHeader ?? Infinity),
  }))
}

function* chunks(bytes: Buffer, from: number): Generator<Buffer> {
  for (let at = from; at < bytes.length; at += 65536) yield bytes.subarray(at, at + 65536)
}
