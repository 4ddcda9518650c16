// One service writes to a data folder, whatever happens to it.

import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { FORMAT } from '../../src/store/format.js'
import { runCli } from '../support/cli.js'
import { freePort } from '../support/port.js'
import { needs } from '../support/programs.js'
import { start } from '../support/start.js'
import { tempFolder } from '../support/temp-folder.js'
import { askService, newData, runService } from '../support/service.js'

const file = (name: string): string => `/api/packages/admin/generic/tool/1.0/${name}`

/** Names, times and bytes of everything in a data folder. */
const everything = (data: string): string[] =>
  readdirSync(data, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const status = lstatSync(join(data, name))
      return `${name} ${status.mtimeMs} ${status.isFile() ? readFileSync(join(data, name), 'base64') : ''}`
    })

t.test('two services on one data folder', needs('flock'), async (t) => {
  const data = await newData()
  const publishes = async (name: string): Promise<number> =>
    (await askService(data, 'PUT', file(name), name)).status
  const first = runService(data)
  await first.ready()

  await t.test('a second one says who holds it, in one line, and ends', async (t) => {
    const second = runService(data)
    t.equal((await second.ended).code, 1)
    t.match(second.log(), new RegExp(`^plinth: another plinth is running .*\\(pid ${first.pid} on .*\\n$`))
    t.equal(await publishes('a'), 201, 'the first one goes on')
  })

  await t.test('what the running one has on its way is not touched by a second', async (t) => {
    const upload = join(data, 'state/tmp/on-its-way')
    mkdirSync(upload)
    writeFileSync(join(upload, 'body'), 'x')
    await runService(data).ended
    t.ok(existsSync(join(upload, 'body')))
  })

  await t.test('a frozen one keeps it, and is the only writer when it is thawed', async (t) => {
    first.kill('SIGSTOP')
    const second = runService(data)
    t.equal((await second.ended).code, 1)
    t.match(second.log(), `pid ${first.pid}`)
    first.kill('SIGCONT')
    t.equal(await publishes('b'), 201)
  })

  await t.test('a standby waits, and takes over within a second of a kill -9', async (t) => {
    const standby = runService(data, { PLINTH_STANDBY: '1' })
    await standby.says(/"event":"standing by"/)
    t.match(standby.log(), `pid ${first.pid}`)
    t.equal(await publishes('c'), 201, 'the first one serves meanwhile')
    first.kill('SIGSTOP')
    const late = runService(data, { PLINTH_STANDBY: '1' })
    await late.says(/"event":"standing by"/)
    t.notMatch(standby.log(), /"event":"ready"/, 'a frozen holder is a holder')
    const killed = performance.now()
    first.kill('SIGKILL')
    const winner = await Promise.race([standby.ready().then(() => standby), late.ready().then(() => late)])
    t.comment(`took over after ${Math.round(performance.now() - killed)} ms`)
    t.equal(await publishes('d'), 201)
    const loser = winner === standby ? late : standby
    t.match(readFileSync(join(data, 'state/lock'), 'utf8'), `pid ${winner.pid} on `)
    t.notMatch(loser.log(), /"event":"ready"/, 'of two that wait, one gets it')
    t.match(await winner.end('SIGTERM'), { code: 0 })
    await loser.ready()
    t.equal(await publishes('e'), 201)
    await loser.end()
  })

  await t.test('a standby that is told to stop while it waits, stops', async (t) => {
    const holder = runService(data)
    await holder.ready()
    const standby = runService(data, { PLINTH_STANDBY: '1' })
    await standby.says(/"event":"standing by"/)
    await standby.end('SIGTERM')
    t.equal(await publishes('f'), 201)
    await holder.end()
  })

  for (const name of ['a', 'b', 'c', 'd', 'e', 'f'])
    t.ok(existsSync(join(data, 'tree', file(name))), `${name}: nothing acknowledged is lost`)
})

t.test('ten services at once: one runs', needs('flock'), async (t) => {
  const data = await newData()
  const all = Array.from({ length: 10 }, () => runService(data))
  const outcomes = all.map((one) =>
    Promise.race([
      one.ready().then(
        () => 'ready',
        () => 'gone',
      ),
      one.ended.then(() => 'gone'),
    ]),
  )
  const ready = (await Promise.all(outcomes)).filter((outcome) => outcome === 'ready')
  t.equal(ready.length, 1)
  await Promise.all(all.map((one) => one.end()))
})

t.test('without flock a second one is still found by its socket, and a warning says so', async (t) => {
  const data = await newData()
  const env = { PATH: tempFolder() }
  const first = runService(data, env)
  t.teardown(() => first.end())
  await first.ready()
  t.match(first.log(), /there is no flock on this machine/)
  const second = runService(data, env)
  t.equal((await second.ended).code, 1)
  t.match(second.log(), /another plinth is running on this data folder/)
})

t.test('a data folder of a newer format', needs('flock'), async (t) => {
  const data = await newData()
  const newer = FORMAT + 1
  writeFileSync(join(data, 'state/format'), `${newer}\n`)
  writeFileSync(join(data, 'state/lock'), '') // every folder that was used has one
  const before = everything(data)
  const refused = new RegExp(
    `has format ${newer}, and this plinth knows formats up to ${FORMAT}: run the newer plinth`,
  )
  await t.test('a service says so in one line, and ends', async (t) => {
    const service = runService(data)
    t.equal((await service.ended).code, 1)
    t.match(service.log(), refused)
    t.equal(service.log().trim().split('\n').length, 1)
  })
  await t.test('npm start, too', needs('nginx'), async (t) => {
    const run = start({ PLINTH_DATA: data, PLINTH_LISTEN: `127.0.0.1:${await freePort()}` })
    t.equal((await run.ended).code, 1)
    t.match(run.output(), refused)
  })
  await t.test('so does a service that an `npm start` of another version starts', async (t) => {
    const service = runService(data, {}, [], ['locked'])
    t.equal((await service.ended).code, 1)
    t.match(service.log(), refused)
  })
  await t.test('commands, too', async (t) => {
    for (const words of [
      ['verify'],
      ['rebuild'],
      ['access', 'rebuild'],
      ['account', 'list'],
      ['owner', 'add', 'x'],
    ]) {
      const { code, stderr } = runCli({ PLINTH_DATA: data }, words)
      t.equal(code, 1, words.join(' '))
      t.match(stderr, refused)
    }
  })
  t.same(everything(data), before, 'nothing was changed')
})
