// What feeds a pkgsite: it tells a worker each version once, deletes too, and goes on where it stopped. The worker here
// notes what it is asked.

import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { block, MANUAL, ROOT } from '../support/documents.js'
import { startPlinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { tempFolder } from '../support/temp-folder.js'
import { simpleModule } from '../support/zips.js'

const SCRIPT = join(ROOT, 'scripts/deploy/pkgsite-feed.sh')

t.test('a pkgsite is told what has changed', needs('nginx', 'curl'), async (t) => {
  const plinth = await startPlinth()
  t.teardown(() => plinth.stop())
  let asked: string[] = []
  const worker = createServer((req, res) => {
    asked.push(req.url ?? '')
    res.statusCode = req.url?.includes('refused') ? 500 : 200
    res.end('OK')
  })
  await new Promise<void>((resolve) => void worker.listen(0, '127.0.0.1', resolve))
  t.teardown(() => worker.close())
  const folder = tempFolder('plinth-pkgsite')
  const run = (settings: Record<string, string> = {}, ...words: string[]) =>
    new Promise<{ code: number; stderr: string; asked: string[] }>((resolve) => {
      const env = {
        PATH: process.env['PATH'] ?? '',
        HOME: folder,
        PLINTH: plinth.url,
        OWNER: 'team',
        WORKER: `http://127.0.0.1:${(worker.address() as AddressInfo).port}`,
        ...settings,
      }
      asked = []
      execFile('sh', [SCRIPT, ...(words.length > 0 ? words : [folder])], { env }, (error, _stdout, stderr) =>
        resolve({ code: error ? Number(error.code) : 0, stderr, asked }),
      )
    })
  const publish = async (module: string, version: string): Promise<void> => {
    t.equal((await plinth.publish(await simpleModule(module, version), 'team')).status, 201)
    await plinth.viewsFollowed()
  }

  t.match(await run({}, 'no-such-folder'), { code: 2, stderr: /usage: / })
  t.match(await run({ OWNER: '' }), { code: 2 })
  t.match(await run(), { code: 1, stderr: /index\.ndjson: 404/, asked: [] })
  t.same(readdirSync(folder).includes('read-so-far'), false, 'nothing is remembered')

  await publish('example.com/m', 'v1.0.0')
  await publish('example.com/Own/m', 'v1.0.0-RC1')
  t.same(await run(), {
    code: 0,
    stderr: '',
    asked: ['/fetch/example.com/m/@v/v1.0.0', '/fetch/example.com/Own/m/@v/v1.0.0-RC1'],
  })
  t.same(await run(), { code: 0, stderr: '', asked: [] }, 'nothing new')

  await publish('example.com/refused', 'v1.0.0')
  await plinth.ask('DELETE', '/api/packages/team/go/example.com/m/@v/v1.0.0')
  await plinth.viewsFollowed()
  const second = await run()
  t.same(second.asked, ['/fetch/example.com/refused/@v/v1.0.0', '/delete/example.com/m/@v/v1.0.0'])
  t.match(second, { code: 0, stderr: /fetch example\.com\/refused@v1\.0\.0: the worker has refused it/ })

  await publish('example.com/m', 'v1.0.0')
  t.same((await run()).asked, ['/fetch/example.com/m/@v/v1.0.0'], 'published again')
  await t.test('the lines of the manual', async (t) => {
    const notes = join(folder, 'notes')
    // pkgsite and its database are not here: what the manual says to them is noted
    const stubs = ['psql', 'go'].map((name) => `${name}() { echo "${name} $*" >> '${notes}'; }\n`).join('')
    const lines = block(MANUAL, 'Views', 0, '')
      .replace('/path/to/plinth', '"$CLONE"')
      .replace('http://127.0.0.1:8000', '$STANDS_FOR_IT')
    const standsForIt = `http://127.0.0.1:${(worker.address() as AddressInfo).port}`
    asked = []
    const env = {
      PATH: process.env['PATH'] ?? '',
      PLINTH: plinth.url,
      CLONE: ROOT,
      STANDS_FOR_IT: standsForIt,
    }
    const cwd = tempFolder()
    await promisify(execFile)('sh', ['-euc', `${stubs}${lines}\nwait`], { env, cwd })
    t.match(asked, ['/fetch/example.com/m/@v/v1.0.0'])
    t.same(readdirSync(cwd), ['fed'])
    t.equal(readFileSync(notes, 'utf8').trim().split('\n').length, 4)
  })
  const log = readFileSync(join(plinth.data, 'tree/api/packages/team/-/index.ndjson'))
  t.equal(readFileSync(join(folder, 'read-so-far'), 'utf8').trim(), String(log.length))
})
