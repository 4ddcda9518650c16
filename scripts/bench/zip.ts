// Checking and hashing a module, against go's own CheckZip and dirhash on the same file.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CheckPool } from '../../src/modzip/check-pool.js'
import { tempFolder } from '../../test/support/temp-folder.js'
import { buildOracle, startOracle } from '../../test/support/oracle.js'
import { sourceModule } from './modules.js'
import { inTurns, timed, type Bench } from './row.js'

const MB = 1_000_000

export const zip: Bench = {
  name: 'zip',
  what: 'checking and hashing a module of 50 MB in 2,000 files, and one of 1 MB in 50',
  needs: ['go'],
  async run({ rounds }) {
    const folder = tempFolder('plinth-bench')
    const oracle = startOracle(buildOracle())
    const pool = new CheckPool()
    const rows = []
    for (const [megabytes, files, goal] of [
      [50, 2000, '≤ 3'],
      [1, 50, undefined],
    ] as const) {
      const path = join(folder, `${megabytes}.zip`)
      writeFileSync(path, sourceModule('example.com/bench', 'v1.0.0', megabytes * MB, files))
      const measured = await inTurns(rounds(9), {
        ours: () => timed(async () => mustBeGood(await pool.read(path))),
        base: async () => (await oracle.ask(path)).ms,
      })
      const name = `check and hash ${megabytes} MB, ${files} files`
      rows.push({ name, unit: 'ms', ...measured, baseName: 'go: CheckZip + dirhash', ...(goal && { goal }) })
    }
    oracle.stop()
    await pool.close()
    return rows
  },
}

function mustBeGood(reading: { ok: boolean }): void {
  if (!reading.ok) throw new Error('the module of the benchmark was refused')
}
