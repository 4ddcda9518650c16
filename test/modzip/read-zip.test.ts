import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import t from 'tap'
import { problemLine } from '../../src/gomod/problems.js'
import { readModuleZip, type ZipReadOptions } from '../../src/modzip/read-zip.js'
import { rawZip, type RawArchive, type RawEntry } from '../support/raw-zip.js'
import { REFUSED_DIRECTORIES } from '../support/refused-directories.js'
import { zipCases } from '../support/zip-cases.js'

const folder = mkdtempSync(join(tmpdir(), 'plinth-zip-'))
t.teardown(() => rmSync(folder, { recursive: true }))

let count = 0
async function read(zip: Buffer, options?: ZipReadOptions) {
  const path = join(folder, `${count++}.zip`)
  writeFileSync(path, zip)
  const reading = await readModuleZip(path, options)
  rmSync(path)
  return reading
}
const problemsOf = async (zip: Buffer): Promise<string[]> => {
  const reading = await read(zip)
  return reading.ok ? [] : reading.problems.map(problemLine)
}

t.test('every case gets its verdict, with all its reasons', async (t) => {
  for (const { name, ok, problems, warnings, zip } of zipCases()) {
    const reading = await read(zip)
    const found = (reading.ok ? reading.zip.warnings : reading.problems).map(problemLine)
    t.equal(reading.ok, ok, `${name}: ${ok ? 'accepted' : 'refused'} (${found.join(' | ')})`)
    for (const expected of ok ? warnings : problems) {
      t.ok(
        found.some((line) => line.includes(expected)),
        `${name}: says ${expected}`,
        { found },
      )
    }
    t.equal(
      found.length,
      (ok ? warnings : problems).length,
      `${name}: and nothing else (${found.join(' | ')})`,
    )
  }
})

const P = 'example.com/m@v1.0.0/'
const good: RawEntry[] = [
  { name: `${P}go.mod`, content: 'module example.com/m\n' },
  { name: `${P}m.go`, content: 'package m\n' },
]

t.test('archives that are unusual and right are read', async (t) => {
  const table: [what: string, archive: RawArchive][] = [
    ['a plain one', {}],
    ['zip64 records', { zip64: true }],
    ['zip64 records for the number of entries alone', { zip64: 'entries' }],
    ['an end record that is wrong about the size of the directory', { claims: { size: 1 } }],
    ['a comment as git archive --format=zip writes it', { comment: Buffer.alloc(64, 'a') }],
    ['the longest comment', { comment: Buffer.alloc(0xffff, ' ') }],
    ['bytes before it, not counted', { before: Buffer.from('#!/bin/sh\n') }],
    ['bytes before it, counted', { before: Buffer.from('#!/bin/sh\n'), offsetsCountBefore: true }],
    ['zip64 with bytes before it', { zip64: true, before: Buffer.alloc(5000, 1), offsetsCountBefore: true }],
  ]
  const plain = await read(rawZip(good))
  t.ok(plain.ok)
  for (const [what, archive] of table) t.same(await read(rawZip(good, archive)), plain, what)
})

t.test('what is no zip is told from what was cut off', async (t) => {
  const zip = rawZip(good)
  const table: [bytes: Buffer, says: RegExp][] = [
    [Buffer.alloc(0), /^the body is empty/],
    [Buffer.from('hello'), /not a zip.*5 bytes; it starts with "hello"/],
    [Buffer.from([0x1f, 0x8b, 8, 0, 0, 0]), /gzip/],
    [zip.subarray(0, 40), /starts as a zip does, so it was probably cut off/],
    [zip.subarray(0, zip.length - 1), /cut off/],
    [rawZip(good, { claims: { entries: 3 } }), /claims 3 entries, but 2 were found at byte \d+/],
    [rawZip(good, { claims: { entries: 0 } }), /claims 0 entries, but 2 were found/],
    [rawZip(good, { claims: { offset: 0xfffffff0 } }), /no local file header at byte -/],
    [rawZip(good, { claims: { offset: 0x7fffffff, size: 0x7fffffff } }), /claims a central directory/],
  ]
  for (const [bytes, says] of table) t.match((await problemsOf(bytes)).join(), says)
})

t.test('directories that go refuses are refused', async (t) => {
  for (const { what, zip, says } of REFUSED_DIRECTORIES) t.match((await problemsOf(zip())).join(), says, what)
})

t.test('cut off at every byte it is refused, and nothing else happens', async (t) => {
  const zip = rawZip(good)
  const accepted: number[] = []
  for (let length = 0; length < zip.length; length++) {
    if ((await problemsOf(zip.subarray(0, length))).length === 0) accepted.push(length)
  }
  t.same(accepted, [])
})

t.test('hashes are those of go.sum', async (t) => {
  const sha = (text: string): string => createHash('sha256').update(text).digest('hex')
  const h1 = (text: string): string => `h1:${createHash('sha256').update(text).digest('base64')}`
  // in byte order, 'Z' before 'a' and U+FF21 (3 bytes) before U+10400 (4 bytes), which UTF-16 has the other way round
  const names = [`${P}Z`, `${P}a`, `${P}Ａ`, `${P}𐐀`]
  const mod = join(folder, 'go.mod')
  const reading = await read(rawZip(names.toReversed().map((name) => ({ name, content: name }))), { mod })
  t.ok(reading.ok)
  if (!reading.ok) return
  t.equal(reading.zip.zipHash, h1(names.map((name) => `${sha(name)}  ${name}\n`).join('')))
  t.equal(reading.zip.modHash, h1(`${sha('module example.com/m\n')}  go.mod\n`), 'of the synthetic go.mod')
  t.equal(readFileSync(mod, 'utf8'), 'module example.com/m\n')
  t.same(reading.zip.mod, { sha256: sha('module example.com/m\n'), size: 21 })
})

t.test('the module line of a large go.mod is looked for in its first whole lines', async (t) => {
  const warningsOf = async (goMod: string): Promise<string> => {
    const reading = await read(rawZip([{ name: `${P}go.mod`, content: goMod }]))
    return reading.ok ? reading.zip.warnings.map(problemLine).join() : 'refused'
  }
  const comment = (bytes: number): string => `//${'é'.repeat(bytes / 2)}\n`
  t.equal(await warningsOf(`${comment(200_000)}module example.com/m\n${comment(400_000)}`), '')
  t.match(
    await warningsOf(`${comment(400_000)}module example.com/m\n`),
    /no module line .* in its first 256 KiB: go may/,
  )
  const cut = `${comment(256 * 1024 - 20)}module example.com/m\n`
  t.match(await warningsOf(cut), /in its first 256 KiB/, 'no part of a line is taken for one')
})

t.test('an overlap names the entry that it is with', async (t) => {
  const inner = { content: 'x', method: 0 }
  const zip = rawZip([
    { name: `${P}a`, content: 'a'.repeat(200), method: 0 },
    { name: `${P}b`, ...inner, offset: 1 },
    { name: `${P}c`, ...inner, offset: 100 },
  ])
  const lines = await problemsOf(zip)
  t.equal(lines.filter((line) => line.includes(`overlaps the entry "${P}a"`)).length, 2, lines.join())
})

t.test('contents on both sides of what is inflated in one call', async (t) => {
  for (const bytes of [0, 1, 4 * 2 ** 20, 4 * 2 ** 20 + 1, 9 * 2 ** 20]) {
    for (const method of [0, 8]) {
      const content = Buffer.alloc(bytes, 'plinth')
      const entry = { name: `${P}x`, content, method }
      t.same(await problemsOf(rawZip([entry])), [], `${bytes} bytes, method ${method}`)
      t.match(
        await problemsOf(rawZip([{ ...entry, crc32: 1 }])),
        [/checksum error/],
        `${bytes} bytes, wrong CRC`,
      )
      if (bytes > 0 && method === 8) {
        t.match(
          await problemsOf(rawZip([{ ...entry, size: bytes - 1 }])),
          [/larger than declared|declares 0/],
          `${bytes} too long`,
        )
        t.match(await problemsOf(rawZip([{ ...entry, size: bytes + 1 }])), [/declares/], `${bytes} too short`)
        const cut = deflateRawSync(content).subarray(0, -1)
        t.match(
          await problemsOf(rawZip([{ ...entry, packed: cut }])),
          [/cannot be inflated/],
          `${bytes} cut off`,
        )
      }
    }
  }
})

t.test('at most 20 problems are kept, but all are counted', async (t) => {
  const long = 'x'.repeat(20_000)
  const entries = Array.from({ length: 1000 }, (_, i) => ({ name: `${P}a:${i}${long}` }))
  const reading = await read(rawZip(entries))
  const lines = reading.ok ? [] : reading.problems.map(problemLine)
  t.equal(lines.length, 21)
  t.match(lines.at(-1), /^and 980 more problems$/)
  t.ok(
    JSON.stringify(reading).length < 100_000,
    'and long names are cut: a hostile zip fills no memory with them',
  )
})

t.test('a zip of over 500 MiB is not even opened', async (t) => {
  const path = join(folder, 'large.zip')
  writeFileSync(path, '')
  truncateSync(path, 500 * 2 ** 20 + 1)
  const reading = await readModuleZip(path)
  t.match(
    reading.ok ? '' : reading.problems.map(problemLine).join(),
    /too large \(524288001 bytes; limit is 524288000 bytes\)/,
  )
})

t.test('a file that is not there is an error, not a verdict', async (t) => {
  await t.rejects(readModuleZip(join(folder, 'nothing.zip')), { code: 'ENOENT' })
})
