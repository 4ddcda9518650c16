// Connections that carry many requests in turn: few of them, and one that the server has ended is no error.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { askBytes, connectionsTo } from '../../src/client/http.js'

/** `body` says what the nth request of a connection gets; without one the connection ends. */
async function serve(t: Test, body: (nth: number) => Buffer | undefined) {
  let connections = 0
  const server = createServer()
  server.on('connection', (socket) => {
    connections++
    let nth = 0
    socket.on('asked', (answer: (body: Buffer | undefined) => void) => answer(body(++nth)))
  })
  server.on('request', (req, res) => {
    req.socket.emit('asked', (bytes: Buffer | undefined) => {
      if (bytes) res.end(bytes)
      else req.socket.destroy()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const agent = connectionsTo(url, 2)
  t.teardown(() => {
    agent.destroy()
    server.closeAllConnections()
    server.close()
  })
  const ask = (most = 1000) =>
    askBytes({ method: 'GET', url, headers: {}, connections: agent }, most).then(({ bytes }) => bytes)
  return { ask, opened: () => connections }
}

t.test('many requests go over few connections', async (t) => {
  const binary = Buffer.from([0, 0xff, 0xfe, 0x80])
  const { ask, opened } = await serve(t, () => binary)
  const found = await Promise.all(Array.from({ length: 30 }, () => ask()))
  t.ok(
    found.every((bytes) => bytes.equals(binary)),
    'bytes stay as they are',
  )
  t.equal(opened(), 2)
  await ask()
  t.equal(opened(), 2)
})

t.test('a connection that the server has ended is replaced', async (t) => {
  const { ask, opened } = await serve(t, (nth) => (nth === 1 ? Buffer.from('x') : undefined))
  for (let count = 0; count < 3; count++) t.equal((await ask()).toString(), 'x')
  t.equal(opened(), 3)
})

t.test('a server that ends each connection is an error', async (t) => {
  const { ask, opened } = await serve(t, () => undefined)
  await t.rejects(ask(), /cannot be asked: .*(?:socket hang up|ECONNRESET)/)
  t.equal(opened(), 1)
})

t.test('an answer has a bound, which it may reach', async (t) => {
  const { ask } = await serve(t, () => Buffer.alloc(1000))
  t.equal((await ask(1000)).length, 1000)
  await t.rejects(ask(999), /the answer is larger than 999 bytes/)
  t.equal((await ask(1000)).length, 1000, 'the next one has a connection of its own')
})
