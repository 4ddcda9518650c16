// What a head proves by its tiles: the right hashes, and never a wrong one. test/differential/proofs.test.ts has the
// same for databases that go made.

import t, { type Test } from 'tap'
import { leafHash } from '../../src/sumdb/hashes.js'
import { NotProved, pathOf, ProvenLog, type ReadTile } from '../../src/sumdb/proof.js'
import { nthLines, ServedDatabase } from '../support/served-database.js'

const database = ServedDatabase.of(600)
const SIZES = [1, 2, 3, 255, 256, 257, 511, 512, 513, 599, 600]

/** Reads tiles as they are served, changed by a test. */
const reader =
  (change: (path: string, tile: Buffer) => Buffer = (_path, tile) => tile): ReadTile =>
  async (tile) => {
    const own = database.files.get(pathOf(tile))
    const full = database.files.get(pathOf({ ...tile, width: 256 }))
    const found = own ?? full?.subarray(0, tile.width * 32) ?? Buffer.alloc(0)
    return change(pathOf(tile), found)
  }

const notProved = async (t: Test, proving: Promise<unknown>, what: string): Promise<void> => {
  const error = await proving.catch((thrown: unknown) => thrown)
  t.ok(error instanceof NotProved, `${what}: ${String(error)}`)
}

t.test('records and roots of every size', async (t) => {
  for (const size of SIZES) {
    const log = await ProvenLog.of(database.headAt(size), reader())
    const wrong: string[] = []
    for (let id = 0; id < size; id++)
      if (!(await log.leafAt(id)).equals(leafHash(nthLines(id)))) wrong.push(`record ${id}`)
    for (const before of [1, 2, 3, 7, 100, 255, 256, 257, 400, 511, 512, 513, size - 1, size].filter(
      (n) => n > 0 && n <= size,
    ))
      if (!(await log.rootAt(before)).equals(database.headAt(before).root)) wrong.push(`root ${before}`)
    t.same(wrong, [], `${size} records`)
    await t.rejects(log.leafAt(size), RangeError)
    await t.rejects(log.leafAt(-1), RangeError)
    await t.rejects(log.leafAt(NaN), RangeError)
    await t.rejects(log.rootAt(size + 1), RangeError)
  }
})

t.test('a log without records', async (t) => {
  const root = Buffer.from('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', 'hex')
  const log = await ProvenLog.of({ size: 0, root }, reader())
  t.ok((await log.rootAt(0)).equals(root))
  await notProved(t, ProvenLog.of({ size: 0, root: Buffer.alloc(32) }, reader()), 'another root')
  t.ok(await log.continuedBy(database.headAt(3)))
})

t.test('a tile with another byte proves nothing', async (t) => {
  for (const size of [1, 2, 256, 300, 513, 600]) {
    const tiles = new Set<string>()
    const readAll = async (log: ProvenLog): Promise<void> => {
      for (let id = 0; id < size; id += 85) await log.leafAt(id)
    }
    const note = (path: string, tile: Buffer): Buffer => (tiles.add(path), tile)
    await readAll(await ProvenLog.of(database.headAt(size), reader(note)))
    for (const path of tiles) {
      for (const at of [0, 31, -1]) {
        const flipped = reader((read, tile) => {
          if (read !== path) return tile
          const other = Buffer.from(tile)
          const place = at < 0 ? other.length - 1 : at
          other.writeUInt8((other[place] ?? 0) ^ 0x80, place)
          return other
        })
        await notProved(t, ProvenLog.of(database.headAt(size), flipped).then(readAll), `${size}: ${path}`)
      }
      const CUT = [(tile: Buffer) => tile.subarray(1), (tile: Buffer) => Buffer.concat([tile, tile])]
      for (const cut of [...CUT, () => Buffer.alloc(0)]) {
        const wrong = reader((read, tile) => (read === path ? cut(tile) : tile))
        await notProved(t, ProvenLog.of(database.headAt(size), wrong).then(readAll), `${size}: ${path}`)
      }
    }
  }
})

t.test('a later head continues the log, and no other head does', async (t) => {
  const log = await ProvenLog.of(database.headAt(300), reader())
  const later = await log.continuedBy(database.headAt(600))
  t.ok((await later?.leafAt(599))?.equals(leafHash(nthLines(599))))

  // another log of the same key, which is the same but for its second record
  const other = new ServedDatabase(database.signer)
  for (let id = 0; id < 600; id++) other.commit([[id, nthLines(id === 1 ? 900 : id)]])
  const both: ReadTile = async (tile) =>
    other.files.get(pathOf(tile)) ?? other.files.get(pathOf({ ...tile, width: 256 })) ?? Buffer.alloc(0)
  let isOther = false
  const known = await ProvenLog.of(database.headAt(300), (tile) => (isOther ? both(tile) : reader()(tile)))
  await known.leafAt(0) // the full tile is known, and proves nothing of the other log
  isOther = true
  t.equal(await known.continuedBy(other.headAt(600)), undefined)
})

t.test('a tile that could not be read is asked for again', async (t) => {
  let asked = 0
  let isDown = false
  const log = await ProvenLog.of(database.headAt(600), async (tile) => {
    asked++
    if (isDown) throw new Error('down')
    return reader()(tile)
  })
  isDown = true
  await t.rejects(log.leafAt(3), /down/)
  isDown = false
  const before = asked
  await Promise.all([log.leafAt(3), log.leafAt(4), log.leafAt(255)])
  t.equal(asked, before + 1, 'once for all who wait for it')
})
