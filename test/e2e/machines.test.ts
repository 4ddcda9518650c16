// Two machines on one data folder, which is a folder of this machine here: two `npm start`, each with a runtime folder
// and an address of its own. Reads go on on both whatever happens to one.

import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createHash } from 'node:crypto'
import t from 'tap'
import { readConfig, unknownSettings } from '../../src/config.js'
import { takeLock } from '../../src/store/lock.js'
import { runCli } from '../support/cli.js'
import { block, eachRow, MANUAL, table } from '../support/documents.js'
import { ask, TOKEN, type Answer } from '../support/http.js'
import { simpleModule } from '../support/zips.js'
import { freePort, isFree } from '../support/port.js'
import { needs } from '../support/programs.js'
import { childOf, childrenOf, settingsOfStarts, start, START, type Start } from '../support/start.js'
import { tempFolder } from '../support/temp-folder.js'
import { until } from '../support/until.js'

const SERVICE = 'build/src/main\\.js'
const ROOT = START.slice(0, START.indexOf('/build/'))

const folder = tempFolder()
const data = join(folder, 'data')

async function machine(name: string, more: Record<string, string> = {}) {
  const [port, internal] = [await freePort(), await freePort()]
  const env = {
    PLINTH_DATA: data,
    PLINTH_RUNTIME: join(folder, name),
    PLINTH_LISTEN: `127.0.0.1:${port}`,
    PLINTH_INTERNAL_LISTEN: `127.0.0.1:${internal}`,
    PLINTH_STANDBY: '1',
    PLINTH_LEASE_SECONDS: '2',
    PLINTH_ADMIN_TOKEN: TOKEN,
    PLINTH_WRITE_RATE: '0',
    PLINTH_CONNECTIONS_PER_ADDRESS: '0',
    ...more,
  }
  let run: Start | undefined
  return {
    name,
    port,
    internal,
    env,
    start: () => (run = start(env)),
    run: (): Start => {
      if (!run) throw new Error(`${name} was not started`)
      return run
    },
    get: (path: string, auth?: string) =>
      ask(port, 'GET', `/api/packages/${path}`, auth === undefined ? {} : { auth }),
    put: (path: string, body: Buffer | string = 'x') => ask(port, 'PUT', `/api/packages/${path}`, { body }),
    at: (path: string) => ask(port, 'GET', path),
    cli: (...words: string[]) => runCli(env, words),
  }
}
type Machine = Awaited<ReturnType<typeof machine>>

const holder = (): string => readFileSync(join(data, 'state/lock'), 'utf8')
const isActive = ({ run }: Machine): boolean =>
  childrenOf(run().pid, SERVICE).some((pid) => holder().startsWith(`pid ${pid} `))

/** The active machine, and the other one; waits for the end of a takeover. */
async function inOrder(a: Machine, b: Machine): Promise<[active: Machine, other: Machine]> {
  await until(() => isActive(a) !== isActive(b))
  return isActive(a) ? [a, b] : [b, a]
}

/** Publishes a file through `at` until it is taken; resolves with the answers that were not a 201. */
async function publishAtLast(at: Machine, path: string): Promise<Answer[]> {
  const others: Answer[] = []
  for (;;) {
    const answer = await at.put(`admin/generic/${path}`)
    if (answer.status === 201) return others
    others.push(answer)
    // A publish that was cut off may have been completed by the next service.
    if (answer.status === 409) return others
  }
}

/** Reads one file on a machine again and again; `stop` resolves with what was not a 200 with the bytes. */
function poll(at: Machine, path: string) {
  const polling = { isOver: false }
  let reads = 0
  const wrong: string[] = []
  const polled = (async () => {
    while (!polling.isOver) {
      const answer = await at.get(path).catch((error: unknown) => ({ status: String(error), body: '' }))
      reads++
      if (answer.status !== 200 || answer.body !== 'x')
        wrong.push(`${at.name}: ${answer.status} ${answer.body}`)
    }
  })()
  return {
    stop: async () => {
      polling.isOver = true
      await polled
      return { reads, wrong }
    },
  }
}

t.test('two machines, one data folder', needs('nginx', 'flock', 'pgrep', 'ps'), async (t) => {
  const [a, b] = [await machine('a'), await machine('b')]
  await a.start().until(/serving /)
  await b.start().until(/serving /)
  t.match(b.run().output(), `standing by: another plinth is running on this data folder (${holder().trim()})`)

  await t.test('a standby serves reads, and what it does not know it asks the active one', async (t) => {
    t.equal((await b.at('/-/health')).status, 200)
    t.equal((await a.put('admin/generic/t/1/x')).status, 201)
    const status = b.cli('status')
    t.equal(status.code, 0)
    t.match(status.stdout, 'uploads: possible\n  lock: ok\n')
    t.equal((await b.get('admin/generic/t/1/x')).body, 'x')
    await until(async () => (await b.at('/-/ready')).status === 200) // what passes it on is just being started
    const api = await b.at('/api/v1/packages/admin')
    t.equal(api.status, 200)
    t.match(api.body, '"name":"t"')
    const bearer = `Bearer ${TOKEN}` // nginx by itself knows no token without an account
    t.equal(b.cli('owner', 'set', 'admin', '--private').code, 0)
    t.equal((await b.get('admin/generic/t/1/x', bearer)).body, 'x')
    t.equal((await b.get('admin/generic/t/1/x')).status, 401)
    t.equal(b.cli('owner', 'set', 'admin', '--public').code, 0)
  })

  await t.test('the active service makes its files in a folder that no other process enters', async (t) => {
    const [own, ...others] = readdirSync(join(data, 'state/tmp'))
    t.same(others, [])
    t.ok(own)
    const before = statSync(join(data, 'state/tmp')).mtimeMs
    t.equal((await b.put('admin/generic/t/own/x')).status, 201)
    t.equal(statSync(join(data, 'state/tmp')).mtimeMs, before, 'an upload changes nothing beside it')
  })

  await t.test('what is written through a standby is the same as through the active one', async (t) => {
    const zip = await simpleModule('example.com/m', 'v1.0.0')
    const answer = await b.put('admin/go/upload', zip)
    t.equal(answer.status, 201)
    for (const { get } of [a, b]) {
      t.equal((await get('admin/go/example.com/m/@v/list')).body, 'v1.0.0\n')
      t.same((await get('admin/go/example.com/m/@v/v1.0.0.zip')).bytes, zip)
    }
    t.match(answer.body, `http://127.0.0.1:${b.port}/`, 'its words are about the address that was asked')
    t.equal((await b.put('admin/go/upload', zip)).status, 409)
    const nobody = { auth: 'Basic bm9ib2R5Om5vdGhpbmc=', body: Buffer.alloc(4 * 2 ** 20) }
    t.equal((await ask(b.port, 'PUT', '/api/packages/admin/generic/t/1/large', nobody)).status, 401)
    const large = Buffer.alloc(8 * 2 ** 20, 'y')
    t.equal((await b.put('admin/generic/t/1/large', large)).status, 201)
    t.equal((await b.put('admin/generic/t/1/large', large)).status, 409)
    const read = (await a.get('admin/generic/t/1/large')).bytes
    const sha = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
    t.equal(sha(read), sha(large))
    t.equal((await ask(b.port, 'DELETE', '/api/packages/admin/generic/t/1/large')).status, 204)
    t.equal((await a.get('admin/generic/t/1/large')).status, 404)
    const log = a.run().output()
    t.match(log, '"path":"/api/packages/admin/go/upload","status":201', 'the active one has the line')
    t.match(log, '"address":"127.0.0.1"')
  })

  await t.test('who is private is refused on the other machine with the next request', async (t) => {
    const wrong: string[] = []
    for (let round = 0; round < 2; round++)
      for (const [word, status] of [
        ['--private', 401],
        ['--public', 200],
      ] as const) {
        const [here, there] = round % 2 === 0 ? [a, b] : [b, a]
        t.equal(here.cli('owner', 'set', 'admin', word).code, 0)
        const got = (await there.get('admin/generic/t/1/x')).status
        if (got !== status) wrong.push(`round ${round}: ${word} on ${here.name}, ${got} on ${there.name}`)
      }
    t.same(wrong, [])
  })

  await t.test('the shared folder names no path and no address of a machine', async (t) => {
    t.same(
      readdirSync(join(data, 'state')).filter((name) =>
        ['nginx', 'control', 'shim.sock', 'start.pid'].includes(name),
      ),
      [],
    )
    for (const name of readdirSync(data, { recursive: true, encoding: 'utf8', withFileTypes: true })) {
      if (!name.isFile() || name.name === 'active') continue
      const text = readFileSync(join(name.parentPath ?? name.path, name.name), 'latin1')
      for (const own of [join(folder, 'a'), join(folder, 'b'), ROOT, String(a.internal), String(b.internal)])
        t.notOk(text.includes(own), `${own} in ${name.name}`)
    }
    for (const { env } of [a, b]) t.ok(existsSync(join(env.PLINTH_RUNTIME, 'nginx/nginx.pid')))
  })

  await eachRow(t, table(MANUAL, 'Several machines'), {
    'the service is killed, or stopped': async () => {
      await t.test('the service is killed: the other machine takes over, and no read fails', async (t) => {
        for (let round = 1; round <= 4; round++) {
          const [active, other] = await inOrder(a, b)
          const polls = [a, b].map((each) => poll(each, 'admin/generic/t/1/x'))
          process.kill(await childOf(active.run().pid, SERVICE), 'SIGKILL')
          for (const each of [other, active])
            for (const { status, headers } of await publishAtLast(each, `killed/${round}/${each.name}`)) {
              t.ok([409, 502, 503].includes(status), `${status} of ${each.name}`)
              if (status === 503) t.match(headers['retry-after'], /^\d+$/)
            }
          for (const { reads, wrong } of await Promise.all(polls.map(({ stop }) => stop()))) {
            t.same(wrong, [])
            t.ok(reads > 0)
          }
          for (const each of [a, b])
            t.equal((await each.get(`admin/generic/killed/${round}/${other.name}`)).body, 'x')
        }
      })
      await t.test('a machine is stopped in order: no upload waits for more than the takeover', async (t) => {
        const [active, other] = await inOrder(a, b)
        const polled = poll(other, 'admin/generic/t/1/x')
        active.run().kill('SIGTERM')
        t.equal((await active.run().ended).code, 0)
        t.ok(await isFree(active.port))
        await publishAtLast(other, 'stopped/1/x')
        t.same((await polled.stop()).wrong, [])
        await active.start().until(/serving /)
        t.equal((await active.get('admin/generic/stopped/1/x')).body, 'x')
        t.equal((await active.put('admin/generic/stopped/2/x')).status, 201, 'and passes uploads on')
      })
    },
    'nginx is killed': () =>
      t.test('nginx of a standby dies: it is started again', async (t) => {
        const [, standby] = await inOrder(a, b)
        process.kill(
          Number(readFileSync(join(standby.env.PLINTH_RUNTIME, 'nginx/nginx.pid'), 'utf8')),
          'SIGKILL',
        )
        await standby.run().until(/nginx runs again/)
        t.equal((await standby.get('admin/generic/t/1/x')).body, 'x')
        t.equal((await standby.put('admin/generic/nginx/1/x')).status, 201)
      }),
    'the machine dies, or is cut off from the file system': () =>
      t.test('a machine is lost with all that runs there', async (t) => {
        const [active, other] = await inOrder(a, b)
        const polled = poll(other, 'admin/generic/t/1/x')
        const nginx = Number(readFileSync(join(active.env.PLINTH_RUNTIME, 'nginx/nginx.pid'), 'utf8'))
        const service = await childOf(active.run().pid, SERVICE)
        active.run().kill('SIGKILL')
        process.kill(service, 'SIGKILL')
        process.kill(-nginx, 'SIGKILL')
        await publishAtLast(other, 'lost/1/x')
        t.same((await polled.stop()).wrong, [])
        await active.start().until(/serving /)
        t.equal((await active.get('admin/generic/lost/1/x')).body, 'x')
        t.equal((await active.put('admin/generic/lost/2/x')).status, 201)
      }),
    'the file system lets go of a machine that still runs': () =>
      t.test('a machine that lost the folder ends, whatever it is busy with', async (t) => {
        const [active, other] = await inOrder(a, b)
        // As a file system does it that takes the lock from a machine which it does not hear of.
        writeFileSync(join(data, 'state/lock'), 'pid 1 on another machine\n')
        t.equal((await active.run().ended).code, 1)
        t.match(
          active.run().output(),
          /"event":"fenced","reason":"another process has taken the data folder"/,
        )
        t.match(active.run().output(), /cut off from the data folder/)
        t.ok(await isFree(active.port), 'its nginx serves nothing any more')
        await publishAtLast(other, 'fenced/1/x')
        await active.start().until(/serving /)
        t.equal((await active.put('admin/generic/fenced/2/x')).status, 201)
      }),
    'the service hangs, and its machine does not': () =>
      t.test('an active service that hangs keeps the lock, and the standby says so', async (t) => {
        const [active, standby] = await inOrder(a, b)
        const pid = await childOf(active.run().pid, SERVICE)
        process.kill(pid, 'SIGSTOP')
        const before = holder()
        await standby.run().until(/shows no life for 4 s: end it, or its machine/)
        const ready = await standby.at('/-/ready')
        t.equal(ready.status, 503, ready.body)
        t.equal(holder(), before, 'nobody takes a folder whose service is only slow')
        process.kill(pid, 'SIGCONT')
        t.equal((await standby.put('admin/generic/hung/1/x')).status, 201)
      }),
  })

  await t.test('what passes uploads on dies: it is started again', async (t) => {
    const [, standby] = await inOrder(a, b)
    process.kill(await childOf(standby.run().pid, 'cluster/forward'), 'SIGKILL')
    await publishAtLast(standby, 'forward/1/x')
    t.equal((await standby.put('admin/generic/forward/2/x')).status, 201)
  })

  await t.test('two plinths do not share a runtime folder', async (t) => {
    const second = start({ ...b.env, PLINTH_LISTEN: `127.0.0.1:${await freePort()}` })
    t.equal((await second.ended).code, 1)
    t.match(second.output(), `another plinth of this machine uses PLINTH_RUNTIME=${b.env.PLINTH_RUNTIME}`)
    t.equal((await b.get('admin/generic/t/1/x')).body, 'x')
  })

  await t.test('at the end nothing is wrong', async (t) => {
    const [active] = await inOrder(a, b)
    const verified = active.cli('verify')
    t.equal(verified.code, 0, verified.stdout + verified.stderr)
    for (const each of [a, b]) each.run().kill('SIGTERM')
    for (const each of [a, b]) t.equal((await each.run().ended).code, 0)
    t.notOk(existsSync(join(data, 'state/active')))
    t.notOk(existsSync(join(data, 'state/alive')))
    t.same(readdirSync(join(data, 'state/tmp')), [], 'not even the folder that the service had for itself')
    for (const command of ['verify', 'rebuild']) {
      const said = a.cli(command) // by itself, since no service runs
      t.equal(said.code, 0, said.stdout + said.stderr)
    }
    t.same(readdirSync(join(data, 'state/tmp')), [])
  })
})

t.test('the settings of the manual are those of a machine', async (t) => {
  const [settings = {}] = settingsOfStarts(block(MANUAL, 'Several machines'))
  const { env } = await machine('manual')
  const named = Object.keys(settings).sort()
  t.same(named, [
    'PLINTH_DATA',
    'PLINTH_INTERNAL_LISTEN',
    'PLINTH_LISTEN',
    'PLINTH_RUNTIME',
    'PLINTH_STANDBY',
  ])
  t.same(
    named.filter((name) => !(name in env)),
    [],
  )
  const config = readConfig(settings)
  t.equal(config.runtime, '/run/plinth')
  t.same(config.internalListen, { host: '10.0.0.11', port: 8081 })
  t.same(unknownSettings(settings), [])
})

t.test(
  'a standby without a runtime folder of its own waits, as before',
  needs('nginx', 'flock', 'pgrep'),
  async (t) => {
    const own = join(tempFolder(), 'data')
    const env = async () => ({
      PLINTH_DATA: own,
      PLINTH_LISTEN: `127.0.0.1:${await freePort()}`,
      PLINTH_ADMIN_TOKEN: TOKEN,
      PLINTH_STANDBY: '1',
    })
    const first = start(await env())
    await first.until(/serving /)
    const second = start(await env())
    await second.until(/standing by/)
    t.notMatch(second.output(), /serving/)
    first.kill('SIGTERM')
    await second.until(/serving /)
    second.kill('SIGTERM')
    t.equal((await second.ended).code, 0)
  },
)

t.test(
  'who is active ends before there is a tree: the standby makes it',
  needs('nginx', 'flock'),
  async (t) => {
    const place = tempFolder()
    const own = join(place, 'data')
    const port = await freePort()
    const lock = await takeLock(own)
    const run = start({
      PLINTH_DATA: own,
      PLINTH_RUNTIME: join(place, 'b'),
      PLINTH_LISTEN: `127.0.0.1:${port}`,
      PLINTH_ADMIN_TOKEN: TOKEN,
      PLINTH_STANDBY: '1',
    })
    await run.until(/standing by/)
    lock.release()
    await run.until(/serving /)
    t.equal((await ask(port, 'PUT', '/api/packages/admin/generic/t/1/x', { body: 'x' })).status, 201)
    run.kill('SIGTERM')
    t.equal((await run.ended).code, 0)
  },
)

t.test('a runtime folder that is not fit for use is refused', needs('nginx'), async (t) => {
  const place = tempFolder()
  writeFileSync(join(place, 'file'), '')
  mkdirSync(join(place, 'open'))
  const refused = async (runtime: string): Promise<string> => {
    const run = start({
      PLINTH_DATA: join(place, 'data'),
      PLINTH_RUNTIME: runtime,
      PLINTH_LISTEN: '127.0.0.1:1',
    })
    t.equal((await run.ended).code, 1)
    return run.output()
  }
  t.match(await refused(join(place, 'file')), /PLINTH_RUNTIME=\S+ cannot be used: it is not a directory/)
  t.match(await refused(`/tmp/${'x'.repeat(100)}`), /PLINTH_RUNTIME=.* is not valid: it is too long/)
  chmodSync(join(place, 'open'), 0o777)
  t.match(await refused(join(place, 'open')), /others may write there/)
})
