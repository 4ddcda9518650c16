import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { AppendFile } from '../../src/store/append-file.js'
import { headLine, type SignedHead } from '../../src/sumdb/heads-file.js'
import { headText, newSigner } from '../../src/sumdb/note.js'
import { Timeline } from '../../src/sumdb/timeline.js'
import type { Truth } from '../../src/sumdb/truth.js'
import { memoryFolder } from '../support/temp-folder.js'

const HEADS = 1200
const SIGNER = newSigner('sum.example.com/test')
/** Records of commits of 1 to 5 records. */
const recordAt = (id: number): string =>
  `example.com/m v1.${id}.0 h1:x\nexample.com/m v1.${id}.0/go.mod h1:y\n`

/** The files of a log. `reads` counts what is read of the heads. */
function makeLog() {
  const folder = memoryFolder()
  const heads: SignedHead[] = []
  let [records, lines, id] = ['', '', 0]
  const starts: number[] = []
  for (let nth = 0; nth < HEADS; nth++) {
    for (let more = 0; more < 1 + (nth % 5); more++) records += `${recordAt(id++)}\n`
    const root = Buffer.alloc(32, nth % 251)
    const head = { size: id, bytes: records.length, root, signature: Buffer.alloc(64, nth % 241) }
    heads.push(head)
    starts.push(lines.length)
    lines += headLine(head)
  }
  writeFileSync(join(folder, 'records'), records)
  writeFileSync(join(folder, 'heads'), lines)
  const file = new AppendFile(join(folder, 'heads'))
  const counts = { reads: 0, bytes: 0 }
  const counted = {
    read: (from: number, to: number): Promise<Buffer> => {
      counts.reads++
      counts.bytes += to - from
      return file.read(from, to)
    },
  }
  const truth = { records: new AppendFile(join(folder, 'records')), heads: counted } as unknown as Truth
  const timeline = new Timeline(truth, SIGNER, () => ({ head: heads.at(-1), end: lines.length }))
  const mark = (upTo = HEADS): void => {
    for (const [nth, head] of heads.slice(0, upTo).entries()) timeline.pass(head, starts[nth] ?? 0)
  }
  return { heads, size: id, timeline, mark, counts }
}

const textOf = (head: SignedHead): string => headText(SIGNER, head, head.signature)

for (const [what, marked] of [
  ['without marks', 0],
  ['with marks', HEADS],
  ['with marks of a log that has grown since', HEADS / 3],
] as const)
  t.test(`every head and every record is found ${what}, and no other`, async (t) => {
    const { heads, size, timeline, mark } = makeLog()
    mark(marked)
    const wrong: string[] = []
    for (const [nth, head] of heads.entries()) {
      if (nth % 7 > 0 && nth > 50 && nth < HEADS - 50) continue
      if (!(await timeline.has(textOf(head)))) wrong.push(`head ${nth} is missing`)
      const [otherSize, otherRoot] = [
        { ...head, size: head.size + 1 },
        { ...head, root: Buffer.alloc(32, 252) },
      ]
      const after = heads[nth + 1]
      if (after?.size !== otherSize.size && (await timeline.has(textOf(otherSize))))
        wrong.push(`${nth}: size`)
      if (await timeline.has(textOf(otherRoot))) wrong.push(`${nth}: root`)
    }
    for (let id = 0; id < size; id += 23)
      if ((await timeline.recordAt(id)) !== recordAt(id)) wrong.push(`record ${id}`)
    for (const id of [0, 1, size - 1]) if ((await timeline.recordAt(id)) !== recordAt(id)) wrong.push(`${id}`)
    t.same(wrong, [])
    t.equal(await timeline.recordAt(size), undefined)
    for (const text of ['', 'x', textOf({ ...(heads[0] as SignedHead), size: size + 1000 }), 'a\n0\n'])
      t.notOk(await timeline.has(text), text.slice(0, 40))
  })

t.test('when all heads were passed, one short read finds one, and none finds it again', async (t) => {
  const { heads, timeline, mark, counts } = makeLog()
  mark()
  for (const head of heads.filter((_, nth) => nth % 10 === 0)) await timeline.has(textOf(head))
  t.ok(counts.reads <= HEADS / 10, `${counts.reads} reads for ${HEADS / 10} heads`)
  t.ok(counts.bytes / counts.reads <= 16 * 1024, `${counts.bytes / counts.reads} bytes each`)
  const before = counts.reads
  const last = heads.at(-1) as SignedHead
  await Promise.all(Array.from({ length: 1000 }, () => timeline.has(textOf(last))))
  t.ok(counts.reads - before <= 1, `${counts.reads - before} reads for one head, asked for 1000 times`)
})

t.test('a head that is not there yet is looked for again', async (t) => {
  const { heads, timeline, counts } = makeLog()
  const other = { ...(heads[5] as SignedHead), root: Buffer.alloc(32, 252) }
  t.notOk(await timeline.has(textOf(other)))
  const before = counts.reads
  t.notOk(await timeline.has(textOf(other)))
  t.ok(counts.reads > before)
})
