// What our proofs take from databases that go's own tlog made, at every size: the same roots and records, and a client
// of ours finds what go's client finds.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { DatabaseClient } from '../../src/sumdb/database-client.js'
import { leafHash } from '../../src/sumdb/hashes.js'
import { parseVerifier } from '../../src/sumdb/note.js'
import { pathOf, ProvenLog, type ReadTile } from '../../src/sumdb/proof.js'
import { parseRecord } from '../../src/sumdb/record.js'
import { generate } from '../support/auditor.js'
import { needs } from '../support/programs.js'
import { memoryFolder } from '../support/temp-folder.js'

t.test('databases that go made', needs('go'), async (t) => {
  const folder = memoryFolder()
  const { key, db, state } = generate({ out: join(folder, 'go'), size: 600 })
  const records = readFileSync(join(state, 'records'), 'utf8')
    .split(/(?<=\n)\n/)
    .slice(0, -1)
  const leaves = records.map((record) => leafHash(record))
  const roots = readFileSync(join(state, 'heads'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => Buffer.from(line.split(' ')[2] ?? '', 'base64'))
  const cache = new Map<string, Buffer | undefined>()
  const file = (path: string): Buffer | undefined => {
    if (!cache.has(path)) {
      let bytes
      try {
        bytes = readFileSync(join(db, path))
      } catch {
        bytes = undefined
      }
      cache.set(path, bytes)
    }
    return cache.get(path)
  }
  const read: ReadTile = async (tile) =>
    file(pathOf(tile)) ??
    file(pathOf({ ...tile, width: 256 }))?.subarray(0, tile.width * 32) ??
    Buffer.alloc(0)

  t.test('each record and each root at each size', async (t) => {
    for (let size = 1; size <= 600; size++) {
      const log = await ProvenLog.of({ size, root: roots[size - 1] ?? Buffer.alloc(0) }, read)
      const wrong: string[] = []
      // all of them at some sizes, and at the others those beside the ends of tiles
      const isChosen = (n: number): boolean =>
        size % 100 === 0 || [0, 1, 2, 255, 256, 257, 511, 512, 513, size - 1, size >> 1].includes(n)
      for (let n = 0; n < size; n++) {
        if (!isChosen(n)) continue
        if (!(await log.leafAt(n)).equals(leaves[n] as Buffer)) wrong.push(`record ${n}`)
        if (!(await log.rootAt(n + 1)).equals(roots[n] as Buffer)) wrong.push(`root ${n + 1}`)
      }
      t.same(wrong, [], `size ${size}`)
    }
  })

  t.test('each record by its lookup', async (t) => {
    const verifier = parseVerifier(key)
    if (!verifier) return t.fail('the key')
    const client = await DatabaseClient.open({ read: async (path) => file(path) }, verifier)
    t.equal(client.newest.size, 600)
    for (const text of records) {
      const record = parseRecord(text)
      t.same(record && (await client.lookup(record)), record?.sums, text)
    }
  })
})
