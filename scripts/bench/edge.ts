// Reads of files that an edge keeps, against an nginx without rules on the same files.

import { join } from 'node:path'
import { settingsBehindEdge, startEdge } from '../../test/support/edge.js'
import { ask } from '../../test/support/http.js'
import { startPlinth } from '../../test/support/plinth.js'
import { simpleModule } from '../../test/support/zips.js'
import { expecting } from './answers.js'
import { startBareNginx, userOf } from './bare-nginx.js'
import { pin } from './processes.js'
import { measure, WORKERS_ON } from './read.js'
import { inTurns, type Bench, type Row, type Scale } from './row.js'

const READS = [
  ['list', 'go/example.com/m/@v/list'],
  ['.info', 'go/example.com/m/@v/v1.0.0.info'],
  ['.zip of 0.4 kB', 'go/example.com/m/@v/v1.0.0.zip'],
  ['100 kB file', 'generic/file/1/100kB'],
  ['10 MB file', 'generic/file/1/10MB'],
] as const

/** No file expires while it is measured. */
const SECONDS = 86_400

export const edge: Bench = {
  name: 'edge',
  what: 'reads of what an edge keeps with wrk, against nginx with `root` alone',
  needs: ['nginx', 'wrk'],
  async *run({ rounds }: Scale): AsyncGenerator<Row> {
    const plinth = await startPlinth(settingsBehindEdge(SECONDS))
    await expecting(201, plinth.publish(await simpleModule('example.com/m', 'v1.0.0')))
    for (const [name, bytes] of [
      ['100kB', 100_000],
      ['10MB', 10_000_000],
    ] as const) {
      const body = Buffer.alloc(bytes, 'plinth')
      await expecting(201, plinth.ask('PUT', `/api/packages/admin/generic/file/1/${name}`, { body }))
    }
    const kept = await startEdge(`127.0.0.1:${plinth.port}`)
    const bare = await startBareNginx(join(plinth.data, 'tree'), userOf(plinth.data))
    for (const { pid, port } of [kept, bare]) {
      await ask(port, 'GET', '/') // its workers are there
      pin(pid, WORKERS_ON)
    }
    for (const [name, path] of READS) {
      const url = `/api/packages/admin/${path}`
      await expecting(200, ask(kept.port, 'GET', url))
      const found = await inTurns(rounds(9), {
        ours: () => measure(kept, url),
        bare: () => measure(bare, url),
      })
      const beside = { unit: '/s', baseName: 'nginx with root alone', goal: '≥ 0.9' }
      for (const [how, field] of [
        ['', 'wall'],
        [", by the second of nginx's processor time", 'processor'],
      ] as const)
        yield {
          ...beside,
          name: `read through an edge, ${name}${how}`,
          ours: found.ours.map((rates) => rates[field]),
          base: found.bare.map((rates) => rates[field]),
        }
    }
    await bare.stop()
    await kept.stop()
    await plinth.stop()
  },
}
