import t from 'tap'
import { isLoopbackHost, localAddressText, parseLocalAddress } from '../../src/addresses/local-address.js'

const TAKEN = ['*:8080', '[::]:80']

t.test('addresses of this machine, and the way back', async (t) => {
  const rows: [string, object, string?][] = [
    ['127.0.0.1:9464', { host: '127.0.0.1', port: 9464 }],
    ['127.8.255.1:1', { host: '127.8.255.1', port: 1 }],
    ['[::1]:9464', { host: '::1', port: 9464 }],
    ['LocalHost:9464', { host: '127.0.0.1', port: 9464 }, '127.0.0.1:9464'],
    ['unix:/run/a b/x.sock', { path: '/run/a b/x.sock' }],
  ]
  for (const [text, address, back = text] of rows) {
    const read = parseLocalAddress(text, TAKEN)
    t.same(read, address, text)
    t.equal(typeof read === 'object' && localAddressText(read), back)
  }
})

t.test('what others could reach, and what is no address', async (t) => {
  const rows: [string, RegExp][] = [
    ['0.0.0.0:9464', /others could reach it/],
    ['*:9464', /others could reach it/],
    ['[::]:9464', /others could reach it/],
    [':9464', /others could reach it/],
    ['192.168.0.1:9464', /others could reach it/],
    ['128.0.0.1:9464', /others could reach it/],
    ['127.0.0.256:9464', /others could reach it/],
    ['127.0.0.1.evil.example:9464', /others could reach it/],
    ['localhost.evil.example:9464', /others could reach it/],
    ['evil.example:9464', /others could reach it/],
    ['::1:9464', /others could reach it/], // an address without brackets
    ['[::ffff:127.0.0.1]:9464', /others could reach it/],
    ['127.0.0.1:8080', /nginx listens on this port for everybody \(\*:8080\)/],
    ['[::1]:80', /nginx listens on this port for everybody/],
    ['127.0.0.1:08080', /nginx listens on this port/],
    ['127.0.0.1', /an address of this machine alone is expected/],
    ['127.0.0.1:0', /is expected/],
    ['127.0.0.1:65536', /is expected/],
    ['127.0.0.1:x', /is expected/],
    ['1', /is expected/],
    ['unix:', /absolute path/],
    ['unix:x.sock', /absolute path/],
    ['unix:/run/', /absolute path/],
    ['unix:/run/\n', /absolute path/],
    [`unix:/${'x'.repeat(107)}`, /at most 107 bytes/],
  ]
  for (const [text, rule] of rows) t.match(parseLocalAddress(text, TAKEN), rule, text)
})

t.test('the names of this machine in a Host header', async (t) => {
  for (const host of ['127.0.0.1', '127.0.0.1:9464', 'localhost', 'localhost:1', '[::1]', '[::1]:9464'])
    t.ok(isLoopbackHost(host), host)
  for (const host of ['', 'evil.example', '127.0.0.1.evil.example:9464', 'evil.example:127.0.0.1', '0.0.0.0'])
    t.notOk(isLoopbackHost(host), host)
})
