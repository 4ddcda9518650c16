// Zips whose offsets are sums of huge numbers: the end record's base is far below 0, and an entry's offset is as far
// above. go adds them in 64 bits, and finds the entry.

import { crc32 } from 'node:zlib'
import { rawZip } from './raw-zip.js'

const P = 'example.com/m@v1.0.0/'
const END64 = 'PK\x06\x06'
const first = 'module example.com/m\n// plumless\n'
const second = 'module example.com/m\n// buckeroo\n'

const offsetField = (value: bigint): Buffer => {
  const field = Buffer.alloc(12)
  field.writeUInt16LE(1, 0)
  field.writeUInt16LE(8, 2)
  field.writeBigInt64LE(BigInt.asIntN(64, value), 4)
  return field
}

/** The zip's one entry is `off` bytes behind the second of two local headers, whose contents have one CRC. */
function shifted(huge: bigint, off: number): Buffer {
  const before = rawZip([{ name: `${P}go.mod`, content: first, method: 0 }])
  const local = before.subarray(0, before.indexOf('PK\x01\x02', 0, 'latin1'))
  const extra = offsetField(huge + BigInt(local.length + off))
  const entry = { name: `${P}go.mod`, content: second, method: 0, extra, offset: 0xffffffff }
  const zip = rawZip([entry], { zip64: true, before: local, offsetsCountBefore: true })
  const end = zip.lastIndexOf(END64, undefined, 'latin1')
  zip.writeBigUInt64LE(BigInt.asUintN(64, zip.readBigUInt64LE(end + 48) + huge), end + 48)
  return zip
}

if (crc32(first) !== crc32(second)) throw new Error('the contents must have the same CRC')

export const SHIFTED_DIRECTORIES: readonly { what: string; zip: () => Buffer }[] = [
  0n,
  40n,
  52n,
  53n,
  60n,
  62n,
].flatMap((power) =>
  [0, 1, -1, 100].map((off) => ({
    what: `offsets shifted by 2^${power}, the entry's by ${off} more`,
    zip: () => shifted(power === 0n ? 0n : 2n ** power, off),
  })),
)
