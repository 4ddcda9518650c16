// Our verdict on a module zip against go's own, for thousands of zips that are wrong, odd, or broken at random; and
// what we know of letters and case against go, for every code point there is.
//
// PLINTH_TEST_SEED and PLINTH_TEST_ZIPS choose other zips and more of them. A zip on which the two disagree is kept
// in a file that the failure names.

import { crc32 } from 'node:zlib'
import t from 'tap'
import { fold, isLetter } from '../../src/gomod/fold.js'
import { UNICODE_VERSION } from '../../src/gomod/unicode-tables.js'
import { needs } from '../support/programs.js'
import { rawZip, type RawArchive, type RawEntry } from '../support/raw-zip.js'
import { zipCases } from '../support/zip-cases.js'
import { buildOracle, goRunes } from '../support/oracle.js'
import { numbersFrom, startJudges } from './judges.js'

const SEED = Number(process.env['PLINTH_TEST_SEED'] ?? 1)
const ZIPS = Number(process.env['PLINTH_TEST_ZIPS'] ?? 3000)

const PREFIXES = [
  'example.com/m@v1.0.0/',
  'example.com/M@v1.0.0-RC1/',
  'example.com/m/v2@v2.1.0/',
  'gopkg.in/x.v3@v3.0.0/',
]
const BAD_PREFIXES = [
  'example.com/m/v2@v1.0.0/',
  'm@v1.0.0/',
  'example.com/m@v1.0/',
  'example.com/m@v1.0.0',
  'example.com/!m@v1.0.0/',
  '',
  '/',
  'example.com/m@v2.0.0/',
  'example.com/m@v2.0.0+incompatible/',
  'example.com/m@v01.0.0/',
  'Example.com/m@v1.0.0/',
  'example.com/con@v1.0.0/',
  'example.com/m@v1.0.0-20191109021931-daa7c04131f5/',
  'example.com/m@v0.0.0-20191109021931-daa7c04131f5/',
]
const ELEMENTS = [
  'a',
  'A',
  'b.go',
  'sub',
  'Sub',
  'go.mod',
  'GO.MOD',
  'Go.mod',
  'LICENSE',
  'vendor',
  'k',
  '\u212a',
  'K',
  'ſ',
  's',
  'µ',
  'μ',
  'Μ',
  'ß',
  'ẞ',
  'ς',
  'σ',
  'İ',
  'ı',
  'i',
  '日本',
  'é',
  'e\u0301',
  '😀',
  '\u0378',
  '\ua7cb',
  '٣',
  '..',
  '.',
  '...',
  'a.',
  '.a',
  '-a',
  'a~1',
  'CON',
  'con.txt',
  'com0',
  'COM1',
  'nul',
  'a b',
  ' a',
  'a ',
  'a:b',
  'a\\b',
  'a*',
  'a?',
  'a"b',
  "a'b",
  'a<',
  'a|b',
  'a`b',
  'a@v1',
  'a!b',
  'a\0b',
  'a\nb',
  '\u007f',
  '\u00a0',
  '\u200b',
  '\ufeff',
  '\ufffd',
  '',
  'x'.repeat(300),
]
const RAW_NAMES = [
  Buffer.from([0xff]),
  Buffer.from([0xc0, 0xaf]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from([0xe9]),
]

function makeZip(random: () => number): Buffer {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
  const chance = (p: number): boolean => random() < p
  const prefix = chance(0.9) ? pick(PREFIXES) : pick(BAD_PREFIXES)
  // most zips keep to a few harmless names, so that the odd thing in them decides
  const tame = chance(0.5)
  const element = (): string =>
    tame && chance(0.9) ? pick(['a', 'b.go', 'sub', 'c', 'd.txt', 'go.mod', 'LICENSE']) : pick(ELEMENTS)
  const makeEntry = (): RawEntry => {
    const path = Array.from({ length: 1 + Math.floor(random() * 3) }, element).join('/')
    const name = `${chance(0.97) ? prefix : pick([...PREFIXES, ...BAD_PREFIXES])}${path}${chance(0.1) ? '/' : ''}`
    const folder = name.endsWith('/')
    const content = folder ? '' : pick(['', 'x', 'package m\n', 'module example.com/m\n', 'y'.repeat(5000)])
    const entry: RawEntry = {
      name: chance(0.01) ? Buffer.concat([Buffer.from(name), pick(RAW_NAMES)]) : name,
      content,
    }
    if (chance(0.3)) entry.method = 0
    if (folder) entry.method = 0
    if (chance(0.02)) entry.method = pick([1, 9, 12, 14, 93, 99])
    if (chance(0.02)) entry.size = pick([0, 1, 100, 0xffffffff, 600 * 2 ** 20, 16 * 2 ** 20 + 1])
    if (chance(0.01)) entry.packedSize = pick([0, 1, 100, 0xffffffff, 0x7fffffff])
    if (chance(0.02)) entry.crc32 = pick([0, 1, crc32(content)])
    if (chance(0.1)) entry.descriptor = pick(['signed', 'bare', 'wrong crc'])
    if (chance(0.01)) entry.localSize = 5
    if (chance(0.01)) entry.flags = pick([0, 1, 0x2000, 0xffff])
    if (chance(0.02)) entry.unixMode = pick([0o120777, 0o40755, 0o10644, 0])
    if (chance(0.05))
      entry.extra = pick([
        Buffer.alloc(4),
        Buffer.from([1, 0, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8]),
        Buffer.from([1, 0, 99, 0]),
        Buffer.alloc(3),
      ])
    if (chance(0.01)) entry.offset = pick([0, 1, 30, 0xffffffff])
    if (chance(0.05)) entry.comment = 'PK\x05\x06'
    return entry
  }
  const entries = Array.from({ length: Math.floor(random() * 6) }, makeEntry)
  const archive: RawArchive = {}
  if (chance(0.1)) archive.zip64 = pick([true, 'entries'])
  if (chance(0.1)) archive.before = Buffer.alloc(Math.floor(random() * 100), 7)
  if (chance(0.5)) archive.offsetsCountBefore = true
  if (chance(0.1))
    archive.comment = pick([
      Buffer.from('hi'),
      Buffer.alloc(64, 'a'),
      Buffer.alloc(3000, 'PK\x05\x06'),
      Buffer.alloc(0xffff, ' '),
    ])
  if (chance(0.05))
    archive.claims = pick([
      { entries: 0 },
      { entries: 7 },
      { size: 0 },
      { offset: 0 },
      { offset: 1000 },
      { entries: 0xffff },
      { size: 0xffff },
      { offset: 0xffffffff },
    ])
  return chance(0.35) ? breakBytes(rawZip(entries, archive), random) : rawZip(entries, archive)
}

/** Flips, cuts, doubles or moves some bytes, wherever it hits. */
function breakBytes(zip: Buffer, random: () => number): Buffer {
  const at = (): number => Math.floor(random() * zip.length)
  let bytes = Buffer.from(zip)
  const times = 1 + Math.floor(random() * 3)
  for (let i = 0; i < times && bytes.length > 0; i++) {
    const [a, b] = [at(), at()].sort((x, y) => x - y) as [number, number]
    const kind = random()
    if (kind < 0.6) bytes[a] = (bytes[a] ?? 0) ^ (1 << Math.floor(random() * 8))
    else if (kind < 0.75) bytes[a] = 0xff
    else if (kind < 0.85) bytes = bytes.subarray(0, Math.max(a, bytes.length - 40))
    else if (kind < 0.95) bytes = Buffer.concat([bytes.subarray(0, a), bytes.subarray(Math.min(b, a + 4))])
    else bytes = Buffer.concat([bytes.subarray(0, b), bytes.subarray(a)])
  }
  return bytes
}

t.test('our verdict on module zips is that of go', needs('go'), async (t) => {
  const judges = startJudges()
  t.teardown(judges.stop)
  const random = numbersFrom(SEED)
  for (const { name, ok, ours, zip } of zipCases()) {
    const before = judges.counts.ours
    t.equal(await judges.compare(zip), undefined, name)
    if (!ok)
      t.equal(judges.counts.ours > before, ours, `${name}: ${ours ? 'a rule of ours' : "go's rule too"}`)
  }
  await judges.compareMany(t, `seed-${SEED}`, ZIPS, () => makeZip(random))
  t.ok(judges.counts.accepted > ZIPS / 20, 'enough of them were good')
})

t.test('letters and case are those of go, for every code point', needs('go'), async (t) => {
  const { unicode, runes } = goRunes(buildOracle())
  const same = unicode === UNICODE_VERSION
  const differ: string[] = []
  for (let code = 0x80; code <= 0x10ffff; code++) {
    if (code >= 0xd800 && code <= 0xdfff) continue
    const char = String.fromCodePoint(code)
    const [letter, folded] = runes.get(code) ?? [false, code]
    // A toolchain with another Unicode may know more letters, or fewer; ours are those of the version we name.
    if (same ? isLetter(char) !== letter : unicode > UNICODE_VERSION && isLetter(char) && !letter)
      differ.push(`U+${code.toString(16)}: letter`)
    const ours = fold(char).codePointAt(0)
    const expected = folded >= 0x41 && folded <= 0x5a ? folded + 0x20 : folded
    if (same && letter && ours !== expected)
      differ.push(`U+${code.toString(16)}: folds to ${ours?.toString(16)}, in go to ${expected.toString(16)}`)
  }
  t.same(differ.slice(0, 20), [], `${unicode} there, ${UNICODE_VERSION} here`)
})
