// PLINTH_TRUSTED_PROXIES: whose word on a client's address and scheme counts. All of 127.0.0.0/8 is this machine.

import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readConfig } from '../../src/config.js'
import { planNginx } from '../../src/nginx/configure.js'
import { ask } from '../support/http.js'
import { startPlinth } from '../support/plinth.js'
import { freePort } from '../support/port.js'
import { needs } from '../support/programs.js'
import { tempFolder } from '../support/temp-folder.js'
import { until } from '../support/until.js'

t.test('trusted proxies and nobody else say who the client is', needs('nginx'), async (t) => {
  const socket = join(tempFolder('plinth-socket'), 's')
  const plinth = await startPlinth({
    PLINTH_LISTEN: `127.0.0.1:${await freePort()},unix:${socket}`,
    PLINTH_TRUSTED_PROXIES: '127.0.0.2,unix:',
    PLINTH_FAILED_LOGINS: '1',
  })
  t.teardown(plinth.stop)
  const viaOf = (from: string) => (from === 'unix:' ? { socketPath: socket } : { localAddress: from })
  let files = 0
  /** What is printed for an upload, and the client's address in the log. */
  const put = async (from: string, headers: Record<string, string>): Promise<string[]> => {
    const path = `/api/packages/admin/generic/a/1/${++files}`
    const asking = { body: 'x', headers: { host: 'plinth.example.com', ...headers }, via: viaOf(from) }
    const answer = await ask(plinth.port, 'PUT', path, asking)
    const line = (): string =>
      plinth
        .log()
        .split('\n')
        .find((each) => each.includes(`"${path}"`)) ?? ''
    await until(() => line() !== '')
    const printed = answer.body.split('\n')[1] ?? answer.body
    return [printed.slice(0, -path.length), /"address":"([^"]*)"/.exec(line())?.[1] ?? '']
  }
  const [http, https] = ['http://plinth.example.com', 'https://plinth.example.com']
  const table: [from: string, says: [address?: string, scheme?: string], url: string, address: string][] = [
    ['127.0.0.1', [], http, '127.0.0.1'],
    ['127.0.0.1', ['198.51.100.7', 'https'], http, '127.0.0.1'],
    ['127.0.0.2', [], http, '127.0.0.2'],
    ['127.0.0.2', ['198.51.100.7', 'https'], https, '198.51.100.7'],
    ['127.0.0.2', ['2001:db8::7', 'HTTPS'], https, '2001:db8::7'],
    ['127.0.0.2', ['203.0.113.9, 198.51.100.7', 'http'], http, '198.51.100.7'],
    ['127.0.0.2', ['203.0.113.9, 198.51.100.7, 127.0.0.2', 'https'], https, '198.51.100.7'],
    ['127.0.0.2', ['203.0.113.9, unknown', 'https, http'], http, '127.0.0.2'],
    ['127.0.0.2', ['198.51.100.7', 'javascript'], http, '198.51.100.7'],
    ['unix:', [], http, 'unix:'],
    ['unix:', ['198.51.100.7', 'https'], https, '198.51.100.7'],
  ]
  for (const [from, [address, scheme], url, seen] of table) {
    const headers = {
      ...(address !== undefined && { 'x-forwarded-for': address }),
      ...(scheme !== undefined && { 'x-forwarded-proto': scheme }),
    }
    t.same(await put(from, headers), [url, seen], `${from} says ${address}, ${scheme}`)
  }

  await t.test('wrong credentials are counted for the client', async (t) => {
    const read = (client: string) =>
      ask(plinth.port, 'GET', '/api/packages/nobody/go/x', {
        auth: `Basic ${Buffer.from('alice:wrong').toString('base64')}`,
        headers: { 'x-forwarded-for': client },
        via: viaOf('127.0.0.2'),
      })
    const many = Array.from({ length: 40 }, async () => {
      const { status } = await read('198.51.100.8')
      if (status !== 429) throw new Error(String(status))
      return status
    })
    t.equal(await Promise.any(many), 429, 'one that is wrong often')
    t.equal((await read('198.51.100.9')).status, 401, 'another one behind the same proxy')
    for (const each of many) each.catch(() => {}) // they may wait for as long as nginx runs
  })
})

t.test('a socket that every user reaches is warned of when it is trusted', needs('nginx'), async (t) => {
  const folder = tempFolder('plinth-socket')
  const warningFor = async (mode: number, proxies: string) => {
    const at = join(folder, mode.toString(8))
    if (!existsSync(at)) mkdirSync(at, { mode })
    const data = join(tempFolder(), 'data')
    for (const part of ['tree', 'access/readers']) mkdirSync(join(data, part), { recursive: true })
    const env = { PLINTH_DATA: data, PLINTH_LISTEN: `unix:${at}/s`, PLINTH_TRUSTED_PROXIES: proxies }
    return (await planNginx(readConfig(env))).warning ?? ''
  }
  t.match(await warningFor(0o755, 'unix:'), /every user of this machine can connect to unix:\S+\/755\/s/)
  t.notMatch(await warningFor(0o755, '127.0.0.1'), 'every user')
  t.notMatch(await warningFor(0o750, 'unix:'), 'every user')
})
