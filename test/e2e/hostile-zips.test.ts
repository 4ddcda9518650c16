// Zips that are made to hurt, against the running service: all are answered, its memory stays within bounds, nothing
// leaks, and it goes on serving.

import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { HOSTILE } from '../support/hostile-zips.js'
import { rawZip } from '../support/raw-zip.js'
import { moduleZip, simpleModule } from '../support/zips.js'
import { startPlinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'

const UPLOAD = '/api/packages/admin/go/upload'
const LIMIT_MB = 200
const skip = existsSync('/proc/self/status')
  ? needs('nginx')
  : { skip: 'NOT TESTED: no /proc on this machine' }

t.test('hostile zips', skip, async (t) => {
  const plinth = await startPlinth()
  t.teardown(plinth.stop)
  const pid = plinth.shimPid()

  for (const { what, zip, status, says } of HOSTILE) {
    const answer = await plinth.ask('PUT', UPLOAD, { body: zip() })
    t.equal(answer.status, status, `${what}: ${answer.body.slice(0, 200)}`)
    if (says) t.match(answer.body, says, what)
    t.ok(answer.body.length < 40_000, 'the answer is one that a person can read')
  }
  await plinth.viewsFollowed()
  t.same(await plinth.filesLeftOpen(), [], 'no file stays open')
  t.same(plinth.leftovers(), [], 'nothing is left on the way')
  t.equal(
    (await plinth.publish(await simpleModule('example.com/after', 'v1.0.0'))).status,
    201,
    'and it still serves',
  )
  t.notMatch(plinth.log(), '"level":"error"', 'nothing of it was an error of ours')

  await t.test('many at once', async (t) => {
    const answers = await Promise.all(
      HOSTILE.filter(({ status }) => status === 400).map(({ zip }) =>
        plinth.ask('PUT', UPLOAD, { body: zip() }),
      ),
    )
    for (const answer of answers) t.equal(answer.status, 400, answer.body.slice(0, 200))
    await plinth.viewsFollowed()
    t.same(plinth.leftovers(), [])
    t.ok(existsSync(`/proc/${pid}`), 'it is the same process still')
  })
  const peak = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
  t.comment(`peak memory of the service: ${peak.toFixed(0)} MB`)
  t.ok(peak < LIMIT_MB, `${peak.toFixed(0)} MB at its peak, 200,001 entries included`)
})

t.test('PLINTH_STRICT=1 refuses what would be warned of', needs('nginx'), async (t) => {
  const plinth = await startPlinth({ PLINTH_STRICT: '1' })
  t.teardown(plinth.stop)
  const P = 'example.com/m@v1.0.0/'
  const table: [zip: Buffer, says: RegExp][] = [
    [
      await moduleZip('example.com/m', 'v1.0.0', { 'sub/': '', 'sub/m.go': '' }),
      /1 directory entry.*zip -d m\.zip/,
    ],
    [rawZip([{ name: `${P}link`, content: 'x', unixMode: 0o120777 }]), /link: not a regular file/],
    [
      rawZip([{ name: `${P}go.mod`, content: 'module example.com/origin\n' }]),
      /declares its path as "example.com\/origin"/,
    ],
    [rawZip([{ name: `${P}go.mod`, content: 'go 1.21\n' }]), /no module line/],
  ]
  for (const [zip, says] of table) {
    const answer = await plinth.publish(zip)
    t.equal(answer.status, 400)
    t.match(answer.body, says)
  }
  t.equal((await plinth.publish(await simpleModule('example.com/m', 'v1.0.0'))).status, 201)
})
