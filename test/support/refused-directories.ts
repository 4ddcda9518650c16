// Zips whose central directory go's archive/zip refuses, though other readers take it.

import { rawZip } from './raw-zip.js'

const P = 'example.com/eof@v1.0.0/'
const entry = { name: `${P}go.mod`, content: 'module example.com/eof\n', method: 0 }
const END_BYTES = 22

/** The last header's comment is the end record, so the file ends where the next header would begin. */
function commentToTheEnd(): Buffer {
  const zip = rawZip([entry])
  zip.writeUInt16LE(END_BYTES, zip.lastIndexOf('PK\x01\x02', undefined, 'latin1') + 32)
  return zip
}

/** 24 bytes before the end record make a header of 46 with it. Its comment would begin at the end of the file. */
function headerOverTheEnd(): Buffer {
  const zip = rawZip([entry])
  const endAt = zip.length - END_BYTES
  const piece = Buffer.alloc(24)
  piece.write('PK\x01\x02', 'latin1')
  zip.writeUInt32LE(zip.readUInt32LE(endAt + 12) + piece.length, endAt + 12)
  return Buffer.concat([zip.subarray(0, endAt), piece, zip.subarray(endAt)])
}

/** A size of 2³²-1, and a zip64 field for it that claims more bytes than the extra area has: go believes the size. */
function fieldTooLong(): Buffer {
  const field = Buffer.alloc(12)
  field.writeUInt16LE(1, 0)
  field.writeUInt16LE(24, 2)
  field.writeBigUInt64LE(BigInt(entry.content.length), 4)
  const zip = rawZip([{ ...entry, extra: field, size: 0xffffffff }])
  zip.writeUInt32LE(entry.content.length, 22) // the local header is honest
  return zip
}

export const REFUSED_DIRECTORIES: readonly { what: string; zip: () => Buffer; says: RegExp }[] = [
  { what: 'a comment that ends with the file', zip: commentToTheEnd, says: /the file ends where/ },
  { what: 'a header that ends with the file', zip: headerOverTheEnd, says: /the file ends where/ },
  { what: 'a zip64 field longer than its area', zip: fieldTooLong, says: /too large|two sizes differ/ },
]
