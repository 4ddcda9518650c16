// Many connections of one address: they must not keep the readers of other addresses out.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { watch } from '../support/child.js'
import { plainNode } from '../support/cli.js'
import { TOKEN as ADMIN } from '../support/http.js'
import { startPlinth } from '../support/plinth.js'
import { freePort } from '../support/port.js'
import { needs } from '../support/programs.js'
import { tempFolder } from '../support/temp-folder.js'
import { until } from '../support/until.js'

const START = fileURLToPath(new URL('../../src/start.js', import.meta.url))
const IDLE = 2200
const FILE = '/api/packages/admin/generic/a/1/b'
const TOKEN = 'a-token-for-connections-0123'
/** Who is kept out waits without an end. A busy machine may take seconds for an answer. */
const NO_ANSWER_MS = 120_000

/** The status that a reader on another address gets; 0 when nobody answers. */
const readFrom = (address: string, port: number): Promise<number> =>
  new Promise((resolve) => {
    const asked = request({ host: '127.0.0.1', localAddress: address, port, path: FILE, agent: false })
    asked.once('response', (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    asked.once('error', () => resolve(0))
    asked.setTimeout(NO_ANSWER_MS, () => asked.destroy(new Error('no answer')))
    asked.end()
  })

/** Connections of 127.0.0.1 that send `text` and nothing more. */
async function openMany(port: number, text: string): Promise<Socket[]> {
  const sockets: Socket[] = []
  while (sockets.length < IDLE) {
    const some = Array.from({ length: 100 }, () => connect(port, '127.0.0.1'))
    for (const socket of some) socket.on('error', () => {})
    const opened = some.map((socket) => Promise.race([once(socket, 'connect'), once(socket, 'close')]))
    await Promise.allSettled(opened) // nginx may have closed one before this process sees that it was open
    for (const socket of some) if (text !== '') socket.write(text)
    sockets.push(...some)
  }
  return sockets
}

/** `npm start` in a shell that has set this limit of open files. */
async function startWithLimit(limit: string, as?: { uid: number; gid: number }) {
  const folder = tempFolder()
  chmodSync(folder, 0o777)
  const port = await freePort()
  const [program, args] = plainNode(START)
  const child: ChildProcess = spawn('sh', ['-c', `ulimit ${limit} && exec "$@"`, 'sh', program, ...args], {
    env: {
      ...process.env,
      PLINTH_DATA: join(folder, 'data'),
      PLINTH_LISTEN: `127.0.0.1:${port}`,
      PLINTH_ADMIN_TOKEN: TOKEN,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...as,
  })
  const run = watch(child)
  await run.until(/plinth: serving/)
  return { port, output: run.output, stop: () => (child.kill('SIGTERM'), run.ended) }
}

async function othersStillRead(t: Test, limit: string, text: string, as?: { uid: number; gid: number }) {
  const { port, output, stop } = await startWithLimit(limit, as)
  const put = request({
    host: '127.0.0.1',
    port,
    method: 'PUT',
    path: FILE,
    agent: false,
    auth: `admin:${TOKEN}`,
  })
  put.end('x')
  const [{ statusCode }] = (await once(put, 'response')) as [{ statusCode: number }]
  t.equal(statusCode, 201)
  const sockets = await openMany(port, text)
  for (let n = 1; n <= 10; n++) t.equal(await readFrom('127.0.0.2', port), 200, `reader ${n}`)
  sockets.forEach((socket) => socket.destroy())
  await stop()
  t.notMatch(output(), /exceed open file resource limit|Too many open files/)
  return output()
}

t.test('2,200 connections of one address', needs('nginx'), async (t) => {
  await t.test('that send nothing, to a user who cannot raise the usual limit of open files', async (t) => {
    const [uid = 0, gid = 0] = ['-u', '-g'].map((flag) =>
      Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' })),
    )
    const output = await othersStillRead(
      t,
      '-n 1024',
      '',
      process.getuid?.() === 0 ? { uid, gid } : undefined,
    )
    t.match(
      output,
      'only 1024 files may be open at once (ulimit -Hn), so nginx takes 448 connections a worker',
    )
  })

  await t.test('that send half a head', async (t) => {
    await othersStillRead(t, '-Sn 1024', `GET ${FILE} HTTP/1.1\r\n`)
  })
})

t.test(
  'one address has so many requests under way, and another is not concerned',
  needs('nginx'),
  async (t) => {
    const plinth = await startPlinth({ PLINTH_CONNECTIONS_PER_ADDRESS: '3' })
    t.teardown(plinth.stop)
    t.equal((await plinth.ask('PUT', FILE, { body: 'x' })).status, 201)
    await plinth.viewsFollowed()
    // three uploads that never end: each is a request under way
    const uploads = Array.from({ length: 3 }, (_, i) => {
      const socket = connect(plinth.port, '127.0.0.1')
      socket.on('error', () => {})
      const auth = Buffer.from(`admin:${ADMIN}`).toString('base64')
      socket.write(
        `PUT ${FILE}${i} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ${auth}\r\nContent-Length: 9\r\n\r\nx`,
      )
      return socket
    })
    // A read that comes before the last of them would be the third request, and that one refused.
    await until(() => plinth.leftovers().length === 3)
    let refused = await plinth.get(FILE)
    await until(async () => (refused = await plinth.get(FILE)).status === 429)
    t.match(refused.headers, { 'retry-after': '5', 'content-type': 'text/plain; charset=utf-8' })
    t.match(refused.body, /^too many requests from this address/)
    t.equal(await readFrom('127.0.0.2', plinth.port), 200)
    uploads.forEach((socket) => socket.destroy())
    await until(async () => (await plinth.get(FILE)).status === 200)
  },
)
