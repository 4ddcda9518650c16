// Zips that say whatever a test wants them to say, honest or not (APPNOTE.TXT 4.3).

import { crc32, deflateRawSync } from 'node:zlib'

/** An entry; what is not given is what an honest deflating archiver would write. */
export type RawEntry = {
  name: string | Buffer
  content?: string | Buffer
  /** 8 deflate, 0 store, or a lie. */
  method?: number
  flags?: number
  /** What both headers declare. */
  size?: number
  packedSize?: number
  crc32?: number
  /** What the local header declares instead. */
  localSize?: number
  /** The bytes of the entry in the archive, instead of the packed content. */
  packed?: Buffer
  unixMode?: number
  madeBy?: number
  extra?: Buffer
  comment?: string
  /** A data descriptor behind the data, with or without its signature. */
  descriptor?: 'signed' | 'bare' | 'wrong crc'
  /** The local header that the directory points to, instead of the entry's own. */
  offset?: number
}

/** What the archive says of itself. */
export type RawArchive = {
  /** Bytes before the first local header, counted in the offsets or not. */
  before?: Buffer
  offsetsCountBefore?: boolean
  comment?: Buffer
  /** Claims of the end record. */
  claims?: { entries?: number; size?: number; offset?: number }
  /** zip64 records for all that the end record says, or for the number of entries alone. */
  zip64?: boolean | 'entries'
}

const MAX32 = 0xffffffff

function packEntry(entry: RawEntry) {
  const content = Buffer.from(entry.content ?? '')
  const method = entry.method ?? 8
  const packed = entry.packed ?? (method === 0 ? content : deflateRawSync(content))
  const name = Buffer.from(entry.name)
  const extra = entry.extra ?? Buffer.alloc(0)
  const flags = (entry.flags ?? 0x800) | (entry.descriptor ? 8 : 0)
  const crc = entry.crc32 ?? crc32(content)
  const size = entry.size ?? content.length
  const packedSize = entry.packedSize ?? packed.length

  const local = Buffer.alloc(30)
  local.writeUInt32LE(0x04034b50, 0)
  local.writeUInt16LE(20, 4)
  local.writeUInt16LE(flags, 6)
  local.writeUInt16LE(method, 8)
  if (!entry.descriptor) {
    local.writeUInt32LE(crc, 14)
    local.writeUInt32LE(packedSize, 18)
    local.writeUInt32LE(entry.localSize ?? size, 22)
  }
  local.writeUInt16LE(name.length, 26)

  const descriptor = Buffer.alloc(entry.descriptor ? 16 : 0)
  if (entry.descriptor) {
    descriptor.writeUInt32LE(0x08074b50, 0)
    descriptor.writeUInt32LE(entry.descriptor === 'wrong crc' ? (crc ^ 1) >>> 0 : crc, 4)
    descriptor.writeUInt32LE(packedSize, 8)
    descriptor.writeUInt32LE(size, 12)
  }

  const header = Buffer.alloc(46)
  header.writeUInt32LE(0x02014b50, 0)
  header.writeUInt16LE(entry.madeBy ?? 0x0314, 4) // Unix
  header.writeUInt16LE(20, 6)
  header.writeUInt16LE(flags, 8)
  header.writeUInt16LE(method, 10)
  header.writeUInt32LE(crc, 16)
  header.writeUInt32LE(packedSize, 20)
  header.writeUInt32LE(size, 24)
  header.writeUInt16LE(name.length, 28)
  header.writeUInt16LE(extra.length, 30)
  header.writeUInt16LE(Buffer.byteLength(entry.comment ?? ''), 32)
  header.writeUInt32LE(((entry.unixMode ?? 0o100644) << 16) >>> 0, 38)
  return {
    data: Buffer.concat([
      local,
      name,
      packed,
      entry.descriptor === 'bare' ? descriptor.subarray(4) : descriptor,
    ]),
    header: Buffer.concat([header, name, extra, Buffer.from(entry.comment ?? '')]),
  }
}

function endRecords(entries: number, size: number, offset: number, at: number, archive: RawArchive): Buffer {
  const end = Buffer.alloc(22)
  const comment = archive.comment ?? Buffer.alloc(0)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(archive.zip64 ? 0xffff : entries % 0x10000, 8)
  end.writeUInt16LE(archive.zip64 ? 0xffff : entries % 0x10000, 10)
  end.writeUInt32LE(archive.zip64 === true ? MAX32 : size, 12)
  end.writeUInt32LE(archive.zip64 === true ? MAX32 : offset, 16)
  end.writeUInt16LE(comment.length, 20)
  if (!archive.zip64) return Buffer.concat([end, comment])
  const end64 = Buffer.alloc(56 + 20)
  end64.writeUInt32LE(0x06064b50, 0)
  end64.writeBigUInt64LE(44n, 4)
  end64.writeBigUInt64LE(BigInt(entries), 24)
  end64.writeBigUInt64LE(BigInt(entries), 32)
  end64.writeBigUInt64LE(BigInt(size), 40)
  end64.writeBigUInt64LE(BigInt(offset), 48)
  end64.writeUInt32LE(0x07064b50, 56)
  end64.writeBigUInt64LE(BigInt(at), 64)
  end64.writeUInt32LE(1, 72)
  return Buffer.concat([end64, end, comment])
}

export function rawZip(entries: Iterable<RawEntry>, archive: RawArchive = {}): Buffer {
  const before = archive.before ?? Buffer.alloc(0)
  const counted = archive.offsetsCountBefore ? before.length : 0
  const parts: Buffer[] = [before]
  const headers: Buffer[] = []
  let at = counted
  for (const entry of entries) {
    const { data, header } = packEntry(entry)
    header.writeUInt32LE(entry.offset ?? at, 42)
    parts.push(data)
    headers.push(header)
    at += data.length
  }
  const directory = Buffer.concat(headers)
  const claims = archive.claims ?? {}
  const end = endRecords(
    claims.entries ?? headers.length,
    claims.size ?? directory.length,
    claims.offset ?? at,
    before.length - counted + at + directory.length,
    archive,
  )
  return Buffer.concat([...parts, directory, end])
}
