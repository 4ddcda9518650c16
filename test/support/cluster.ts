// An active service that a test plays, and a forwarder in front of it, both in this process.

import { once } from 'node:events'
import { request, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer } from 'node:https'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { writeActive } from '../../src/cluster/active.js'
import { Forwarder } from '../../src/cluster/forwarder.js'
import { makeClusterKey } from '../../src/cluster/key.js'
import { Peers } from '../../src/cluster/peers.js'
import { serverSecurity } from '../../src/cluster/psk.js'
import { Store } from '../../src/store/store.js'
import { tempFolder } from './temp-folder.js'

type Test = { teardown: (end: () => unknown) => void }

/** Long, where a test does not wait for it: a busy machine is slow. */
export const NEVER_MS = 3_600_000

export type Got = { status: number; message: string; raw: string[]; body: string }

/** What has come of an answer, when it has ended; rejects when it ends too early. */
export async function whole(res: IncomingMessage): Promise<Got> {
  let body = ''
  for await (const chunk of res) body += (chunk as Buffer).toString()
  return { status: res.statusCode ?? 0, message: res.statusMessage ?? '', raw: res.rawHeaders, body }
}

/** A data folder with a key, and a forwarder on it. `lines` is what was logged. */
export async function newForwarder(
  { teardown }: Test,
  times: { readyMs?: number; lookEveryMs?: number; lookMs?: number; connectMs?: number } = {},
) {
  const data = tempFolder()
  const store = new Store(data)
  await store.prepare()
  const key = await makeClusterKey(store)
  const lines: string[] = []
  const log = (level: string, event: string, fields?: object): void =>
    void lines.push(`${level} ${event} ${JSON.stringify(fields)}`)
  const peers = new Peers(data, log, { lookMs: NEVER_MS, connectMs: NEVER_MS, ...times })
  const forwarder = new Forwarder(peers, log, { readyMs: NEVER_MS, lookEveryMs: NEVER_MS, ...times })
  const path = join(data, 'shim.sock')
  await forwarder.listen(path)
  let closed = false
  teardown(() => closed || forwarder.close(0))

  /** Sends a request; resolves with the answer as soon as its head is there. */
  const send = (
    method: string,
    url: string,
    { headers = {}, body, write }: { headers?: object; body?: string | Buffer; write?: string | Buffer } = {},
  ) => {
    const req = request({
      socketPath: path,
      method,
      path: url,
      headers: { connection: 'keep-alive', ...headers },
      agent: false,
    })
    req.on('error', () => {})
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      req.once('response', resolve).once('error', reject)
    })
    answered.catch(() => {})
    if (write !== undefined) req.write(write)
    else req.end(body)
    return { req, answered }
  }
  return {
    data,
    store,
    key,
    lines,
    path,
    forwarder,
    close: (ms: number) => {
      closed = true
      return forwarder.close(ms)
    },
    send,
    ask: async (...sent: Parameters<typeof send>): Promise<Got> => whole(await send(...sent).answered),
    /** Sends bytes as they are; resolves with all that comes back until the other side ends. */
    raw: async (text: string): Promise<string> => {
      const socket = connect(path)
      let got = ''
      socket.on('data', (data) => (got += data.toString('latin1')))
      socket.on('error', () => {})
      socket.write(text, 'latin1')
      await once(socket, 'close')
      return got
    },
  }
}

/**
 * An active service with the requests that it has got. `names` says whether the others are told. The answer is
 * `handle`'s.
 */
export async function newActive(
  { teardown }: Test,
  { store, key }: { store: Store; key: Buffer },
  holder: string,
  handle: RequestListener,
) {
  const seen: IncomingMessage[] = []
  const sockets = new Set<Socket>()
  const server = createServer({ ...serverSecurity(key), keepAliveTimeout: NEVER_MS }, (req, res) => {
    seen.push(req)
    for (const end of [req, res]) end.on('error', () => {})
    handle(req, res)
  })
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const address = { host: '127.0.0.1', port }
  const end = async (): Promise<void> => {
    if (!server.listening) return
    const ended = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.destroy()
    await ended
  }
  teardown(end)
  return { server, address, seen, sockets, tell: () => writeActive(store, { holder, address }), end }
}
