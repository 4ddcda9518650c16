// A real service, and the real process that passes requests on to it, without nginx and without `npm start`.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { request, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { readConfig } from '../../src/config.js'
import { ForwarderProcess } from '../../src/service/forwarder-process.js'
import { NODE_ENV, NODE_FLAGS } from '../../src/service/node-flags.js'
import { watch } from '../support/child.js'
import { AUTH } from '../support/http.js'
import { freePort } from '../support/port.js'
import { needs } from '../support/programs.js'
import { newData, runService } from '../support/service.js'
import { tempFolder } from '../support/temp-folder.js'
import { until } from '../support/until.js'
import { simpleModule } from '../support/zips.js'

const FORWARD = fileURLToPath(new URL('../../src/cluster/forward.js', import.meta.url))
const MIB = 2 ** 20

type Sent = { body?: string | Buffer; headers?: Record<string, string | number> }

/** A request whose body the caller may write. */
function send(socketPath: string, method: string, path: string, headers: Sent['headers'] = {}) {
  const req = request({
    socketPath,
    method,
    path,
    agent: false,
    headers: { host: 'plinth.example:8080', connection: 'keep-alive', authorization: AUTH, ...headers },
  })
  req.on('error', () => {})
  const answered = new Promise<{ status: number; body: string; headers: IncomingMessage['headers'] }>(
    (resolve, reject) => {
      req.once('error', reject)
      req.once('response', (res) => {
        let body = ''
        res.on('data', (text: Buffer) => (body += text.toString()))
        res.on('error', reject)
        res.once('end', () => resolve({ status: res.statusCode ?? 0, body, headers: res.headers }))
      })
    },
  )
  answered.catch(() => {})
  return { req, answered }
}

function ask(socketPath: string, method: string, path: string, { body, headers }: Sent = {}) {
  const { req, answered } = send(socketPath, method, path, headers)
  req.end(body)
  return answered
}

/** The most memory that a process has had, in MiB. */
const mostMemory = (pid: number): number =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

function runForwarder(data: string, socket: string, flags: string[] = []) {
  const child = spawn(process.execPath, [...NODE_FLAGS, ...flags, FORWARD, socket, '5', 'info'], {
    cwd: data,
    env: { ...NODE_ENV, ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const said: unknown[] = []
  child.on('message', (word) => said.push(word))
  const { output, until: says, ended } = watch(child)
  return {
    child,
    output,
    says,
    ended,
    ready: () => until(() => said.includes('ready') || child.exitCode !== null),
  }
}

t.test('uploads through a machine whose service is not active', needs('flock'), async (t) => {
  const data = await newData({ fast: true })
  const socket = join(tempFolder(), 'shim.sock')
  const active = join(data, 'state/active')
  const settings = async () => ({
    PLINTH_INTERNAL_LISTEN: `127.0.0.1:${await freePort()}`,
    PLINTH_BODY_IDLE_SECONDS: '2',
    PLINTH_MAX_FILE_BYTES: String(80 * MIB),
    PLINTH_STOP_SECONDS: '5',
  })
  const forwarder = runForwarder(data, socket)
  await forwarder.ready()
  t.match(await ask(socket, 'PUT', '/api/packages/admin/generic/t/1/early', { body: 'x' }), { status: 503 })
  const service = runService(data, await settings())
  await service.ready()
  t.match(await ask(socket, 'GET', '/-/ready'), { status: 200, body: /"status":"ready"/ })
  t.equal(statSync(active).mode & 0o777, 0o600)

  await t.test('a module, with the scheme that nginx says the client has used', async (t) => {
    for (const [nth, scheme] of ['http', 'https'].entries()) {
      const answer = await ask(socket, 'PUT', '/api/packages/admin/go/upload', {
        body: await simpleModule('example.com/m', `v1.0.${nth}`),
        headers: { 'x-forwarded-proto': scheme, 'x-forwarded-for': '192.0.2.7' },
      })
      t.equal(answer.status, 201, answer.body)
      t.match(answer.body, `${scheme}://plinth.example:8080/`)
    }
    t.match(
      service.log(),
      /"path":"\/api\/packages\/admin\/go\/upload","status":201,.*"address":"192\.0\.2\.7"/,
    )
  })

  await t.test('64 MiB stream in bounded memory', async (t) => {
    const piece = Buffer.alloc(MIB, 'x')
    const { req, answered } = send(socket, 'PUT', '/api/packages/admin/generic/t/1/large')
    for (let nth = 0; nth < 64; nth++) if (!req.write(piece)) await once(req, 'drain')
    req.end()
    t.match(await answered, { status: 201 })
    t.equal(statSync(join(data, 'tree/api/packages/admin/generic/t/1/large')).size, 64 * MIB)
    const most = mostMemory(forwarder.child.pid ?? 0)
    t.ok(most < 110, `what passes it on had ${most.toFixed(0)} MiB`)
  })

  await t.test('refusals reach the client before its body was sent', async (t) => {
    const path = '/api/packages/admin/generic/t/1'
    const REFUSED: [status: number, path: string, headers: Sent['headers']][] = [
      [401, `${path}/x`, { 'content-length': MIB, authorization: 'Basic eDp5' }],
      [413, `${path}/x`, { 'content-length': 81 * MIB }],
      [409, `${path}/large`, { 'content-length': MIB }],
      [404, '/api/packages/admin/nothing', { 'content-length': MIB }],
    ]
    for (const [status, at, headers] of REFUSED) {
      const { req, answered } = send(socket, 'PUT', at, headers)
      req.write('the first bytes')
      t.equal((await answered).status, status, at)
      req.destroy()
    }
  })

  await t.test('the clock of a body sees what comes over TLS, and what does not', async (t) => {
    const dripping = send(socket, 'PUT', '/api/packages/admin/generic/t/1/drips', { 'content-length': 8 })
    const silent = send(socket, 'PUT', '/api/packages/admin/generic/t/1/silent', { 'content-length': 8 })
    silent.req.write('x')
    const silence: number[] = []
    void silent.answered.then(({ status }) => silence.push(status))
    for (let nth = 0; nth < 7 || silence.length === 0; nth++) {
      if (nth < 7) dripping.req.write('x')
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
    t.same(silence, [408])
    silent.req.destroy()
    dripping.req.end('x')
    const answer = await dripping.answered
    // a busy machine may let two seconds pass between two bytes
    t.ok([201, 408].includes(answer.status), answer.body)
    if (answer.status === 408) t.comment('the body was late')
  })

  await t.test('an upload that its client gives up leaves nothing', async (t) => {
    const { req } = send(socket, 'PUT', '/api/packages/admin/generic/t/1/given-up', { 'content-length': MIB })
    req.write(Buffer.alloc(MIB / 2))
    await until(() => readdirSync(join(data, 'state/tmp')).length > 0)
    req.destroy()
    await until(() => readdirSync(join(data, 'state/tmp')).length === 0)
    t.notOk(existsSync(join(data, 'tree/api/packages/admin/generic/t/1/given-up')))
  })

  await t.test(
    'the active service is killed under an upload: a 503, and so for whoever comes later',
    async (t) => {
      const { req, answered } = send(socket, 'PUT', '/api/packages/admin/generic/t/1/cut', {
        'content-length': MIB,
      })
      req.write(Buffer.alloc(MIB / 2))
      await until(() => readdirSync(join(data, 'state/tmp')).length > 0)
      await service.end('SIGKILL')
      t.match(await answered, { status: 503, body: /it is not known/ })
      req.destroy()
      t.ok(existsSync(active), 'nobody has taken its name away')
      t.match(await ask(socket, 'PUT', '/api/packages/admin/generic/t/1/cut', { body: 'x' }), { status: 503 })
      t.match(await ask(socket, 'GET', '/-/ready'), { status: 503, body: /"name":"service","ok":false/ })
    },
  )

  await t.test('another service takes over at another address, and ends in order', async (t) => {
    const second = runService(data, await settings())
    await second.ready()
    t.match(await ask(socket, 'PUT', '/api/packages/admin/generic/t/1/cut', { body: 'x' }), { status: 201 })
    const { req, answered } = send(socket, 'PUT', '/api/packages/admin/generic/t/1/last', {
      'content-length': 2,
    })
    req.write('x')
    await until(() => readdirSync(join(data, 'state/tmp')).length > 0)
    second.kill('SIGTERM')
    await until(() => !existsSync(active))
    req.end('x')
    t.match(await answered, { status: 201 }, 'what is under way finishes')
    t.match(await second.ended, { code: 0 })
    await until(async () => /no machine takes uploads/.test((await ask(socket, 'GET', '/-/ready')).body))
  })

  forwarder.child.kill('SIGTERM')
  t.match(await forwarder.ended, { code: 0, signal: null })
  t.notOk(existsSync(socket), 'the socket goes with it')
  t.notMatch(forwarder.output(), /uncaught|internal error/)
})

t.test('the process: its socket, and its ends', async (t) => {
  const data = await newData({ fast: true })
  const socket = join(tempFolder(), 'shim.sock')
  const killed = runForwarder(data, socket)
  await killed.ready()
  const second = runForwarder(data, socket)
  t.match(await second.ended, { code: 1 })
  t.match(second.output(), /somebody answers on .*shim\.sock already/)
  killed.child.kill('SIGKILL')
  await killed.ended
  t.ok(existsSync(socket), 'one that is killed leaves its socket')

  const wrong = 'data:text/javascript,process.on("SIGUSR2",()=>{throw new Error("nobody")})'
  const broken = runForwarder(data, socket, ['--import', wrong])
  await broken.ready()
  t.match(await ask(socket, 'GET', '/-/ready'), { status: 503 })
  broken.child.kill('SIGUSR2')
  t.match(await broken.ended, { code: 1 }, 'an error that nobody caught ends it')
  t.match(broken.output(), /"event":"uncaught","reason":"nobody"/)

  const orphan = runForwarder(data, socket)
  await orphan.ready()
  const exited = once(orphan.child, 'exit') // node tells no 'close' after a disconnect
  orphan.child.disconnect()
  t.same(await exited, [0, null], 'it ends with what has started it')

  const config = readConfig({ PLINTH_DATA: data, PLINTH_LOG_LEVEL: 'error', PLINTH_STOP_SECONDS: '5' })
  const passing = new ForwarderProcess(config, socket)
  t.equal(await passing.start(), 'ready')
  t.ok(await passing.watched.answers(60_000))
  await passing.handOver()
  t.notOk(existsSync(socket), 'the service may have the socket')
  t.match(await passing.ended, { code: 1, reason: /ended with code 0/ })
})
