// Zips that attack their reader.

import { randomBytes } from 'node:crypto'
import { crc32, deflateRawSync } from 'node:zlib'
import { rawZip, type RawEntry } from './raw-zip.js'
import { REFUSED_DIRECTORIES } from './refused-directories.js'

const P = 'example.com/hostile@v1.0.0/'
const MIB = 2 ** 20

/** What the service should answer, and what its text should say. */
type HostileZip = { what: string; zip: () => Buffer; status: number; says?: RegExp }

const honest: RawEntry = { name: `${P}m.go`, content: 'package m\n' }

/** An end record that claims `entries`, with zip64 records for what 16 bits cannot. */
function lyingEnd(entries: bigint, directoryBytes: bigint): Buffer {
  const zip = rawZip([honest], { zip64: true })
  const end64 = zip.length - 22 - 20 - 56
  zip.writeBigUInt64LE(entries, end64 + 24)
  zip.writeBigUInt64LE(entries, end64 + 32)
  zip.writeBigUInt64LE(directoryBytes, end64 + 40)
  return zip
}

/** 300 MiB of zeros in some 300 kB. */
const bomb = (): Buffer => deflateRawSync(Buffer.alloc(300 * MIB), { level: 9 })
const zerosCrc = (): number => {
  const piece = Buffer.alloc(MIB)
  let crc = 0
  for (let i = 0; i < 300; i++) crc = crc32(piece, crc)
  return crc
}

const many = (count: number, module: string): Buffer =>
  rawZip(
    (function* () {
      for (let i = 0; i < count; i++)
        yield { name: `${module}@v1.0.0/d${i % 100}/f${i}.go`, content: '', method: 0 }
    })(),
  )

/** The same local entry, `count` times in the directory: a kilobyte that stands for terabytes. */
const overlapping = (count: number): Buffer => {
  const packed = deflateRawSync(Buffer.alloc(4 * MIB))
  const first: RawEntry = { name: `${P}f0`, packed, size: 4 * MIB, crc32: crc32(Buffer.alloc(4 * MIB)) }
  const others = Array.from({ length: count }, (_, i) => ({
    ...first,
    name: `${P}f${i + 1}`,
    packed: Buffer.alloc(0),
    packedSize: packed.length,
    offset: 0,
  }))
  return rawZip([first, ...others])
}

export const HOSTILE: readonly HostileZip[] = [
  ...REFUSED_DIRECTORIES.map((one) => ({ ...one, status: 400 })),
  {
    what: 'an end record of 2·10⁸ entries',
    zip: () => lyingEnd(200_000_000n, 50n),
    status: 400,
    says: /claims/,
  },
  {
    what: 'an end record of 4·10⁹ entries',
    zip: () => lyingEnd(4_000_000_000n, 184_000_000_000n),
    status: 400,
    says: /claims/,
  },
  { what: 'an end record of 2⁶³ entries', zip: () => lyingEnd(2n ** 63n, 46n), status: 400, says: /claims/ },
  { what: 'an end record alone', zip: () => rawZip([]), status: 400, says: /no entries/ },
  { what: 'end records only, 3 MB of them', zip: () => Buffer.alloc(3 * MIB, rawZip([])), status: 400 },
  {
    what: 'a bomb of 300 MiB that declares 10 bytes',
    zip: () => rawZip([{ name: `${P}m.go`, packed: bomb(), size: 10, crc32: 1 }]),
    status: 400,
    says: /larger than declared size \(10 bytes\)/,
  },
  {
    what: 'a bomb of 300 MiB that declares all of it, twice',
    zip: () => {
      const entry = { packed: bomb(), size: 300 * MIB, crc32: 1 }
      return rawZip([
        { name: `${P}a`, ...entry },
        { name: `${P}b`, ...entry },
      ])
    },
    status: 400,
    says: /total uncompressed size of module contents too large/,
  },
  {
    what: 'a bomb of 300 MiB that is honest: go takes it, so do we',
    zip: () =>
      rawZip([{ name: 'example.com/bomb@v1.0.0/zeros', packed: bomb(), size: 300 * MIB, crc32: zerosCrc() }]),
    status: 201,
  },
  {
    what: 'a bomb as go.mod',
    zip: () => rawZip([{ name: `${P}go.mod`, packed: bomb(), size: 16 * MIB, crc32: 1 }]),
    status: 400,
    says: /larger than declared/,
  },
  {
    what: '5,000 entries over the same bytes',
    zip: () => overlapping(5000),
    status: 400,
    says: /overlaps the entry/,
  },
  { what: 'sizes that lie', zip: () => rawZip([{ ...honest, size: 5 }]), status: 400, says: /declared size/ },
  {
    what: 'a packed size beyond the file',
    zip: () => rawZip([{ ...honest, packedSize: 0x7fffffff }]),
    status: 400,
    says: /ends behind the last byte/,
  },
  {
    what: 'a CRC that lies',
    zip: () => rawZip([{ ...honest, crc32: 7 }]),
    status: 400,
    says: /checksum error/,
  },
  {
    what: 'a local header that says more than the directory',
    zip: () => rawZip([{ name: `${P}m.go`, content: '', method: 0, localSize: 500_000_000 }]),
    status: 201,
  },
  {
    what: 'an encrypted entry',
    zip: () => rawZip([{ ...honest, flags: 1 }]),
    status: 400,
    says: /encrypted/,
  },
  {
    what: 'an unknown method',
    zip: () => rawZip([{ ...honest, method: 99 }]),
    status: 400,
    says: /compression method 99/,
  },
  {
    what: 'random bytes as deflate',
    zip: () => rawZip([{ ...honest, packed: randomBytes(5 * MIB) }]),
    status: 400,
  },
  {
    what: 'a name that is no UTF-8',
    zip: () => rawZip([{ name: Buffer.concat([Buffer.from(P), Buffer.from([0xff, 0xfe])]) }]),
    status: 400,
    says: /invalid UTF-8/,
  },
  {
    what: 'a NUL in a name',
    zip: () => rawZip([{ name: `${P}a\0b` }]),
    status: 400,
    says: /a\\u0000b: malformed file path/,
  },
  {
    what: 'names that climb',
    zip: () => rawZip([{ name: `${P}../../../../etc/passwd` }]),
    status: 400,
    says: /not clean/,
  },
  {
    what: 'a name of 65,535 bytes',
    zip: () => rawZip([{ name: `${P}${'a/'.repeat(32_000)}`.padEnd(65_535, 'b') }]),
    status: 400,
    says: /too long/,
  },
  {
    what: 'a go.mod of slashes that a careless expression takes forever with',
    zip: () =>
      rawZip([
        {
          name: 'example.com/slashes@v1.0.0/go.mod',
          content: `${'/'.repeat(2e6)}\rx\nmodule example.com/slashes\n`,
        },
      ]),
    status: 201,
  },
  {
    what: 'a go.mod with a module path of 5 million characters',
    zip: () => rawZip([{ name: 'example.com/long@v1.0.0/go.mod', content: `module ${'x'.repeat(5e6)}\n` }]),
    status: 201,
    says: /no module line that can be read in its first 256 KiB/,
  },
  {
    what: '400 paths of 1,700 folders',
    zip: () =>
      rawZip(
        (function* () {
          for (let i = 0; i < 400; i++) yield { name: `${P}${i}x/${'A/'.repeat(1700)}f`, method: 0 }
        })(),
      ),
    status: 400,
    says: /one of over 250000 files and folders/,
  },
  {
    what: '20 names of 60,000 bytes that none should have',
    zip: () => rawZip(Array.from({ length: 20 }, (_, i) => ({ name: `${P}${i}${'\u202e'.repeat(20_000)}` }))),
    status: 400,
    says: /invalid char/,
  },
  { what: '50,000 entries', zip: () => many(50_000, 'example.com/many'), status: 201 },
  {
    what: '70,000 entries, which 16 bits cannot count',
    zip: () => many(70_000, 'example.com/more'),
    status: 201,
  },
  {
    what: '200,001 entries',
    zip: () => many(200_001, 'example.com/most'),
    status: 400,
    says: /over 200000 entries/,
  },
  {
    what: '100,000 problems',
    zip: () =>
      rawZip(
        (function* () {
          for (let i = 0; i < 100_000; i++) yield { name: `${P}a:${i}`, method: 0 }
        })(),
      ),
    status: 400,
    says: /and 99980 more problems/,
  },
]
