// The service's memory stays flat whatever the size of an upload.

import { once } from 'node:events'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import t from 'tap'
import { AUTH } from '../support/http.js'
import { startPlinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'

const GIB = 2 ** 30
const LIMIT_MB = 150

/** Peak resident memory of a process in MB, as the kernel counted it. */
const peakMb = (pid: number): number =>
  Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? NaN) / 1024

const skip = existsSync('/proc/self/status')
  ? needs('nginx')
  : { skip: 'NOT TESTED: no /proc on this machine' }

t.test(`an upload of 1 GiB takes less than ${LIMIT_MB} MB of memory`, skip, async (t) => {
  const plinth = await startPlinth()
  t.teardown(plinth.stop)
  const path = '/api/packages/admin/generic/large/1/file'
  const req = request({
    host: '127.0.0.1',
    port: plinth.port,
    method: 'PUT',
    path,
    headers: { authorization: AUTH, 'content-length': GIB },
  })
  const answered = once(req, 'response')
  const chunk = Buffer.alloc(2 ** 20, 'plinth')
  for (let sent = 0; sent < GIB; sent += chunk.length) if (!req.write(chunk)) await once(req, 'drain')
  req.end()
  const [res] = (await answered) as [{ statusCode: number; resume: () => void }]
  res.resume()
  t.equal(res.statusCode, 201)
  t.equal(statSync(join(plinth.data, 'tree', path)).size, GIB)
  const peak = peakMb(plinth.shimPid())
  t.comment(`peak memory of the service: ${peak.toFixed(0)} MB`)
  t.ok(peak < LIMIT_MB, `${peak.toFixed(0)} MB`)
  t.equal((await plinth.ask('DELETE', path)).status, 204)
})
