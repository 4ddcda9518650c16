// `/-/health`, `/-/ready` and `plinth status`: what they say when all is well, and when something is not.

import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, rmdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { CLI, plainNode, runCli } from '../support/cli.js'
import { block, MANUAL, read } from '../support/documents.js'
import { ask, TOKEN, type Answer } from '../support/http.js'
import { startPlinth, type Plinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { untilLate } from '../support/until.js'

const { version: VERSION } = JSON.parse(read('package.json')) as { version: string }

type Ready = { status: string; checks: { name: string; ok: boolean; reason?: string }[] }

const wrongIn = (body: string): string[] =>
  (JSON.parse(body) as Ready).checks.filter(({ ok }) => !ok).map(({ name }) => name)

/** Asks until the answer `isSo`: it may be a second old, and a disk that others keep busy may be late for a check. */
async function askUntil<T>(asked: () => T | Promise<T>, isSo: (answer: T) => boolean): Promise<T> {
  let answer = await asked()
  await untilLate(async () => isSo(answer) || isSo((answer = await asked())), 50)
  return answer
}

/** The answer of `/-/ready` when just these checks fail. */
const readyBut = (plinth: Plinth, ...failing: string[]): Promise<Answer> =>
  askUntil(
    () => plinth.get('/-/ready'),
    ({ body }) => String(wrongIn(body)) === String(failing),
  )

const isWell = ({ status }: { status: number | null }): boolean => status === 200 || status === 0
const endsWell = ({ code }: { code: number }): boolean => code === 0

t.test('a server that is well', needs('nginx'), async (t) => {
  const plinth = await startPlinth()
  t.teardown(plinth.stop)
  const { ask: send, get } = plinth

  await t.test('says so', async (t) => {
    const health = await get('/-/health')
    t.match(health, { status: 200, body: '{"status":"ok"}\n' })
    const ready = await readyBut(plinth)
    t.equal(ready.status, 200)
    t.same(JSON.parse(ready.body), {
      status: 'ready',
      checks: ['lock', 'disk', 'journal', 'views', 'clock', 'certificate'].map((name) => ({
        name,
        ok: true,
      })),
    })
    for (const { headers } of [health, ready])
      t.match(headers, { 'content-type': /^application\/json/, 'cache-control': 'no-store' })
    t.match(await ask(plinth.port, 'HEAD', '/-/health'), {
      status: 200,
      body: '',
      headers: { 'content-length': String('{"status":"ok"}\n'.length) },
    })
    for (const name of ['last-modified', 'etag', 'accept-ranges'])
      t.notOk(health.headers[name], `nobody keeps the answer: ${name}`)
    const conditions = {
      'if-modified-since': new Date().toUTCString(),
      'if-none-match': '*',
      range: 'bytes=0-1',
    }
    t.match(await send('GET', '/-/health', { headers: conditions }), {
      status: 200,
      body: '{"status":"ok"}\n',
    })
    t.equal((await askUntil(() => ask(plinth.port, 'HEAD', '/-/ready'), isWell)).status, 200)
    t.notMatch(plinth.log(), '/-/ready', 'and no line is logged for it')
  })

  await t.test('to everybody, and takes nothing else there', async (t) => {
    for (const path of ['/-/health', '/-/ready']) {
      const { status } = await askUntil(
        () => send('GET', path, { headers: { authorization: 'Basic !' } }),
        isWell,
      )
      t.equal(status, 200, 'any credentials')
      for (const method of ['PUT', 'POST', 'DELETE', 'PATCH'])
        t.match(String((await send(method, path)).status), /^40[45]$/, `${method} ${path}`)
      t.equal((await get(`${path}/`)).status, 401, 'no page of this name')
    }
  })

  await t.test('plinth status', async (t) => {
    t.match(await askUntil(() => plinth.run('status'), endsWell), {
      code: 0,
      stdout: new RegExp(
        `reads: possible\nuploads: possible\n  lock: ok\n(.|\n)*version ${VERSION}, pid ${plinth.shimPid()}, since 20`,
      ),
    })
    const { stdout } = await askUntil(() => plinth.run('status', '--json'), endsWell)
    const json = JSON.parse(stdout) as object
    t.match(json, {
      at: plinth.data,
      reads: { ok: true },
      uploads: { ok: true, version: VERSION, disk: { floor: 64 * 2 ** 20 } },
    })
    const there = await askUntil(() => runCli({ PLINTH_URL: plinth.url }, ['status']), endsWell)
    t.match(there, { code: 0, stdout: `${plinth.url}\nreads: possible\nuploads: possible\n  lock: ok\n` })
    t.match(plinth.run('status', 'x'), { code: 2, stderr: 'status takes no words' })
  })

  await t.test('the lines of the manual', needs('curl'), async (t) => {
    const [program, args] = plainNode(CLI)
    const line = [program, ...args].map((word) => `'${word}'`).join(' ')
    const script = `set -e; plinth() { ${line} "$@"; }\n${block(MANUAL, 'Health')}`
    const env = {
      ...process.env,
      PLINTH: plinth.url,
      PLINTH_DATA: plinth.data,
      PLINTH_LISTEN: `127.0.0.1:${plinth.port}`,
    }
    const ran = await askUntil(() => spawnSync('sh', ['-c', script], { env, encoding: 'utf8' }), isWell)
    t.match(
      ran,
      { status: 0, stdout: /"status":"ok"(.|\n)*"status":"ready"(.|\n)*reads: possible/ },
      ran.stderr,
    )
  })

  await t.test('the lock is another process’s', async (t) => {
    const lock = join(plinth.data, 'state/lock')
    const signed = readFileSync(lock, 'utf8')
    writeFileSync(lock, 'pid 1 on another\n')
    const ready = await readyBut(plinth, 'lock')
    t.same(wrongIn(ready.body), ['lock'])
    t.ok(ready.headers['retry-after'])
    t.match(plinth.run('status'), {
      code: 1,
      stdout: /uploads: not possible\n  lock: another process has taken/,
    })
    t.match(runCli({}, ['status', '--url', plinth.url]), { code: 1, stdout: /lock: another process/ })
    writeFileSync(lock, signed)
    t.equal((await readyBut(plinth)).status, 200)
  })

  await t.test('the folder of temporary files is gone, and comes back', async (t) => {
    const [tmp, away] = ['state/tmp', 'state/away'].map((path) => join(plinth.data, path)) as [string, string]
    renameSync(tmp, away)
    const { body } = await readyBut(plinth, 'disk')
    t.match(body, 'it cannot be checked (ENOENT)')
    t.notMatch(body, plinth.data, 'no path is told')
    renameSync(away, tmp)
    t.equal((await readyBut(plinth)).status, 200)
    await untilLate(() => plinth.leftovers().length === 0) // one that was late may still end
    t.same(plinth.leftovers(), [], 'nothing is left of the checks')
  })

  await t.test('reads and uploads are told apart', async (t) => {
    await plinth.stopShim('SIGKILL')
    t.equal((await get('/-/health')).status, 200, 'reads are possible without the service')
    const ready = await get('/-/ready')
    t.equal(ready.status, 503)
    t.match(ready.headers, { 'content-type': /^application\/json/, 'retry-after': '5' })
    t.same(wrongIn(ready.body), ['service'])
    t.match(plinth.run('status'), {
      code: 1,
      stdout:
        /reads: possible\nuploads: not possible: the service does not answer \(state\/lock has: pid \d+/,
    })
    t.match(runCli({}, ['status', '--url', plinth.url]), { code: 1, stdout: /service: it does not answer/ })
    await plinth.startShim()
    t.equal((await readyBut(plinth)).status, 200)

    const file = join(plinth.data, 'tree/-/health.json')
    const unseen = async (why: string): Promise<void> => {
      const health = await get('/-/health')
      t.match(health, { status: 503, body: /^\{"status":"unavailable","reason":"the tree.*\}\n$/ }, why)
      t.match(health.headers, { 'content-type': /^application\/json/, 'cache-control': 'no-store' })
      t.equal((await ask(plinth.port, 'HEAD', '/-/health')).status, 503, why)
    }
    rmSync(file)
    await unseen('the file is gone')
    t.match(runCli({}, ['status', '--url', plinth.url]), { code: 1, stdout: /reads: not possible: the tree/ })
    symlinkSync('health.json', file)
    await unseen('opening it fails')
    rmSync(file)
    mkdirSync(file)
    await unseen('it is a folder')
    rmdirSync(file)
    await plinth.stopShim()
    await plinth.startShim()
    t.equal((await get('/-/health')).status, 200, 'a start of the service writes it')
    renameSync(join(plinth.data, 'tree'), join(plinth.data, 'away'))
    await unseen('the tree is gone')
    renameSync(join(plinth.data, 'away'), join(plinth.data, 'tree'))
    t.equal((await get('/-/health')).status, 200, 'nothing keeps the answer')
  })
})

const bodyOf = (t: Test, body: string): void => void t.same(wrongIn(body), ['disk'])

t.test('a disk below the floor', needs('nginx'), async (t) => {
  const plinth = await startPlinth({ PLINTH_MIN_FREE_BYTES: String(2 ** 50) })
  t.teardown(plinth.stop)
  const ready = await plinth.get('/-/ready')
  t.equal(ready.status, 503)
  bodyOf(t, ready.body)
  t.equal((await plinth.ask('PUT', '/api/packages/admin/generic/a/1/b', { body: 'x' })).status, 507)
  t.match(plinth.run('status'), { code: 1, stdout: /disk: the disk is full(.|\n)*MiB are kept free/ })
})

t.test('no server', async (t) => {
  const nothing = runCli({ PLINTH_TOKEN: TOKEN }, ['status', '--url', 'http://127.0.0.1:1'])
  t.match(nothing, { code: 1, stdout: /reads: not possible: 127.0.0.1:1 cannot be asked/ })
  t.match(runCli({ PLINTH_DATA: '/nonexistent/data' }, ['status']), {
    code: 1,
    stderr: /there is no data folder/,
  })
})
