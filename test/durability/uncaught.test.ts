// Errors that no code of ours catches: in an event of a library, of a connection, of the server itself.

import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { AUTH } from '../support/http.js'
import { settledViolations, violationsAfterEnd } from '../support/invariants.js'
import { askService, newData, runService } from '../support/service.js'
import { tempFolder } from '../support/temp-folder.js'
import { until } from '../support/until.js'

const generic = (file: string): string => `/api/packages/admin/generic/tool/1.0/${file}`
const onTheWay = (data: string): number => readdirSync(join(data, 'state/tmp')).length

/** Runs the lines in the service before it starts. */
function injected(lines: string): { NODE_OPTIONS: string } {
  const file = join(tempFolder(), 'injected.mjs')
  writeFileSync(file, lines)
  return { NODE_OPTIONS: `--import=${file}` }
}

/** An upload whose last byte is not sent yet. */
function beginUpload(data: string, file: string): Socket {
  const socket = connect(join(data, 'state/shim.sock'))
  socket.on('error', () => {})
  const head = ['Host: x', `Authorization: ${AUTH}`, 'Content-Length: 2', '', 'x']
  socket.write([`PUT ${generic(file)} HTTP/1.1`, ...head].join('\r\n'))
  return socket
}

t.test('an uncaught error: uploads under way finish, no new ones are taken, the process ends', async (t) => {
  for (const [what, how] of [
    ['thrown in an event', "throw new Error('lost')"],
    ['twice, in a promise', "for (let i = 0; i < 2; i++) void Promise.reject(new Error('lost'))"],
  ]) {
    const data = await newData({ fast: true })
    const service = runService(data, injected(`process.on('SIGUSR2', () => { ${how} })`))
    await service.ready()
    const socket = beginUpload(data, 'a')
    const answer = once(socket, 'data') as Promise<[Buffer]>
    await until(() => onTheWay(data) === 1)
    const idle = connect(join(data, 'state/shim.sock')) // accepted before, asked for afterwards
    idle.on('error', () => {})
    idle.write(`PUT ${generic('b')} HTTP/1.1\r\nHost: x\r\nAuthorization: ${AUTH}\r\nContent-Length: 2\r\n`)
    await once(idle, 'connect')
    const refused = once(idle, 'data') as Promise<[Buffer]>
    service.kill('SIGUSR2')
    await service.says(/"event":"uncaught","reason":"lost","stack":"Error: lost\\n/)
    idle.write('\r\nxx')
    t.match((await refused)[0].toString(), /^HTTP\/1\.1 503 /, `${what}: refused`)
    socket.write('x')
    t.match((await answer)[0].toString(), /^HTTP\/1\.1 201 /, `${what}: finished`)
    t.same(await service.ended, { code: 1, signal: null }, `${what}: the process ends with an error`)
    const again = runService(data)
    await again.ready()
    t.equal((await askService(data, 'PUT', generic('a'), 'x')).status, 409, 'what was taken is there')
    t.same(await settledViolations(data), [])
    await again.end()
  }
})

t.test('an uncaught error: an upload that stands still does not keep the process alive', async (t) => {
  const data = await newData({ fast: true })
  const service = runService(data, injected(`process.on('SIGUSR2', () => { throw new Error('lost') })`))
  await service.ready()
  const socket = beginUpload(data, 'a')
  await until(() => onTheWay(data) === 1)
  service.kill('SIGUSR2')
  t.same(await service.ended, { code: 1, signal: null })
  socket.destroy()
  t.same(await violationsAfterEnd(data), [])
})

// Node reports an accept(2) that fails (EMFILE) as an error of the server, and a connection that breaks as one of the
// request, if it has a listener at that moment.
t.test('an error of the server, of a request or of an answer ends nothing', async (t) => {
  const data = await newData({ fast: true })
  const lines = `
    import { Server } from 'node:http'
    const listen = Server.prototype.listen
    Server.prototype.listen = function (...args) {
      const fail = (emitter) => emitter.emit('error', new Error('injected'))
      process.on('SIGUSR2', () => { fail(this); fail(this) })
      this.on('request', (req, res) => setImmediate(() => { fail(req); res.once('finish', () => fail(res)) }))
      return listen.apply(this, args)
    }`
  const service = runService(data, injected(lines))
  t.teardown(() => service.end())
  await service.ready()
  service.kill('SIGUSR2')
  await service.says(/"event":"connection","reason":"injected"[^]*"event":"connection","reason":"injected"/)
  for (const file of ['a', 'b']) await askService(data, 'PUT', generic(file), 'x')
  t.equal((await askService(data, 'DELETE', generic('none'))).status, 404)
  t.notMatch(service.log(), /uncaught/)
})
