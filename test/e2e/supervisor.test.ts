// What `npm start` does when nginx or the service dies: reads go on, and both come back.
//
// PLINTH_TEST_KILL_ROUNDS asks for more kills than every run of the tests makes.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ask, AUTH, TOKEN, type Answer } from '../support/http.js'
import { violationsAfterEnd } from '../support/invariants.js'
import { freePort, isFree } from '../support/port.js'
import { needs } from '../support/programs.js'
import { childOf, childrenOf, start, type Start } from '../support/start.js'
import { tempFolder } from '../support/temp-folder.js'
import { until } from '../support/until.js'
import { simpleModule } from '../support/zips.js'

const ROUNDS = Number(process.env['PLINTH_TEST_KILL_ROUNDS'] ?? 12)

const SERVICE = 'main.js'
const NGINX = 'nginx: master process'
const file = (name: string): string => `/api/packages/admin/generic/tool/1/${name}`

async function newPlinth() {
  const port = await freePort()
  const data = join(tempFolder(), 'data')
  return {
    data,
    port,
    env: { PLINTH_DATA: data, PLINTH_LISTEN: `127.0.0.1:${port}`, PLINTH_ADMIN_TOKEN: TOKEN },
    get: (name: string) => ask(port, 'GET', file(name)),
    put: (name: string) => ask(port, 'PUT', file(name), { body: name, auth: AUTH }),
  }
}

/** Kills a child of `run`. */
const kill = async (run: Start, what: string): Promise<void> =>
  void process.kill(await childOf(run.pid, what), 'SIGKILL')

/** How often its output has `text`. */
const timesOf = (run: Start, text: string): number => run.output().split(text).length - 1

const KILLED = 'the service was ended by SIGKILL'
const AGAIN = 'the service runs again'

/**
 * Kills the service. Resolves when that was seen, with what resolves when the service runs again. Where a SIGUSR2 came
 * after the pause that it was to end, the service is restarted once more: a kill in the middle of that is not told, and
 * another one follows.
 */
async function killService(run: Start): Promise<() => Promise<void>> {
  for (;;) {
    const [killed, again] = [timesOf(run, KILLED), timesOf(run, AGAIN)]
    await kill(run, SERVICE).catch(() => {}) // it has just ended
    await until(() => timesOf(run, KILLED) > killed || timesOf(run, AGAIN) > again)
    if (timesOf(run, KILLED) === killed) continue
    const before = run.output().slice(0, run.output().lastIndexOf(KILLED)).split(AGAIN).length - 1
    return () => run.untilTimes(AGAIN, before + 1)
  }
}

const isStopped = (pid: number): boolean =>
  execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('T')

async function stops(t: Test, run: Start): Promise<void> {
  run.kill('SIGTERM')
  t.same(await run.ended, { code: 0, signal: null }, 'it ends when it is told to')
}

t.test('npm start', needs('nginx', 'pgrep'), async (t) => {
  const { data, port, env, get, put } = await newPlinth()
  const run = start(env)
  await run.until(/plinth: serving/)
  t.equal((await put('a')).status, 201)

  await t.test('the service dies: reads go on, writes get 503 until it runs again', async (t) => {
    const answers: Answer[] = []
    for (const [round, seconds] of ['0.2', '0.4', '0.8'].entries()) {
      const runsAgain = await killService(run)
      const reads = new Set<number>()
      for (;;) {
        reads.add((await get('a')).status)
        const written = await put(`b${round}`)
        if (written.status !== 503) {
          t.equal(written.status, 201, 'it runs again')
          break
        }
        answers.push(written)
      }
      t.same([...reads], [200])
      await runsAgain()
      t.match(
        run.output(),
        `${KILLED}; nginx goes on serving, and the service is started again in ${seconds} s`,
      )
    }
    t.ok(answers.length > 0)
    t.ok(
      answers.every(
        ({ headers, body }) => /^\d+$/.test(headers['retry-after'] ?? '') && /reads go on/.test(body),
      ),
    )
  })

  await t.test('SIGUSR2 to the pid in state/start.pid ends the wait', async (t) => {
    const pid = Number(readFileSync(join(data, 'state/start.pid'), 'utf8'))
    t.equal(pid, run.pid)
    for (let round = 1; round <= 6; round++) {
      const runsAgain = await killService(run)
      if (round < 6) process.kill(pid, 'SIGUSR2') // after the last one no restart is to come any more
      await runsAgain()
    }
    t.match(run.output(), /again in 0\.2 s(?:[^]*again in 0\.2 s){2}/, 'and the delay begins anew')
  })

  await t.test('nginx dies: it is started again, and the service goes on', async (t) => {
    const service = await childOf(run.pid, SERVICE)
    for (let round = 1; round <= 2; round++) {
      await kill(run, NGINX)
      await run.untilTimes('plinth: nginx was ended by SIGKILL', round)
      await run.untilTimes('plinth: nginx runs again', round)
      t.equal((await get('a')).status, 200)
      t.equal((await put(`c${round}`)).status, 201)
    }
    t.equal(await childOf(run.pid, SERVICE), service)
  })

  await t.test('both die: both come back', async (t) => {
    const again = timesOf(run, AGAIN)
    process.kill(await childOf(run.pid, SERVICE), 'SIGKILL')
    await kill(run, NGINX)
    await run.untilTimes('plinth: nginx runs again', 3)
    await run.untilTimes(AGAIN, again + 1)
    t.equal((await get('a')).status, 200)
    t.equal((await put('d')).status, 201)
  })

  await t.test(
    'a service that cannot start is tried again, and told to stop meanwhile, it stops',
    async (t) => {
      const socket = join(data, 'state/shim.sock')
      const runsAgain = await killService(run)
      await runsAgain()
      t.equal((await put('e')).status, 201)
      // A folder in the socket's place: the service ends at its start.
      rmSync(socket)
      mkdirSync(socket)
      await kill(run, SERVICE)
      await run.untilTimes('the service ended with code 1', 2)
      t.equal((await get('a')).status, 200)
      await stops(t, run)
      t.notOk(existsSync(join(data, 'state/start.pid')))
      t.ok(await isFree(port))
    },
  )
})

t.test('nginx serves before the service runs', needs('nginx', 'pgrep', 'ps'), async (t) => {
  const { data, env, get, put } = await newPlinth()
  const first = start(env)
  await first.until(/plinth: serving/)
  t.equal((await put('a')).status, 201)
  await stops(t, first)

  /** Starts it and stops the service's process before it is ready. */
  async function startFrozen(): Promise<{ run: Start; service: number }> {
    for (;;) {
      const run = start(env)
      const service = await childOf(run.pid, SERVICE)
      process.kill(service, 'SIGSTOP')
      await until(() => isStopped(service))
      // Its output may say later that it is ready. Before that it listens.
      if (!existsSync(join(data, 'state/shim.sock'))) return { run, service }
      process.kill(service, 'SIGCONT') // it was faster
      await stops(t, run)
    }
  }

  const clean = await startFrozen()
  await until(async () => (await get('a').catch(() => undefined))?.status === 200)
  t.equal((await put('b')).status, 503)
  t.notMatch(clean.run.output(), /plinth: serving/)
  process.kill(clean.service, 'SIGCONT')
  await clean.run.until(/plinth: serving/)
  await stops(t, clean.run)

  // as a power cut leaves it in the middle of a publish
  const entry = { op: 'publish', owner: 'admin', name: 'tool', version: '1', file: 'c', sha256: '0', size: 1 }
  writeFileSync(join(data, 'state/journal/1.json'), JSON.stringify(entry))
  const torn = await startFrozen()
  // It starts nginx before the service or when the service is ready.
  t.equal(childrenOf(torn.run.pid, 'nginx').length, 0, 'what is in the journal is settled first')
  process.kill(torn.service, 'SIGCONT')
  await torn.run.until(/plinth: serving/)
  t.match(torn.run.output(), /"event":"ready"[^]*plinth: serving/)
  t.equal((await get('a')).status, 200)
  t.notOk(existsSync(join(data, 'state/journal/1.json')))
  await stops(t, torn.run)
})

t.test(
  'a standby takes over when the service dies, and the loser ends or waits',
  needs('nginx', 'pgrep', 'flock'),
  async (t) => {
    for (const standby of ['0', '1']) {
      const { env, put } = await newPlinth()
      const first = start({ ...env, PLINTH_STANDBY: standby })
      await first.until(/plinth: serving/)
      const second = start({ ...env, PLINTH_STANDBY: '1' })
      await second.until(/standing by: another plinth is running/)
      const service = await childOf(first.pid, SERVICE)
      first.kill('SIGSTOP') // so that the other one is faster
      process.kill(service, 'SIGKILL')
      // the first one's nginx listens at the same address, and is ended
      await second.until(/ending nginx \(pid \d+\), which an earlier run left[^]*plinth: serving/)
      first.kill('SIGCONT')
      if (standby === '0') {
        t.equal((await first.ended).code, 1)
        t.match(first.output(), /another plinth is running on this data folder/)
      } else await first.until(/standing by: another plinth is running/)
      t.equal((await put('a')).status, 201)
      await stops(t, second)
      if (standby === '0') continue
      await first.until(/the service runs again/)
      await first.until(/nginx runs again/)
      t.equal((await put('b')).status, 201)
      await stops(t, first)
    }
  },
)

t.test(
  `${ROUNDS} times kill -9 of the service, beside readers and writers`,
  needs('nginx', 'pgrep'),
  async (t) => {
    const { data, port, env, get } = await newPlinth()
    const run = start(env)
    await run.until(/plinth: serving/)
    const wrong: string[] = []
    const seen = { reads: 0, written: 0, refused: 0, cut: 0 }
    const acknowledged: string[] = []
    const clock = { going: true }

    async function reader(): Promise<void> {
      while (clock.going) {
        const name = acknowledged[Math.floor(Math.random() * acknowledged.length)]
        if (name === undefined) await new Promise(setImmediate)
        else {
          const answer = await ask(port, 'GET', name).catch((error: Error) => error)
          seen.reads++
          if (answer instanceof Error || answer.status !== 200)
            wrong.push(`${name}: ${answer instanceof Error ? answer.message : answer.status}`)
        }
      }
    }
    async function write(url: string, read: string, body: Buffer | string): Promise<void> {
      for (let unsure = false; clock.going;) {
        const answer = await ask(port, 'PUT', url, { body, auth: AUTH }).catch(() => undefined)
        if (answer?.status === 201 || (unsure && answer?.status === 409)) {
          seen.written++
          acknowledged.push(read)
          return
        }
        if (answer === undefined) seen.cut++
        else if (answer.status === 503 && answer.headers['retry-after']) seen.refused++
        else return void wrong.push(`${url}: ${answer.status} ${answer.body}`)
        unsure = true // the service may have died after it had published
      }
    }
    async function writer(client: number): Promise<void> {
      for (let n = 0; clock.going; n++) {
        await write(file(`${client}-${n}`), file(`${client}-${n}`), `${client}`)
        const module = `example.com/m${client % 2}`
        const version = `v${client}.${n}.0`.replace(/^v[2-9]/, 'v1')
        const path = `/api/packages/admin/go/${module}/@v/${version}.info`
        await write('/api/packages/admin/go/upload', path, await simpleModule(module, version))
      }
    }
    const clients = [reader(), reader(), writer(0), writer(1), writer(2)]
    for (let round = 1; round <= ROUNDS && wrong.length === 0; round++) {
      const before = seen.written
      await until(() => seen.written > before + 2 || wrong.length > 0)
      const runsAgain = await killService(run)
      run.kill('SIGUSR2')
      await runsAgain()
    }
    clock.going = false
    await Promise.all(clients)
    t.same(wrong, [])
    for (const name of acknowledged)
      if ((await ask(port, 'GET', name)).status !== 200) wrong.push(`${name} is lost`)
    t.equal((await get('nothing')).status, 404)
    await stops(t, run)
    t.same([...wrong, ...(await violationsAfterEnd(data))], [])
    t.comment(`${ROUNDS} rounds: ${JSON.stringify(seen)}`)
  },
)

t.test('the figures of nginx outlive SIGUSR2 and kills', needs('nginx', 'pgrep'), async (t) => {
  const { env } = await newPlinth()
  const metrics = await freePort()
  const run = start({ ...env, PLINTH_METRICS: `127.0.0.1:${metrics}` })
  await run.until(/plinth: serving/)
  const isUp = async (): Promise<boolean> => {
    const answer = await ask(metrics, 'GET', '/metrics', { auth: false }).catch(() => undefined)
    return answer?.body.includes('\nplinth_nginx_up 1\n') ?? false
  }
  // A look at nginx that takes over a second finds nothing.
  await until(isUp)
  run.kill('SIGUSR2')
  await run.until(/the service runs again/)
  await until(isUp) // nginx goes on listening on the socket that it has
  for (const round of [1, 2]) {
    await kill(run, NGINX)
    await run.untilTimes('plinth: nginx runs again', round)
    await until(isUp)
  }
  await stops(t, run)
})
