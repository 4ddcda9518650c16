// The service's memory stays flat whatever the size of an upload, and has a bound however many come at once.

import { once } from 'node:events'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import t from 'tap'
import { makeAccount } from '../support/account.js'
import { AUTH } from '../support/http.js'
import { startPlinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { rawZip } from '../support/raw-zip.js'

const GIB = 2 ** 30
const LIMIT_MB = 150
/** However many come at once. */
const FLOOD_LIMIT_MB = 200

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

const BOUNDARY = 'b'
const file = Buffer.alloc(8 * 2 ** 20, 'plinth')
const formHead = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n`
const form = Buffer.concat([Buffer.from(formHead), file, Buffer.from(`\r\n--${BOUNDARY}--\r\n`)])

for (const { what, body, type } of [
  { what: 'files', body: file, type: 'application/octet-stream' },
  { what: 'forms', body: form, type: `multipart/form-data; boundary=${BOUNDARY}` },
])
  t.test(`many ${what} at once take less than ${FLOOD_LIMIT_MB} MB of memory`, skip, async (t) => {
    const plinth = await startPlinth()
    t.teardown(plinth.stop)
    // As many as the shares of three accounts are.
    const answers = [60, 45, 33].flatMap((count, i) => {
      const auth = makeAccount(plinth, `account${i}`)
      return Array.from({ length: count }, (_, n) =>
        plinth.ask('PUT', `/api/packages/team/generic/many/${i}/${n}`, {
          body,
          auth,
          headers: { 'content-type': type },
        }),
      )
    })
    const statuses = (await Promise.all(answers)).map(({ status }) => status)
    t.ok(statuses.filter((status) => status === 201).length >= 90, 'and most of them are taken')
    const peak = peakMb(plinth.shimPid())
    t.comment(`peak memory of the service: ${peak.toFixed(0)} MB`)
    t.ok(peak < FLOOD_LIMIT_MB, `${peak.toFixed(0)} MB`)
  })

const ZIPS = 250

t.test(`${ZIPS} zips of go.mod files of 16 MiB take less than ${FLOOD_LIMIT_MB} MB`, skip, async (t) => {
  const plinth = await startPlinth()
  t.teardown(plinth.stop)
  const accounts = ['one', 'two', 'three', 'four'].map((name) => makeAccount(plinth, name))
  const zips = accounts.map((_, i) => {
    const module = `example.com/m${i}`
    const content = `module ${module}\n//`.padEnd(16 * 2 ** 20, ' ')
    return rawZip([{ name: `${module}@v1.0.0/go.mod`, content }])
  })
  const statuses: (number | undefined)[] = []
  let next = 0
  const upload = async (): Promise<void> => {
    for (let n = next++; n < ZIPS; n = next++) {
      const auth = accounts[n % accounts.length] ?? ''
      const body = zips[n % zips.length] ?? Buffer.alloc(0)
      statuses.push((await plinth.ask('PUT', '/api/packages/team/go/upload', { auth, body })).status)
    }
  }
  await Promise.all(Array.from({ length: 32 }, upload))
  t.equal(statuses.filter((status) => status === 201).length, accounts.length)
  t.equal(statuses.filter((status) => status === 409).length, ZIPS - accounts.length)
  const peak = peakMb(plinth.shimPid())
  t.comment(`peak memory of the service: ${peak.toFixed(0)} MB`)
  t.ok(peak < FLOOD_LIMIT_MB, `${peak.toFixed(0)} MB`)
})
