import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls'
import t from 'tap'
import { readActive } from '../../src/cluster/active.js'
import { readClusterKey } from '../../src/cluster/key.js'
import { clientSecurity } from '../../src/cluster/psk.js'
import { errno, StartProblem } from '../../src/errors.js'
import { InternalListener } from '../../src/service/internal-listener.js'
import { signLock } from '../../src/store/lock.js'
import { Store } from '../../src/store/store.js'
import { NEVER_MS } from '../support/cluster.js'
import { freePort } from '../support/port.js'
import { tempFolder } from '../support/temp-folder.js'
import { until } from '../support/until.js'

const BOUNDS = { handshakeMs: NEVER_MS / 100, handshakes: 64, logEveryMs: NEVER_MS }

async function newListener(
  { teardown }: { teardown: (end: () => unknown) => void },
  handle: RequestListener = (_, res) => void res.end('hello'),
  bounds: Partial<typeof BOUNDS> = {},
) {
  const data = tempFolder()
  const store = new Store(data)
  await store.prepare()
  writeFileSync(join(data, 'state/lock'), '')
  signLock(data)
  const lines: string[] = []
  const log = (level: string, event: string, fields?: object): void =>
    void lines.push(`${level} ${event} ${JSON.stringify(fields)}`)
  const address = { host: '127.0.0.1', port: await freePort() }
  const listener = new InternalListener(address, handle, { store, log }, { ...BOUNDS, ...bounds })
  teardown(() => {
    listener.cutOff()
    return listener.close()
  })
  return { data, store, lines, address, listener, active: join(data, 'state/active') }
}

/** A connection that has proven the key; rejects when it is refused. */
const secure = (address: { host: string; port: number }, how: ConnectionOptions): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    const socket = connectTls({ ...address, ...how })
    socket.on('error', reject)
    socket.once('close', () => reject(new Error('closed')))
    socket.once('secureConnect', () => resolve(socket))
  })

const REQUEST = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'

t.test('who has the key is answered, and nobody else gets to speak', async (t) => {
  let requests = 0
  const { data, address, listener, lines } = await newListener(t, (_, res) => {
    requests++
    res.end('hello')
  })
  await listener.listen()
  const key = (await readClusterKey(data)) as Buffer
  const friend = await secure(address, clientSecurity(key))
  t.match(friend.getCipher(), { name: 'ECDHE-PSK-CHACHA20-POLY1305' })
  t.equal(friend.getProtocol(), 'TLSv1.2')
  friend.write(REQUEST)
  t.match(String((await once(friend, 'data'))[0]), /hello$/)

  const { pskCallback: _, ...noKey } = clientSecurity(key)
  const STRANGERS: [string, ConnectionOptions][] = [
    ['another key', clientSecurity(Buffer.alloc(32))],
    ['a key that begins alike', clientSecurity(key.subarray(0, 31))],
    ['no key, and the same suite', noKey],
    ['certificates', { rejectUnauthorized: false }],
    [
      'TLS 1.3',
      {
        ...clientSecurity(key),
        minVersion: 'TLSv1.3',
        maxVersion: 'TLSv1.3',
        ciphers: 'TLS_AES_128_GCM_SHA256',
      },
    ],
    ['no encryption', { ...clientSecurity(key), ciphers: 'PSK-NULL-SHA256:@SECLEVEL=0' }],
    ['no forward secrecy', { ...clientSecurity(key), ciphers: 'PSK-CHACHA20-POLY1305' }],
  ]
  for (const [what, how] of STRANGERS) await t.rejects(secure(address, how), what)
  const plain = connect(address)
  plain.on('error', () => {})
  plain.write(REQUEST)
  await once(plain, 'close')
  t.equal(requests, 1)
  t.equal(lines.length, 1, 'the log has one line in a while, however many there are')
  t.match(lines[0], /warn internal connection refused .*127\.0\.0\.1.*it has another key/)
  friend.write(REQUEST)
  t.match(String((await once(friend, 'data'))[0]), /hello$/, 'a connection goes on')
})

t.test('a crowd that sends nothing keeps nobody out, and does not stay', async (t) => {
  const { data, address, listener } = await newListener(t, undefined, {
    handshakes: 4,
    handshakeMs: NEVER_MS / 100,
  })
  await listener.listen()
  const key = (await readClusterKey(data)) as Buffer
  const first = await secure(address, clientSecurity(key))
  const crowd: Socket[] = []
  let gone = 0
  for (let nth = 0; nth < 20; nth++) {
    const socket = connect(address)
    socket.on('error', () => {})
    socket.once('close', () => gone++)
    await once(socket, 'connect')
    crowd.push(socket)
  }
  await until(() => gone === 16)
  const friend = await secure(address, clientSecurity(key))
  for (const socket of [first, friend]) {
    socket.write(REQUEST)
    t.match(String((await once(socket, 'data'))[0]), /hello$/)
  }
  for (const socket of crowd) socket.destroy()
  const slow = await newListener(t, undefined, { handshakeMs: 50, logEveryMs: 0 })
  await slow.listener.listen()
  const silent = connect(slow.address)
  silent.on('error', () => {})
  await once(silent, 'close')
  t.match(slow.lines.join(), /ERR_TLS_HANDSHAKE_TIMEOUT/)
})

t.test('state/active is there from the first request that can be taken to the end in order', async (t) => {
  let answer = (): void => {}
  const { data, address, listener, active } = await newListener(
    t,
    (_, res) => void (answer = () => res.end('late')),
  )
  writeFileSync(active, '{"holder":"pid 1 on machine-z","address":"10.0.0.99:8081"}')
  await listener.begin()
  t.notOk(existsSync(active), 'who was active before is not any more')
  await listener.listen()
  t.same(await readActive(data), {
    holder: readFileSync(join(data, 'state/lock'), 'utf8').trim(),
    address,
  })
  const socket = await secure(address, clientSecurity((await readClusterKey(data)) as Buffer))
  socket.write(REQUEST)
  await until(() => String(answer) !== String(() => {}))
  let closed = false
  const closing = listener.close().then(() => (closed = true))
  await until(() => !existsSync(active))
  await t.rejects(secure(address, clientSecurity((await readClusterKey(data)) as Buffer)), {
    code: 'ECONNREFUSED',
  })
  t.notOk(closed, 'a request that is under way may finish')
  const got = once(socket, 'data')
  answer()
  t.match(String((await got)[0]), /late/)
  listener.cutOff()
  await closing
})

t.test('one that ends late leaves the name of the next one alone', async (t) => {
  const { listener, active, data } = await newListener(t)
  await listener.listen()
  writeFileSync(active, '{"holder":"pid 2 on machine-b","address":"10.0.0.12:8081"}')
  await listener.close()
  t.equal((await readActive(data))?.holder, 'pid 2 on machine-b')
})

t.test('an address that is taken, and a key that others may have read, stop the start', async (t) => {
  const first = await newListener(t)
  await first.listener.listen()
  const second = new InternalListener(first.address, () => {}, { store: first.store, log: () => {} }, BOUNDS)
  await t.rejects(second.listen(), {
    constructor: StartProblem,
    message: /PLINTH_INTERNAL_LISTEN=127.*listens there/,
  })
  await second.close()
  t.ok(existsSync(first.active), 'it leaves what is not its own')
  const third = await newListener(t)
  writeFileSync(join(third.data, 'state/cluster-key'), 'x', { mode: 0o644 })
  const error: unknown = await third.listener.listen().catch((caught: unknown) => caught)
  t.type(error, StartProblem)
  t.equal(errno(error), undefined)
  t.notOk(existsSync(third.active))
})
