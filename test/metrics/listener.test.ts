import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { request, type IncomingHttpHeaders } from 'node:http'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import type { LocalAddress } from '../../src/addresses/local-address.js'
import { MetricsListener } from '../../src/metrics/listener.js'
import { freePort } from '../support/port.js'
import { tempFolder } from '../support/temp-folder.js'
import { until } from '../support/until.js'

type Answer = { status: number; body: string; headers: IncomingHttpHeaders }

const ask = (address: LocalAddress, path: string, headers = {}, method = 'GET'): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const to = 'path' in address ? { socketPath: address.path } : address
    const req = request({ ...to, path, method, headers, agent: false }, (res) => {
      let body = ''
      res.on('data', (text: Buffer) => (body += text.toString()))
      res.on('end', () => resolve({ status: res.statusCode ?? 0, body, headers: res.headers }))
      res.on('error', reject)
    })
    req.on('error', reject)
    req.end()
  })

const freeAddress = async () => ({ host: '127.0.0.1', port: await freePort() })

/** A listener that tells `text`, and what it has logged. */
function makeListener(
  { teardown }: Pick<typeof t, 'teardown'>,
  address: LocalAddress,
  text = async (): Promise<string> => 'a 1\n',
  requestMs = 60_000, // a busy machine reads late what has come in time
) {
  const lines: string[] = []
  const listener = new MetricsListener(
    address,
    (level, event, fields) => lines.push(`${level} ${event} ${fields?.['reason']}`),
    { text, type: 'text/plain; version=0.0.4' },
    { requestMs, retryMs: 5 },
  )
  teardown(() => listener.close())
  return { listener, lines }
}

t.test('one page, for GET and HEAD, by the names of this machine', async (t) => {
  const address = await freeAddress()
  await makeListener(t, address).listener.listen()
  const { body, headers } = await ask(address, '/metrics')
  t.equal(body, 'a 1\n')
  t.match(headers, { 'content-type': 'text/plain; version=0.0.4', 'cache-control': 'no-store' })
  t.notOk(headers['access-control-allow-origin'])
  const head = await ask(address, '/metrics', {}, 'HEAD')
  t.match(head, { status: 200, body: '', headers: { 'content-length': '4' } })
  t.match(await ask(address, '/metrics?x=1', { host: 'localhost:1' }), { status: 200 })
  for (const path of ['/', '/metrics/', '/metricsx', '/x/../metrics', '//metrics'])
    t.equal((await ask(address, path)).status, 404, path)
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'])
    t.match(
      await ask(address, '/metrics', {}, method),
      { status: 405, headers: { allow: 'GET, HEAD' } },
      method,
    )
  for (const host of ['evil.example', 'evil.example:9464', '127.0.0.1.evil.example', '192.168.0.1'])
    t.match(await ask(address, '/metrics', { host }), { status: 403, body: /its own name/ }, host)
})

t.test('who asks while somebody else does gets the same answer', async (t) => {
  const address = await freeAddress()
  let [scrapes, requests] = [0, 0]
  let end = (): void => {}
  const { listener } = makeListener(t, address, () => {
    scrapes++
    return new Promise((resolve) => (end = () => resolve(`${scrapes}`)))
  })
  await listener.listen()
  const count = (): void => void requests++
  subscribe('http.server.request.start', count)
  const both = Promise.all([ask(address, '/metrics'), ask(address, '/metrics')])
  await until(() => requests === 2)
  unsubscribe('http.server.request.start', count)
  end()
  const bodies = (await both).map(({ body }) => body)
  t.equal(bodies[0], bodies[1])
  t.equal(bodies[0], '1')
})

t.test('a failure is an answer without its reason', async (t) => {
  const address = await freeAddress()
  const { listener, lines } = makeListener(t, address, () => Promise.reject(new Error('EIO /a/path')))
  await listener.listen()
  const { status, body } = await ask(address, '/metrics')
  t.equal(status, 500)
  t.notMatch(body, '/a/path')
  t.same(lines, ['error metrics EIO /a/path'])
})

t.test('sixteen connections at once, and one that says nothing is closed', async (t) => {
  const address = await freeAddress()
  let tell = (_text: string): void => {}
  const text = new Promise<string>((resolve) => (tell = resolve))
  await makeListener(t, address, () => text).listener.listen()
  let [answered, closed] = [0, 0]
  const sockets = Array.from({ length: 40 }, () => connect(address))
  t.teardown(() => sockets.forEach((socket) => socket.destroy()))
  for (const socket of sockets) {
    socket.on('error', () => {})
    socket.once('close', () => closed++)
    socket.once('data', () => answered++)
    socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n')
  }
  await until(() => closed === 24)
  tell('a 1\n')
  await until(() => answered === 16)
  sockets.forEach((socket) => socket.destroy())

  const hasty = await freeAddress()
  await makeListener(t, hasty, undefined, 500).listener.listen()
  const silent = connect(hasty)
  silent.resume()
  silent.on('error', () => {})
  await once(silent, 'close')
  t.pass('it was closed')
})

t.test('where another program listens, it is tried again', async (t) => {
  const address = await freeAddress()
  const other = createServer().listen(address)
  await once(other, 'listening')
  const { listener, lines } = makeListener(t, address)
  await listener.listen()
  t.match(lines[0], `error metrics cannot listen on 127.0.0.1:${address.port}: another program listens there`)
  other.close()
  await once(other, 'close')
  await until(() =>
    ask(address, '/metrics').then(
      ({ status }) => status === 200,
      () => false,
    ),
  )
})

t.test('one that is closed while it waits listens no more', async (t) => {
  const address = await freeAddress()
  const other = createServer().listen(address)
  await once(other, 'listening')
  const { listener } = makeListener(t, address, async () => 'closed')
  await listener.listen()
  await listener.close()
  await makeListener(t, address, async () => 'later').listener.listen() // its next attempt comes after the other's
  other.close()
  const body = (): Promise<string> =>
    ask(address, '/metrics').then(
      (answer) => answer.body,
      () => '',
    )
  await until(async () => (await body()) !== '')
  t.equal(await body(), 'later')
})

t.test(
  'a socket: for its user and group, of a killed service too, and never in the place of a file',
  async (t) => {
    const folder = tempFolder()
    const address = { path: join(folder, 'm.sock') }
    const { listener } = makeListener(t, address)
    await listener.listen()
    t.equal(statSync(address.path).mode & 0o777, 0o660)
    t.match(
      await ask(address, '/metrics', { host: 'any.example' }),
      { status: 200 },
      'no browser asks a socket',
    )

    const { listener: second, lines } = makeListener(t, address)
    await second.listen()
    t.match(lines[0], /another program listens there/, 'the first one is not robbed')
    await second.close()
    t.match(await ask(address, '/metrics'), { status: 200 })

    await listener.close()
    t.notOk(existsSync(address.path), 'it is removed at the end')
    const left = createServer().listen(address.path)
    await once(left, 'listening')
    const bound = `${address.path}.moved`
    renameSync(address.path, bound) // closing unlinks the first name: the socket stays as one that nobody answers
    await new Promise((resolve) => left.close(resolve))
    const { listener: third } = makeListener(t, { path: bound })
    await third.listen()
    t.match(await ask({ path: bound }, '/metrics'), { status: 200 }, 'the socket of a killed one is replaced')

    const file = join(folder, 'precious')
    writeFileSync(file, 'x')
    const { listener: fourth, lines: told } = makeListener(t, { path: file })
    await fourth.listen()
    t.match(told[0], /a file has this name/)
    t.equal(readFileSync(file, 'utf8'), 'x')
  },
)
