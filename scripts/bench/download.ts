// `go mod download` of a module with many dependencies into a cold cache, against reading the same tree as files.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeGo } from '../../test/support/go.js'
import { startPlinth } from '../../test/support/plinth.js'
import { tempFolder } from '../../test/support/temp-folder.js'
import { expecting } from './answers.js'
import { sourceModule } from './modules.js'
import { inTurns, timed, type Bench, type Row, type Scale } from './row.js'

const KB = 1000

export const download: Bench = {
  name: 'download',
  what: 'go mod download of a module with 100 dependencies, cold cache, against GOPROXY=file://',
  needs: ['nginx', 'go'],
  async *run({ rounds, size }: Scale): AsyncGenerator<Row> {
    const plinth = await startPlinth()
    const names = Array.from({ length: size(100, 10) }, (_, n) => `example.com/dep${n}`)
    for (const name of names) await expecting(201, plinth.publish(sourceModule(name, 'v1.0.0', 100 * KB, 10)))
    const folder = tempFolder('plinth-bench')
    const requires = names.map((name) => `\t${name} v1.0.0\n`).join('')
    const cache = join(folder, 'cache')
    const from = (proxy: string) => async (): Promise<number> => {
      const go = makeGo(proxy, { GOMODCACHE: cache })
      const main = join(folder, 'main')
      mkdirSync(main)
      writeFileSync(join(main, 'go.mod'), `module example.org/main\n\ngo 1.19\n\nrequire (\n${requires})\n`)
      const ms = await timed(async () => {
        const { code, stderr } = await go.run(['mod', 'download'], main)
        if (code !== 0) throw new Error(`go mod download: ${stderr}`)
      })
      for (const made of [main, cache]) rmSync(made, { recursive: true })
      return ms
    }
    const owner = 'api/packages/admin/go'
    const times = await inTurns(rounds(7), {
      ours: from(`${plinth.url}/${owner}`),
      base: from(`file://${plinth.data}/tree/${owner}`),
    })
    await plinth.stop()
    yield {
      name: `go mod download, ${names.length} dependencies, cold cache`,
      unit: 'ms',
      ...times,
      baseName: 'GOPROXY=file://',
    }
  },
}
