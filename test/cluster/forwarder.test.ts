import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import t from 'tap'
import { removeActive, writeActive } from '../../src/cluster/active.js'
import { newActive, newForwarder, NEVER_MS, whole } from '../support/cluster.js'
import { until } from '../support/until.js'

/** Tells what it got, as it got it. */
async function echo(req: IncomingMessage, res: ServerResponse): Promise<void> {
  let body = ''
  for await (const chunk of req) body += (chunk as Buffer).toString('latin1')
  // as bytes: each of the request's is one character
  res.end(
    Buffer.from(JSON.stringify({ method: req.method, url: req.url, raw: req.rawHeaders, body }), 'latin1'),
  )
}
const echoes = (req: IncomingMessage, res: ServerResponse): void => void echo(req, res).catch(() => {})

/** A forwarder in front of an active service. */
async function newPair(t: { teardown: (end: () => unknown) => void }, handle = echoes, times = {}) {
  const forwarder = await newForwarder(t, times)
  const active = await newActive(t, forwarder, 'pid 1 on machine-a', handle)
  await active.tell()
  return { ...forwarder, active }
}

t.test('a request goes on as it is written, and so does its answer', async (t) => {
  const { ask, raw, active } = await newPair(t, (req, res) => {
    if (req.url === '/head') {
      res.sendDate = false
      res.writeHead(201, 'Made here', ['X-Two', '1', 'x-two', '2', 'Date', 'then', 'Connection', 'close'])
      return void res.end('made')
    }
    if (req.url === '/204') return void res.writeHead(204).end()
    return echoes(req, res)
  })
  const { raw: headers, ...got } = await ask('GET', '/head')
  t.same(got, { status: 201, message: 'Made here', body: 'made' })
  t.same(headers.slice(0, 6), ['X-Two', '1', 'x-two', '2', 'Date', 'then'])
  t.notMatch(headers.slice(6).join(' '), /Date|close/, 'one date, and the connection to nginx is kept')
  t.match(await ask('HEAD', '/head'), { status: 201, body: '' })
  t.match(await ask('GET', '/204'), { status: 204, body: '' })

  const lines = [
    'PUT /a//../%2F%00?q=";|" HTTP/1.1',
    'hOsT: x',
    'A: 1',
    'a: \xe9',
    'X-Forwarded-For: 192.0.2.7',
  ]
  const text = await raw(
    `${[...lines, 'Connection: close, X-Forwarded-For', 'Content-Length: 3'].join('\r\n')}\r\n\r\nb\r\n`,
  )
  const told = JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1)) as Record<string, unknown>
  t.match(told, { method: 'PUT', url: '/a//../%2F%00?q=";|"', body: 'b\r\n' })
  t.match(
    (told['raw'] as string[]).join('|'),
    /^hOsT\|x\|A\|1\|a\|\xe9\|X-Forwarded-For\|192\.0\.2\.7\|Content-Length\|3/,
  )

  const bodies: [string, object, string | undefined][] = [
    ['PUT', { 'transfer-encoding': 'chunked' }, 'in pieces'],
    ['DELETE', { 'transfer-encoding': 'chunked' }, 'of a delete'],
    ['DELETE', {}, undefined],
    ['POST', { 'content-length': 0 }, undefined],
  ]
  for (const [method, sent, body] of bodies) {
    const answer = await ask(method, '/', { headers: sent, ...(body !== undefined && { body }) })
    t.match(JSON.parse(answer.body), { method, body: body ?? '' }, `${method} ${JSON.stringify(sent)}`)
  }
  t.match(JSON.parse((await ask('PUT', '/', {})).body), { body: '' }, 'a PUT without a body')
  const kept = active.sockets.size
  for (let nth = 0; nth < 5; nth++) await ask('GET', '/')
  t.equal(active.sockets.size, kept, 'connections are used again')
})

t.test('HTTP/1.0, and a second request on one connection', async (t) => {
  const { raw } = await newPair(t)
  const old = await raw('GET /old HTTP/1.0\r\n\r\n')
  t.match(old, /^HTTP\/1\.1 200 OK/)
  t.match(old, /"url":"\/old","raw":\["Host",""/)
  t.notMatch(old, /chunked/i, 'an old client knows no pieces')
  const two = await raw(
    'PUT /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nGET GET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
  )
  t.match(two, /"url":"\/1".*"body":"GET "/)
  t.match(two, /"url":"\/2".*"body":""/)
})

t.test('a request that could be read in two ways reaches nobody', async (t) => {
  const { raw, active } = await newPair(t)
  const BAD: [status: number, head: string][] = [
    [400, 'PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX'],
    [400, 'PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!'],
    [400, 'PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\n\r\nhello'],
    [400, 'PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n'],
    [400, 'PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'],
    [
      400,
      'PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n',
    ],
    [
      501,
      'PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\nConnection: close\r\n\r\n0\r\n\r\n',
    ],
    [400, 'PUT / HTTP/1.1\r\nHost: x\r\nX: 1\rContent-Length: 5\r\n\r\nhello'],
    [400, 'PUT / HTTP/1.1\r\nX: 1\r\n\r\n'],
    [400, 'GET /a b HTTP/1.1\r\nHost: x\r\n\r\n'],
    [431, `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`],
    [
      417,
      'PUT / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: something\r\nContent-Length: 5\r\n\r\nhello',
    ],
  ]
  for (const [status, text] of BAD)
    t.match(await raw(text), new RegExp(`^HTTP/1.1 ${status} `), text.slice(0, 120))
  t.equal(active.seen.length, 0)
  const many = Array.from({ length: 2500 }, (_, nth) => `${nth.toString(36)}:\r\n`).join('')
  const got = await raw(
    `PUT / HTTP/1.1\r\nHost: x\r\n${many}Content-Length: 5\r\nConnection: close\r\n\r\nhello`,
  )
  t.match(got, /"body":"hello"/, 'no header is left out, whichever is the last')
})

t.test('a refusal before the body reaches the client, and the rest is not waited for', async (t) => {
  const gone: string[] = []
  const { send, active, raw } = await newPair(t, (req, res) => {
    req.socket.once('close', () => gone.push(req.complete ? 'whole' : 'cut'))
    res.writeHead(401, { 'WWW-Authenticate': 'Basic' }).end('who?')
  })
  const { req, answered } = send('PUT', '/', { headers: { 'content-length': 1e9 }, write: 'the first bytes' })
  const answer = await whole(await answered)
  t.match(answer, { status: 401, body: 'who?' })
  await until(() => gone.length > 0)
  t.same(gone, ['cut'], 'the active service has not to take the rest')
  let taken = false
  req.write('x'.repeat(8 * 2 ** 20), () => (taken = true))
  await until(() => taken)
  t.pass('the client may still send, so that it reads the answer')
  req.destroy()
  // a client that asks first, and hears no; whether it sends the body all the same, nobody knows
  const asking = 'PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n'
  active.server.on('checkContinue', (_, res) => res.writeHead(401).end())
  const text = await raw(asking)
  t.match(text, /401 Unauthorized/)
  t.match(text, /\r\nConnection: close\r\n/)
})

t.test('a client that asks before it sends its body is answered by the active service', async (t) => {
  const forwarder = await newForwarder(t)
  const active = await newActive(t, forwarder, 'a', echoes)
  await active.tell()
  const { req, answered } = forwarder.send('PUT', '/', {
    headers: { expect: '100-continue', 'content-length': 5 },
    write: '',
  })
  await once(req, 'continue')
  t.equal(active.seen.length, 1, 'it has the head')
  req.end('hello')
  t.match(JSON.parse((await whole(await answered)).body), { body: 'hello' })
})

t.test('a client that goes away takes its request with it', async (t) => {
  const cut: string[] = []
  const { send, active } = await newPair(t, (req) => {
    req.once('close', () => cut.push(req.url ?? ''))
    req.resume()
  })
  const sending = send('PUT', '/sending', { headers: { 'content-length': 100 }, write: 'x' })
  await until(() => active.seen.length === 1)
  sending.req.destroy()
  await until(() => cut.includes('/sending'))
  const waiting = send('PUT', '/waiting', { body: 'x' })
  await until(() => active.seen.length === 2)
  await until(() => active.seen[1]?.complete === true)
  const { socket } = active.seen[1] as IncomingMessage
  waiting.req.destroy()
  await once(socket, 'close')
  t.pass('also while it waits for the answer')
})

t.test('an active service that dies is never taken for one that has answered', async (t) => {
  let answers = 0
  const { ask, send, active, lines } = await newPair(t, (req, res) => {
    answers++
    if (req.url === '/length') res.writeHead(200, { 'Content-Length': 100 }).write('half')
    if (req.url === '/pieces') res.writeHead(201).write('half')
    if (req.url !== '/none') return void setImmediate(() => req.socket.destroy())
    req.resume().once('end', () => req.socket.destroy())
  })
  for (const path of ['/length', '/pieces']) {
    const res = await send('PUT', path, { body: 'x' }).answered
    await t.rejects(
      whole(res),
      { code: 'ECONNRESET' },
      `${path}: the client sees that the answer is not whole`,
    )
  }
  t.match(await ask('PUT', '/none', { body: 'x' }), { status: 503, body: /it is not known what was done/ })
  const early = send('PUT', '/early', { headers: { 'content-length': 1e6 }, write: 'x' })
  t.match(await whole(await early.answered), { status: 503, body: /it is not known what was done/ })
  early.req.destroy()
  t.equal(answers, 4, 'each was sent once')
  await active.end()
  t.match(await ask('PUT', '/x', { body: 'x' }), {
    status: 503,
    body: /the active service cannot be reached/,
  })
  t.match(await ask('GET', '/-/ready'), { status: 503, body: /"status":"not ready"/ })
  t.equal(lines.filter((line) => /not reached/.test(line)).length, 1, 'the log is told once')
})

t.test('without an active service: 503, and the body is not waited for', async (t) => {
  const { send, ask, store, data } = await newForwarder(t)
  const { req, answered } = send('PUT', '/x', { headers: { 'content-length': 1e9 }, write: 'x' })
  const answer = await whole(await answered)
  t.match(answer, { status: 503, body: /^uploads and deletes are not possible .*: no machine takes uploads/ })
  t.match(answer.raw.join(' '), /Retry-After 5/)
  req.destroy()
  writeFileSync(`${data}/state/active`, '{"holder":"x","addr')
  t.match(
    await ask('GET', '/-/ready'),
    { status: 503, body: /no machine takes uploads/ },
    'a torn file is nobody',
  )
  await writeActive(store, { holder: 'x', address: { host: '127.0.0.1', port: 1 } })
  await store.remove('state/cluster-key')
  await until(async () => /cannot be told/.test((await ask('GET', '/-/ready')).body))
  t.pass('nobody is asked without a key')
})

t.test('who does not have the key gets no request, on either side', async (t) => {
  const forwarder = await newForwarder(t)
  const impostor = await newActive(t, { ...forwarder, key: Buffer.alloc(32, 1) }, 'x', echoes)
  await impostor.tell()
  t.match(await forwarder.ask('PUT', '/', { body: 'secret' }), { status: 503, body: /cannot be reached/ })
  t.equal(impostor.seen.length, 0)
  t.match(forwarder.lines.join('\n'), /not reached .*another state\/cluster-key/)
})

t.test(
  'an active service that hangs: the connection has an end, and "ready?" has one of its own',
  async (t) => {
    const silent = createServer() // its machine accepts, and nothing answers
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    t.teardown(() => silent.close())
    const { port } = silent.address() as AddressInfo
    const forwarder = await newForwarder(t, { connectMs: 100 })
    await writeActive(forwarder.store, { holder: 'x', address: { host: '127.0.0.1', port } })
    t.match(await forwarder.ask('PUT', '/', { body: 'x' }), { status: 503, body: /cannot be reached/ })
    t.match(forwarder.lines.join('\n'), /no answer within 0.1 s/)

    const { ask, active, send } = await newPair(t, (req) => void req.resume(), { readyMs: 300 })
    t.match(await ask('GET', '/-/ready'), {
      status: 503,
      body: /"name":"service","ok":false,"reason":"the active service does not/,
    })
    t.equal(active.seen.length, 1)
    const { req } = send('PUT', '/', { body: 'x' })
    await until(() => active.seen.length === 2)
    t.match(await ask('GET', '/-/ready'), { status: 503 })
    t.notOk(req.destroyed, 'nothing else has that end')
    req.destroy()
  },
)

t.test('a data folder that does not answer is nobody, too', async (t) => {
  const { ask, data, store } = await newForwarder(t, { lookMs: 50 })
  await store.remove('state/cluster-key')
  const { execFileSync } = await import('node:child_process')
  execFileSync('mkfifo', [`${data}/state/active`]) // who opens it waits for a writer
  t.match(await ask('GET', '/-/ready'), { status: 503, body: /the data folder does not answer within/ })
  writeFileSync(`${data}/state/active`, '') // lets the look end
})

t.test('takeover: requests go to the new active service at once', async (t) => {
  const { ask, send, store, active, key, lines } = await newPair(
    t,
    (req, res) => {
      if (req.url !== '/hangs') res.end('first')
    },
    { lookEveryMs: 20 },
  )
  const hanging = send('PUT', '/hangs', { body: 'x' })
  t.equal((await ask('GET', '/')).body, 'first')
  await until(() => active.seen.length === 2)
  await removeActive(store) // an active service that ends in order finishes what it has
  await until(async () => (await ask('GET', '/')).status === 503)
  t.notOk(hanging.req.destroyed)
  const second = await newActive(t, { store, key }, 'pid 2 on machine-b', (_, res) => void res.end('second'))
  await second.tell()
  t.match(
    await whole(await hanging.answered),
    { status: 503, body: /it is not known/ },
    'what hangs there is given up',
  )
  await until(async () => (await ask('GET', '/')).body === 'second')
  await until(() => active.sockets.size === 0)
  t.pass('no connection to the first one is kept')
  t.match(
    lines.filter((line) => line.startsWith('info active service ')).map((line) => line.split('"')[3]),
    ['pid 1 on machine-a', 'pid 2 on machine-b'],
  )
})

t.test(
  'a request that found nobody at the address of before goes to the new one, with its body',
  async (t) => {
    const { ask, store, key, active } = await newPair(t)
    await ask('GET', '/')
    const second = await newActive(t, { store, key }, 'pid 2 on machine-b', echoes)
    await active.end()
    await second.tell() // what was seen a moment ago still counts
    const answer = await ask('PUT', '/', { body: 'all of it' })
    t.match(JSON.parse(answer.body), { body: 'all of it' })
    t.equal(second.seen.length, 1)
  },
)

t.test('a body that nobody takes is not taken from the client', async (t) => {
  const { send, active } = await newPair(t, () => {}) // reads nothing
  const { req } = send('PUT', '/', { headers: { 'content-length': 2 ** 30 }, write: 'x' })
  await until(() => active.seen.length === 1)
  const piece = Buffer.alloc(2 ** 20)
  let sent = 0
  for (let goesOn = true; goesOn && sent <= 64; sent++) {
    const taken = new Promise<boolean>((resolve) => void req.write(piece, () => resolve(true)))
    goesOn = await Promise.race([taken, new Promise<boolean>((resolve) => setTimeout(resolve, 500, false))])
  }
  t.ok(sent <= 64, `${sent} MiB lie between the client and the service`) // the system's buffers, mostly
  req.destroy()
})

t.test('the end: the socket is gone at once, and what is under way finishes', async (t) => {
  let answer = (): void => {}
  const { send, close, path, active } = await newPair(t, (_, res) => void (answer = () => res.end('done')))
  const { answered } = send('PUT', '/', { body: 'x' })
  await until(() => active.seen.length === 1)
  const closed = close(NEVER_MS)
  t.notOk(existsSync(path))
  answer()
  t.equal((await whole(await answered)).body, 'done')
  await closed
  const other = await newPair(t, () => {})
  const hanging = other.send('PUT', '/', { body: 'x' })
  await until(() => other.active.seen.length === 1)
  await other.close(1)
  await t.rejects(hanging.answered, { code: 'ECONNRESET' }, 'what does not finish is cut off')
})
