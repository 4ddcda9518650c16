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

/** Sends a part of a body that may take `bodySeconds`. Resolves with the status, and how often the disk was waited for. */
async function sendToSlowDisk(data: string, bodySeconds: number): Promise<{ status: number; waits: number }> {
  const config = { ...readConfig({ PLINTH_DATA: data }), bodyIdleSeconds: 3600, bodySeconds }
  const store = new Store(data)
  let waits = -1 // the first time is before the body
  const slowDisk = async (folder: string): Promise<StatsFs> => {
    if (++waits > 0) await wait(1.5 * 1000 * bodySeconds) // beyond the end of the body's time
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
  req.destroy()
  server.close()
  server.closeAllConnections()
  return { status: res.statusCode ?? 0, waits }
}

t.test('a body whose time is over while the disk is waited for is refused all the same', async (t) => {
  const data = await newData({ fast: true })
  let seconds = 1
  let sent = await sendToSlowDisk(data, seconds)
  // A machine that takes all of the time to bring the body to the disk has not tried it.
  while (sent.waits <= 0 && seconds < 64) sent = await sendToSlowDisk(data, (seconds *= 4))
  t.equal(sent.status, 408)
  t.ok(sent.waits > 0)
  t.same(await settledViolations(data), [])
})
