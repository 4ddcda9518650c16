// Our reading of a zip's central directory against that of go: good module zips whose directory and end records are
// mutated where they hurt: sizes, offsets, counts, lengths, zip64 fields, and where the directory or the file ends.
//
// PLINTH_TEST_SEED and PLINTH_TEST_DIRECTORIES choose other mutations and more of them.

import t from 'tap'
import { needs } from '../support/programs.js'
import { rawZip, type RawArchive, type RawEntry } from '../support/raw-zip.js'
import { REFUSED_DIRECTORIES } from '../support/refused-directories.js'
import { SHIFTED_DIRECTORIES } from '../support/shifted-directories.js'
import { numbersFrom, startJudges } from './judges.js'

const SEED = Number(process.env['PLINTH_TEST_SEED'] ?? 1)
const COUNT = Number(process.env['PLINTH_TEST_DIRECTORIES'] ?? 10_000)

const P = 'example.com/m@v1.0.0/'
const HEADER = 'PK\x01\x02'
const END = 'PK\x05\x06'
const END64 = 'PK\x06\x06'

/** The fields of a header and of the end records: where they are, and how many bytes they have. */
const HEADER_FIELDS = [
  [4, 2],
  [8, 2],
  [10, 2],
  [16, 4],
  [20, 4],
  [24, 4],
  [28, 2],
  [30, 2],
  [32, 2],
  [38, 4],
  [42, 4],
] as const
const END_FIELDS = [
  [4, 2],
  [8, 2],
  [10, 2],
  [12, 4],
  [16, 4],
  [20, 2],
] as const
const END64_FIELDS = [
  [4, 8],
  [24, 8],
  [32, 8],
  [40, 8],
  [48, 8],
  [56, 4],
  [60, 4],
  [64, 8],
  [72, 4],
] as const

type Choice = ReturnType<typeof choiceOf>

function choiceOf(random: () => number) {
  const below = (limit: number): number => Math.floor(random() * limit)
  return {
    below,
    of: <T>(values: readonly T[]): T => values[below(values.length)] as T,
    chance: (p: number): boolean => random() < p,
  }
}

const zip64Field = (claimed: number, ...values: bigint[]): Buffer => {
  const field = Buffer.alloc(4 + 8 * values.length)
  field.writeUInt16LE(1, 0)
  field.writeUInt16LE(claimed, 2)
  values.forEach((value, i) => field.writeBigUInt64LE(value, 4 + 8 * i))
  return field
}

/** Extra fields as archivers write them, and as nobody should. */
function extraOf({ of, below }: Choice, size: bigint, packedSize: bigint): Buffer {
  const field = of([
    zip64Field(8, size),
    zip64Field(16, size, packedSize),
    zip64Field(16, packedSize, size),
    zip64Field(24, size, packedSize, 0n),
    zip64Field(below(40), size, packedSize, 0n),
    zip64Field(8, of([0n, 1n, 2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n])),
    zip64Field(0),
    Buffer.from([0x55, 0x54, 5, 0, 1, 2, 3, 4, 5]), // a time
    Buffer.from([0x0a, 0, 4, 0, 0, 0, 0, 0]),
    Buffer.alloc(below(6)),
  ])
  return Buffer.concat([of([Buffer.alloc(0), Buffer.alloc(4), field]), field])
}

function makeArchive(choice: Choice): Buffer {
  const { of, chance, below } = choice
  const entry = (name: string): RawEntry => {
    const content = of(['', 'x', 'package m\n', 'y'.repeat(300)])
    const made: RawEntry = { name: P + name, content, method: of([0, 8]) }
    if (chance(0.4)) {
      const size = BigInt(content.length)
      made.extra = extraOf(choice, size, size)
      made.method = 0
      if (chance(0.5)) made.size = 0xffffffff
      if (chance(0.4)) made.packedSize = 0xffffffff
      if (chance(0.2)) made.offset = 0xffffffff
    }
    if (chance(0.2)) made.comment = of(['c', END, HEADER, 'x'.repeat(60)])
    if (chance(0.15)) made.descriptor = of(['signed', 'bare'])
    return made
  }
  const names = ['go.mod', 'a.go', 'b/c.go', 'LICENSE'].slice(0, 1 + below(4))
  const archive: RawArchive = {}
  if (chance(0.3)) archive.zip64 = of([true, 'entries'])
  if (chance(0.2)) archive.before = of([Buffer.from('#!/bin/sh\n'), Buffer.alloc(below(200), 'PK')])
  if (chance(0.5)) archive.offsetsCountBefore = true
  if (chance(0.2)) archive.comment = of([Buffer.from('c'), Buffer.alloc(of([45, 46, 1002, 1003, 2000]), 'x')])
  return rawZip(names.map(entry), archive)
}

/** Where `signature` is in the bytes, at every place. */
function placesOf(bytes: Buffer, signature: string): number[] {
  const places: number[] = []
  for (
    let at = bytes.indexOf(signature, 0, 'latin1');
    at >= 0;
    at = bytes.indexOf(signature, at + 1, 'latin1')
  )
    places.push(at)
  return places
}

const insert = (bytes: Buffer, at: number, added: Buffer): Buffer =>
  Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at)])

type Width = 2 | 4 | 8

function write(bytes: Buffer, at: number, width: Width, value: bigint): void {
  if (at < 0 || at + width > bytes.length) return
  const field = Buffer.alloc(8)
  field.writeBigUInt64LE(BigInt.asUintN(8 * width, value))
  field.copy(bytes, at, 0, width)
}

const readField = (bytes: Buffer, at: number, width: Width): bigint =>
  at >= 0 && at + width <= bytes.length
    ? BigInt.asUintN(
        8 * width,
        Buffer.concat([bytes.subarray(at, at + width), Buffer.alloc(8)]).readBigUInt64LE(),
      )
    : 0n

/** Writes a value that hurts into a field: the largest, zero, one more or less, a place in the file or behind it. */
function hurt(bytes: Buffer, at: number, width: Width, { of, below }: Choice): void {
  const most = 2n ** BigInt(8 * width) - 1n
  const now = readField(bytes, at, width)
  const places = [bytes.length, bytes.length - at, bytes.length - at - 46, below(bytes.length + 100)].map(
    BigInt,
  )
  const values = [
    0n,
    1n,
    most,
    most - 1n,
    most >> 1n,
    now + 1n,
    now - 1n,
    now ^ (1n << BigInt(below(8 * width))),
  ]
  write(bytes, at, width, of([...values, ...places]))
}

/** A mutation returns the bytes, changed in place or new ones. */
type Mutation = (bytes: Buffer, choice: Choice) => Buffer

const hurtOne =
  (signature: string, fields: readonly (readonly [number, Width])[]): Mutation =>
  (bytes, choice) => {
    const places = placesOf(bytes, signature)
    const [offset, width] = choice.of(fields)
    if (places.length > 0) hurt(bytes, choice.of(places) + offset, width, choice)
    return bytes
  }

/** Lets a header end where the file ends, or one byte before or behind. */
const endAtEndOfFile: Mutation = (bytes, { of }) => {
  const places = placesOf(bytes, HEADER)
  const at = of([places.at(-1), of(places)]) ?? 0
  const [name, extra, comment] = [28, 30, 32].map((field) => Number(readField(bytes, at + field, 2))) as [
    number,
    number,
    number,
  ]
  const rest = bytes.length - at - 46 - name - extra - comment + of([0, 0, 0, 1, -1])
  const field = of([32, 32, 30, 28])
  write(bytes, at + field, 2, readField(bytes, at + field, 2) + BigInt(rest))
  return bytes
}

/** Puts a piece of a header before the end record: with what follows it may be a header that the file has no room for. */
const startHeaderBeforeEnd: Mutation = (bytes, { of, below }) => {
  const end = placesOf(bytes, of([END, END, END64])).at(-1) ?? bytes.length
  const piece = Buffer.alloc(of([4, 24, 24, 46, below(50)]))
  piece.write(HEADER, 'latin1')
  return insert(bytes, end, piece)
}

/** The end record counts the headers that are there, and has the right size and offset of the directory. */
const countAnew: Mutation = (bytes, { chance }) => {
  const [headers, end] = [placesOf(bytes, HEADER), placesOf(bytes, END).at(-1)]
  if (end === undefined) return bytes
  write(bytes, end + 8, 2, BigInt(headers.length))
  write(bytes, end + 10, 2, BigInt(headers.length))
  if (chance(0.5)) write(bytes, end + 12, 4, BigInt(end - (headers[0] ?? end)))
  if (chance(0.5)) write(bytes, end + 16, 4, BigInt(headers[0] ?? end))
  return bytes
}

const MUTATIONS: readonly Mutation[] = [
  hurtOne(HEADER, HEADER_FIELDS),
  hurtOne(HEADER, HEADER_FIELDS),
  hurtOne(END, END_FIELDS),
  hurtOne(END64, END64_FIELDS),
  hurtOne('\x01\x00', [
    [0, 2],
    [2, 2],
    [4, 8],
    [12, 8],
  ]), // perhaps a zip64 field
  endAtEndOfFile,
  startHeaderBeforeEnd,
  countAnew,
  countAnew,
  // a header twice, or once less
  (bytes, { of, chance }) => {
    const [from = 0, to = from] = placesOf(bytes, of([HEADER, END])).slice(-2)
    return chance(0.5)
      ? insert(bytes, from, bytes.subarray(from, to))
      : Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)])
  },
  // some bytes more or less, anywhere in the directory or behind it
  (bytes, { of, below }) => {
    const at = (placesOf(bytes, HEADER)[0] ?? 0) + below(bytes.length)
    return of([
      insert(
        bytes,
        at,
        of([Buffer.alloc(below(4)), Buffer.from(HEADER, 'latin1'), Buffer.from(END, 'latin1')]),
      ),
      Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + below(4))]),
      Buffer.concat([bytes, Buffer.alloc(1 + below(30))]),
      bytes.subarray(0, bytes.length - 1 - below(30)),
    ])
  },
  // a bit
  (bytes, { below }) => {
    const start = placesOf(bytes, HEADER)[0] ?? 0
    const at = start + below(bytes.length - start)
    bytes[at] = (bytes[at] ?? 0) ^ (1 << below(8))
    return bytes
  },
]

t.test('our reading of central directories is that of go', needs('go'), async (t) => {
  const judges = startJudges()
  t.teardown(judges.stop)
  for (const { what, zip } of REFUSED_DIRECTORIES) {
    t.equal(await judges.compare(zip()), undefined, what)
    t.equal(judges.counts.ours, 0, `${what}: go refuses it, too`)
  }
  for (const { what, zip } of SHIFTED_DIRECTORIES) t.equal(await judges.compare(zip()), undefined, what)
  const choice = choiceOf(numbersFrom(SEED))
  await judges.compareMany(t, `directory-${SEED}`, COUNT, () => {
    let zip = makeArchive(choice)
    for (let i = choice.below(4); i > 0; i--) zip = choice.of(MUTATIONS)(zip, choice)
    return zip
  })
  t.ok(judges.counts.accepted > COUNT / 20, 'enough of them were good')
})
