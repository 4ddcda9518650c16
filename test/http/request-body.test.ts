// Bodies that come too slowly, and a disk that is slower than they are.

import { once } from 'node:events'
import { createServer, request, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import Koa from 'koa'
import t from 'tap'
import { withBodyClock } from '../../src/http/body-clock.js'
import { readConfig } from '../../src/config.js'
import { Refusal } from '../../src/errors.js'
import { Admission } from '../../src/http/admission.js'
import { FreeSpace } from '../../src/store/free-space.js'
import { Store } from '../../src/store/store.js'
import { receiveBody } from '../../src/http/request-body.js'
import type { RequestState } from '../../src/http/request-state.js'
import { violations } from '../support/invariants.js'
import { newData } from '../support/service.js'

const BATCH = 2 ** 20

t.test('a body whose time is over while the disk is waited for is refused all the same', async (t) => {
  const data = await newData({ fast: true })
  const config = { ...readConfig({ PLINTH_DATA: data }), bodyIdleSeconds: 3600, bodySeconds: 0.2 }
  const store = new Store(data)
  let waits = 0
  class SlowDisk extends FreeSpace {
    override async mustFit(bytes: number): Promise<void> {
      if (bytes > 0) return super.mustFit(bytes) // asked before the body is
      waits++
      await wait(3 * 1000 * config.bodySeconds) // far beyond the end of the body's time
    }
  }
  const parts = { config, store, freeSpace: new SlowDisk(data, 0), admission: new Admission(1) }
  const app = new Koa<RequestState>().use(async (ctx) => {
    try {
      await receiveBody(parts, ctx, 10 * BATCH, async () => void (ctx.body = 'taken'))
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      ctx.status = error.status
      ctx.body = error.message
    }
  })
  const server = createServer(app.callback()).listen(join(data, 'socket'))
  await once(server, 'listening')
  const headers = { 'content-length': 4 * BATCH }
  const req = request({ socketPath: join(data, 'socket'), method: 'PUT', headers, agent: false })
  req.on('error', () => {})
  req.write(Buffer.alloc(3 * BATCH)) // the second batch waits for the first; then nothing comes any more
  const [res] = (await once(req, 'response')) as [IncomingMessage]
  t.equal(res.statusCode, 408)
  t.ok(waits > 0)
  req.destroy()
  server.close()
  server.closeAllConnections()
  t.same(violations(data), [])
})

t.test('what has come and was not taken yet is no idle time of the client', async (t) => {
  const limits = { idleMs: 40, totalMs: 3_600_000 }
  const req = { socket: { bytesRead: 1 }, readableLength: 1 }
  const clocked = (read: (expired: Promise<never>) => Promise<unknown>) =>
    withBodyClock(req as unknown as IncomingMessage, limits, read)
  const we = await clocked((expired) => Promise.race([wait(10 * limits.idleMs, 'in time'), expired]))
  t.equal(we, 'in time', 'we are slow')
  req.readableLength = 0
  await t.rejects(
    clocked((expired) => expired),
    { message: /no byte of the body came/ },
    'the client is',
  )
})
