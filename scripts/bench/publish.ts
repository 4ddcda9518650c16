// Publishing a module, against storing the same bytes without looking at them.

import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startPlinth } from '../../test/support/plinth.js'
import { tempFolder } from '../../test/support/temp-folder.js'
import { expecting } from './answers.js'
import { copyToDisk, fsyncWithFolder } from './disk.js'
import { sourceModule } from './modules.js'
import { forgetPeak, peakOf } from './processes.js'
import { inTurns, timed, type Bench, type Row, type Scale } from './row.js'
import { startWebDav } from './webdav.js'

const MB = 1_000_000
const VERSION = '/api/packages/admin/go/example.com/bench/@v/v1.0.0'

export const publish: Bench = {
  name: 'publish',
  what: 'publishing modules of 1 MB in 50 files and 50 MB in 2,000, against WebDAV PUT and cp',
  needs: ['nginx'],
  async *run({ rounds, size }: Scale): AsyncGenerator<Row> {
    const plinth = await startPlinth()
    const dav = await startWebDav(plinth)
    const scratch = tempFolder('plinth-bench')
    const source = join(scratch, 'source')
    const copy = join(scratch, 'copy')
    for (const [megabytes, files, usual, goal] of [
      [1, 50, 31, undefined],
      [size(50, 5), size(2000, 200), 7, '≥ 0.5'],
    ] as const) {
      const zip = sourceModule('example.com/bench', 'v1.0.0', megabytes * MB, files)
      writeFileSync(source, zip)
      forgetPeak(plinth.shimPid())
      const times = await inTurns(rounds(usual), {
        ours: async () => {
          const ms = await timed(() => expecting(201, plinth.publish(zip)))
          await expecting(204, plinth.ask('DELETE', VERSION))
          return ms
        },
        dav: async () => {
          const ms = await timed(async () => {
            await dav.put('round/zip', zip)
            await fsyncWithFolder(dav.pathOf('round/zip'))
          })
          dav.clear()
          return ms
        },
        cp: async () => {
          const ms = await timed(() => copyToDisk(source, copy))
          rmSync(copy)
          return ms
        },
      })
      const rate = (all: number[]): number[] => all.map((ms) => 1000 / ms)
      const row = { unit: '/s', ours: rate(times.ours), ...peakOf(plinth.shimPid()) }
      const name = `publish a module of ${megabytes} MB, ${files} files`
      const dvs = { ...row, name, base: rate(times.dav), baseName: 'WebDAV PUT + fsync of the zip' }
      yield { ...dvs, ...(goal !== undefined && { goal }) }
      yield { ...row, name, base: rate(times.cp), baseName: 'cp + fsync of the zip' }
    }
    await dav.stop()
    await plinth.stop()
  },
}
