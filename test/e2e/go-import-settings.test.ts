// What the settings change in nginx's answer to go: the public URL, and the import prefixes.

import t from 'tap'
import { importOf } from '../support/go-import.js'
import { askRaw } from '../support/http.js'
import { startPlinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { simpleModule } from '../support/zips.js'

t.test('with a public URL', needs('nginx'), async (t) => {
  const plinth = await startPlinth({ PLINTH_PUBLIC_URL: 'https://corp.example:8443/plinth' })
  t.teardown(plinth.stop)

  await t.test('go is told its host and prefix, by whatever name it asks', async (t) => {
    const first = await plinth.get('/team/m?go-get=1')
    t.equal(
      importOf(first),
      'corp.example/plinth/team mod https://corp.example:8443/plinth/api/packages/team/go',
    )
    t.match(first.body, ' href="https://corp.example:8443/plinth/team/"')
    for (const host of ['plinth.example.com', 'a"b.example', 'a<b>.example', '[::1]'])
      t.equal((await plinth.ask('GET', '/team/m?go-get=1', { headers: { host } })).body, first.body, host)
    const old = await askRaw(plinth.port, 'GET /team?go-get=1 HTTP/1.0')
    t.match(old, `\r\n\r\n${first.body}`, 'HTTP/1.0 needs no Host')
    t.equal((await plinth.get('/api/m?go-get=1')).status, 404)
  })

  await t.test('the answer to an upload has it', async (t) => {
    const url = 'https://corp.example:8443/plinth/api/packages/admin'
    const module = await plinth.publish(await simpleModule('example.com/m', 'v1.0.0'))
    t.match(module.body, `GOPROXY=${url}/go `)
    t.equal(module.headers.location, `${url}/go/example.com/m/@v/v1.0.0.info`)
    const file = await plinth.ask('PUT', '/api/packages/admin/generic/a/1/b%20c', { body: 'x' })
    t.match(file.body, `\n${url}/generic/a/1/b%20c\n`)
    t.equal(file.headers.location, `${url}/generic/a/1/b%20c`)
  })
})

t.test('with import prefixes', needs('nginx'), async (t) => {
  const PREFIXES = 'go.corp.example=team,go.corp.example/x=secret,go.corp.example/x/y=api,a.example/b.c=team'
  const plinth = await startPlinth({ PLINTH_IMPORT_PREFIXES: PREFIXES })
  t.teardown(plinth.stop)
  const asked = (address: string, query = '?go-get=1') => {
    const [host = '', ...path] = address.split('/')
    return plinth.ask('GET', `/${path.join('/')}${query}`, { headers: { host } })
  }
  const told = (prefix: string, owner: string): string =>
    `${prefix} mod https://${prefix.split('/')[0]}/api/packages/${owner}/go`

  await t.test('the longest prefix that the path is below counts', async (t) => {
    const table: [address: string, prefix: string, owner: string][] = [
      ['go.corp.example', 'go.corp.example', 'team'],
      ['go.corp.example/', 'go.corp.example', 'team'],
      ['GO.corp.example:443/m', 'go.corp.example', 'team'],
      ['go.corp.example/m/sub/v2', 'go.corp.example', 'team'],
      ['go.corp.example/api', 'go.corp.example', 'team'],
      ['go.corp.example/api/packagesx', 'go.corp.example', 'team'],
      ['go.corp.example/xy/m', 'go.corp.example', 'team'],
      ['go.corp.example/X/m', 'go.corp.example', 'team'],
      ['go.corp.example/x', 'go.corp.example/x', 'secret'],
      ['go.corp.example/x/', 'go.corp.example/x', 'secret'],
      ['go.corp.example/x/m', 'go.corp.example/x', 'secret'],
      ['go.corp.example/x/yz', 'go.corp.example/x', 'secret'],
      ['go.corp.example/x/y/z', 'go.corp.example/x/y', 'api'],
      ['a.example/b.c/m', 'a.example/b.c', 'team'],
      ['a.example/bXc/m', 'a.example/bXc', 'bXc'],
      ['aXexample/b.c/m', 'axexample/b.c', 'b.c'],
      ['sub.go.corp.example/x/m', 'sub.go.corp.example/x', 'x'],
      ['go.corp.example.evil.example/x/m', 'go.corp.example.evil.example/x', 'x'],
      ['plinth.example.com/team/m', 'plinth.example.com/team', 'team'],
    ]
    for (const [address, prefix, owner] of table)
      t.equal(importOf(await asked(address)), told(prefix, owner), address)
    t.match((await asked('go.corp.example/x/m')).body, ' href="https://go.corp.example/secret/"')
  })

  await t.test('packages are read as ever, and other requests do not change', async (t) => {
    t.equal((await plinth.publish(await simpleModule('go.corp.example/m', 'v1.0.0'), 'team')).status, 201)
    const list = 'go.corp.example/api/packages/team/go/go.corp.example/m/@v/list'
    t.equal((await asked(list)).body, 'v1.0.0\n')
    for (const address of ['go.corp.example/api/packages', 'go.corp.example/api/packages/none/go/x'])
      t.equal((await asked(address)).body, (await asked(address, '')).body, address)
    t.equal((await asked('go.corp.example/m', '')).status, 301, 'to the page of an owner called m')
  })
})
