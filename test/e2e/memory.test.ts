// The service's memory stays flat whatever the size of an upload.

import { once } from 'node:events'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import t from 'tap'
import { AUTH } from '../support/http.js'
import { startPlinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { rawZip } from '../support/raw-zip.js'

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

const ZIPS = 250
const ZIPS_LIMIT_MB = 200

t.test(`${ZIPS} zips of go.mod files of 16 MiB take less than ${ZIPS_LIMIT_MB} MB`, skip, async (t) => {
  const plinth = await startPlinth()
  t.teardown(plinth.stop)
  const accounts = ['one', 'two', 'three', 'four'].map((name) => {
    const token = /plinth_\S+/.exec(plinth.cli('account', 'add', name, '--write', 'admin'))?.[0] ?? ''
    return `Basic ${Buffer.from(`${name}:${token}`).toString('base64')}`
  })
  const zips = accounts.map((_, i) => {
    const module = `example.com/m${i}`
    const content = `module ${module}\n//`.padEnd(16 * 2 ** 20, ' ')
    return rawZip([{ name: `${module}@v1.0.0/go.mod`, content }])
  })
  const statuses: (number | undefined)[] = []
  let next = 0
  const upload = async (): Promise<void> => {
    for (let n = next++; n < ZIPS; n = next++) {
      const headers = { authorization: accounts[n % accounts.length] ?? '' }
      const body = zips[n % zips.length] ?? Buffer.alloc(0)
      statuses.push((await plinth.ask('PUT', '/api/packages/admin/go/upload', { headers, body })).status)
    }
  }
  await Promise.all(Array.from({ length: 32 }, upload))
  t.equal(statuses.filter((status) => status === 201).length, accounts.length)
  t.equal(statuses.filter((status) => status === 409).length, ZIPS - accounts.length)
  const peak = peakMb(plinth.shimPid())
  t.comment(`peak memory of the service: ${peak.toFixed(0)} MB`)
  t.ok(peak < ZIPS_LIMIT_MB, `${peak.toFixed(0)} MB`)
})
