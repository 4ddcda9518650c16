// An upload's body on a disk that is slower than the body.

import { once } from 'node:events'
import type { StatsFs } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { createServer, request, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import Koa from 'koa'
import t from 'tap'
import { readConfig } from '../../src/config.js'
import { Refusal } from '../../src/errors.js'
import { Admission } from '../../src/http/admission.js'
import { FreeSpace } from '../../src/store/free-space.js'
import { Store } from '../../src/store/store.js'
import { receiveBody } from '../../src/http/request-body.js'
import type { RequestState } from '../../src/http/request-state.js'
import { settledViolations } from '../support/invariants.js'
import { newData } from '../support/service.js'

const BATCH = 2 ** 20

t.test('a body whose time is over while the disk is waited for is refused all the same', async (t) => {
  const data = await newData({ fast: true })
  const config = { ...readConfig({ PLINTH_DATA: data }), bodyIdleSeconds: 3600, bodySeconds: 1 }
  const store = new Store(data)
  let waits = 0
  const slowDisk = async (folder: string): Promise<StatsFs> => {
    // The first time is before the body.
    if (waits++ > 0) await wait(1.5 * 1000 * config.bodySeconds) // beyond the end of the body's time
    return statfs(folder)
  }
  const freeSpace = new FreeSpace(data, 0, slowDisk)
  const parts = { config, store, freeSpace, admission: new Admission(1) }
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
  t.ok(waits > 1)
  req.destroy()
  server.close()
  server.closeAllConnections()
  t.same(await settledViolations(data), [])
})
