import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readerOf } from '../../src/modzip/read-at.js'
import { randomOf } from '../support/random.js'
import { tempFolder } from '../support/temp-folder.js'

const SIZE = 3_000_000
const SCRATCH = 2 ** 18
const bytes = randomBytes(SIZE)

function readerOfBytes(t: Test) {
  const path = join(tempFolder(), 'file')
  writeFileSync(path, bytes)
  const file = openSync(path, 'r')
  t.teardown(() => closeSync(file))
  return readerOf(file, Buffer.alloc(SCRATCH))
}

t.test('what is read is what is in the file, wherever it is', (t) => {
  const read = readerOfBytes(t)
  const random = randomOf(1)
  const kept: { got: Buffer; at: number; length: number }[] = []
  let at = 0
  for (let i = 0; i < 20_000; i++) {
    const isNext = !random.once(8)
    at = isNext ? Math.min(at + random.below(100), SIZE) : random.below(SIZE + 100)
    const length = random.once(50) ? random.below(2 * SCRATCH) : random.below(3000)
    const passing = !random.once(10)
    const got = read(at, length, passing)
    if (!got.equals(bytes.subarray(at, at + length))) t.fail(`${length} bytes at ${at}, passing: ${passing}`)
    if (!passing && kept.length < 500) kept.push({ got, at, length })
    if (isNext) at += length
  }
  for (const { got, at, length } of kept)
    if (!got.equals(bytes.subarray(at, at + length))) t.fail('a later read has overwritten what is kept')
  t.equal(read(SIZE - 5, 30, true).length, 5, 'fewer at the end')
  t.equal(read(SIZE + 5, 30, true).length, 0, 'nothing behind it')
  t.equal(read(SIZE - 5, 30).length, 5)
  t.end()
})

/** What this process has read so far: bytes, and system calls. */
function readSoFar(): { bytes: number; calls: number } {
  const [, all = NaN, calls = NaN] =
    /rchar: (\d+)[^]*syscr: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.map(Number) ?? []
  return { bytes: all, calls }
}

const skip = existsSync('/proc/self/io') ? false : 'this system does not tell what a process reads'

t.test('small pieces in a row cost few system calls, and pieces in no order few bytes', { skip }, (t) => {
  const cost = (offsets: number[]): { bytes: number; calls: number } => {
    const read = readerOfBytes(t)
    const before = readSoFar()
    for (const at of offsets) read(at, 100, true)
    const after = readSoFar()
    return { bytes: after.bytes - before.bytes, calls: after.calls - before.calls }
  }
  const inOrder = Array.from({ length: SIZE / 100 }, (_, i) => i * 100)
  const row = cost(inOrder)
  t.ok(row.calls < 60, `${row.calls} calls for ${inOrder.length} pieces`)
  t.ok(row.bytes < SIZE * 1.1, `${row.bytes} bytes of ${SIZE}`)
  // Pairs in a row, far from each other: as it would be made by somebody who wants us to read much for little.
  const pairs = inOrder.filter((at) => at % 40_000 < 200).toReversed()
  const hostile = cost(pairs.flatMap((at, i) => (i % 2 === 0 ? [at - 100, at] : [])))
  t.ok(hostile.bytes < pairs.length * 3 * 4096, `${hostile.bytes} bytes for ${pairs.length} pieces`)
  t.end()
})
