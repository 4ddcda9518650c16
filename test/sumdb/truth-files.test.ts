// The files `records` and `heads`, cut and zero-filled anywhere.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { AppendFile } from '../../src/store/append-file.js'
import { headLine, readHeads, readTail } from '../../src/sumdb/heads-file.js'
import { newSigner, signatureOf } from '../../src/sumdb/note.js'
import { recordText } from '../../src/sumdb/record.js'
import { lastRecords, readRecords } from '../../src/sumdb/records-file.js'
import { nthVersion, someSums } from '../support/checksum-database.js'
import { memoryFolder } from '../support/temp-folder.js'

const folder = memoryFolder()
let files = 0

/** A file with these bytes. */
function fileOf(content: string | Buffer): AppendFile {
  const path = join(folder, String(files++))
  writeFileSync(path, content)
  return new AppendFile(path)
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

const RECORDS = Array.from({ length: 2000 }, (_, n) => recordText(nthVersion(n), someSums(String(n))))
const joined = (records: readonly string[]): string => records.map((record) => `${record}\n`).join('')

t.test('records are read in pieces, from the beginning and from the end', async (t) => {
  const text = joined(RECORDS)
  const file = fileOf(text) // longer than a piece, and than a block
  t.same(await all(readRecords(file, 0, text.length)), RECORDS)
  const from = joined(RECORDS.slice(0, 700)).length
  t.same(await all(readRecords(file, from, text.length)), RECORDS.slice(700))
  t.same(await all(readRecords(file, from, from)), [])
  for (const count of [0, 1, 2, 255, 600, 2000])
    t.same(await lastRecords(file, text.length, count), RECORDS.slice(2000 - count), String(count))
  t.same(await lastRecords(file, from, 700), RECORDS.slice(0, 700))
  await t.rejects(lastRecords(file, text.length, 2001), { name: 'DamagedLog' })
})

t.test('records that are cut or zeros are no records', async (t) => {
  const text = joined(RECORDS.slice(0, 3))
  const last = joined(RECORDS.slice(0, 2)).length
  for (let cut = 1; cut < text.length; cut += 3) {
    const torn = fileOf(text.slice(0, cut))
    await t.rejects(all(readRecords(torn, 0, text.length)), { name: 'DamagedLog' }, `cut at ${cut}`)
    if (cut > last) await t.rejects(all(readRecords(torn, 0, cut)), { name: 'DamagedLog' }, `cut at ${cut}`)
    await t.rejects(lastRecords(torn, text.length, 1), { name: 'DamagedLog' })
    if (cut > last) {
      const zeros = fileOf(Buffer.concat([Buffer.from(text.slice(0, cut)), Buffer.alloc(text.length - cut)]))
      await t.rejects(all(readRecords(zeros, 0, text.length)), { name: 'DamagedLog' }, `zeros from ${cut}`)
    }
  }
  await t.rejects(all(readRecords(fileOf(Buffer.alloc(10 ** 6)), 0, 10 ** 6)), { name: 'DamagedLog' })
  await t.rejects(lastRecords(fileOf(Buffer.alloc(10 ** 6)), 10 ** 6, 1), { name: 'DamagedLog' })
})

const signer = newSigner('sum.example.com')
const HEADS = Array.from({ length: 60 }, (_, n) => {
  const unsigned = { size: n + 1, root: Buffer.alloc(32, n) }
  return { ...unsigned, bytes: 100 * n, signature: signatureOf(signer, unsigned) }
})
const lines = (from: number, to: number): string => HEADS.slice(from, to).map(headLine).join('')

t.test('the last heads are found at the end of the file, whatever is torn there', async (t) => {
  for (const count of [0, 1, 2, 59]) {
    const text = lines(0, count)
    const next = headLine(HEADS[count] ?? HEADS[0]!)
    for (let cut = 0; cut <= next.length; cut++)
      for (const behind of [
        '',
        '\0'.repeat(next.length - cut),
        '\0'.repeat(Math.max(0, next.length - cut - 1)) + '\n',
      ]) {
        if (cut % (count === 59 ? 16 : 3) > 0 && cut < next.length - 2) continue
        const torn = `${text}${next.slice(0, cut)}${cut === next.length ? '' : behind}`
        const { lines: found, isDamaged, isCut } = await readTail(fileOf(torn), signer)
        const whole = torn === text + next ? count + 1 : count
        t.same([isDamaged, isCut], [false, count === 59], `${count} heads, cut at ${cut}`)
        t.equal(found.at(-1)?.head.size, whole || undefined)
        t.equal(found.at(-1)?.end ?? 0, lines(0, whole).length)
        t.equal(found[0]?.start, count === 59 ? found[0]?.start : whole > 0 ? 0 : undefined)
        for (const { head, start, end } of found) t.equal(torn.slice(start, end), headLine(head))
      }
  }
})

t.test('a line that is no head, before the last one', async (t) => {
  const text = lines(0, 5)
  const [first = '', second = ''] = text.split('\n')
  const wrong = {
    'another size': text.replace(second, second.replace(/^2/, '7')),
    'another root': text.replace(second, second.replace('AQEB', 'AQEC')),
    'another signature': text.replace(
      second,
      second.replace(/ (\S)(\S+)$/, (_, a: string, b: string) => ` ${a === 'A' ? 'B' : 'A'}${b}`),
    ),
    'a line that is empty': text.replace(second, ''),
    'two lines in one': text.replace(`${first}\n`, first),
    'a byte more': text.replace(second, `${second} `),
    zeros: text.replace(second, '\0'.repeat(second.length)),
    'the key of another': null,
  }
  for (const [what, other] of Object.entries(wrong)) {
    const verifier = other === null ? newSigner('sum.example.com') : signer
    const file = fileOf(other ?? text)
    t.equal((await readTail(file, verifier)).isDamaged, true, what)
    await t.rejects(
      all(readHeads(file, { start: 0, end: await file.size() }, verifier)),
      { name: 'DamagedLog' },
      what,
    )
  }
  const file = fileOf(text)
  t.same(await all(readHeads(file, { start: 0, end: text.length }, signer)), HEADS.slice(0, 5))
  t.same(await all(readHeads(file, { start: lines(0, 2).length, end: text.length })), HEADS.slice(2, 5))
  await t.rejects(all(readHeads(file, { start: 0, end: text.length - 1 })), { name: 'DamagedLog' })
  await t.rejects(all(readHeads(fileOf(Buffer.alloc(10 ** 6)), { start: 0, end: 10 ** 6 })), {
    name: 'DamagedLog',
  })
})
