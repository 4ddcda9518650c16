// What nginx says of the files of a checksum database, and who may write them.

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { startPlinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'

const FOLDER = '/api/packages/admin/go/sumdb/sum.corp.example/team'
const TEXT = 'text/plain; charset=utf-8'

/** A file, its type, and whether it has one content for ever. */
const FILES: [path: string, type: string, isForEver: boolean][] = [
  ['latest', TEXT, false],
  ['lookup/corp.example/m@v1.0.0', TEXT, true],
  ['lookup/corp.example/m@v1.0.0-x.zip', TEXT, true],
  ['tile/8/data/000', TEXT, true],
  ['tile/8/data/001.p/7', TEXT, true],
  ['tile/8/0/000', 'application/octet-stream', true],
  ['tile/8/0/001.p/7', 'application/octet-stream', true],
]

t.test('files of a checksum database', needs('nginx'), async (t) => {
  const plinth = await startPlinth()
  t.teardown(plinth.stop)
  const { ask, data } = plinth
  for (const [path, type, isForEver] of FILES) {
    const file = join(data, 'tree', FOLDER, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, 'x')
    const { status, headers } = await ask('GET', `${FOLDER}/${path}`)
    t.equal(status, 200, path)
    t.equal(headers['content-type'], type, path)
    t.equal('etag' in headers, isForEver, `${path}: two heads of one second may have one size`)
    t.equal((await ask('PUT', `${FOLDER}/${path}`, { body: 'y' })).status, 404, path)
    t.match((await ask('DELETE', `${FOLDER}/${path}`)).status, /40[45]/, path)
  }
  t.equal((await ask('GET', '/api/packages/admin/go/sumdb/sum.golang.org/supported')).status, 404)
})
