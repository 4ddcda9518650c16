import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { CheckPool } from '../../src/modzip/check-pool.js'
import { rawZip } from '../support/raw-zip.js'

t.test('the pool reads many zips at once, and survives files that go away', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'plinth-pool-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const pool = new CheckPool()
  t.teardown(() => pool.close())
  const path = (i: number): string => join(folder, `${i}.zip`)
  for (let i = 0; i < 50; i++) {
    // every tenth is large enough for the other lane
    const content = Buffer.alloc(i % 10 === 0 ? 5_000_000 : 10, i)
    writeFileSync(path(i), rawZip([{ name: `example.com/m@v1.${i}.0/x`, content, method: 0 }]))
  }
  const readings = await Promise.all(Array.from({ length: 50 }, (_, i) => pool.read(path(i))))
  readings.forEach((reading, i) => t.equal(reading.ok && reading.zip.version, `v1.${i}.0`))

  await t.rejects(pool.read(join(folder, 'nothing.zip')), { code: 'ENOENT' })
  // gone between the look at its size and the thread's turn
  const late = Array.from({ length: 20 }, (_, i) =>
    pool.read(path(i)).catch((error: NodeJS.ErrnoException) => error.code),
  )
  for (let i = 0; i < 20; i++) rmSync(path(i))
  for (const result of await Promise.all(late))
    t.ok(result === 'ENOENT' || (typeof result === 'object' && result.ok))
  t.ok((await pool.read(path(30))).ok, 'and it still reads')
})
