// What nginx answers to go, which asks a host in GOPRIVATE where the modules of a path are: `?go-get=1`.

import t, { type Test } from 'tap'
import { importOf } from '../support/go-import.js'
import { AUTH, askRaw, type Answer } from '../support/http.js'
import { startPlinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { simpleModule } from '../support/zips.js'

const HOST = 'plinth.example.com'
const WRONG = `Basic ${Buffer.from('admin:wrong').toString('base64')}`

t.test('go asks where a module is', needs('nginx'), async (t) => {
  const plinth = await startPlinth()
  t.teardown(plinth.stop)
  plinth.cli('owner', 'add', 'secret', '--private')
  t.equal((await plinth.publish(await simpleModule('example.com/m', 'v1.0.0'))).status, 201)
  const asked = (path: string, host = HOST, method = 'GET', auth: string | false = false) =>
    plinth.ask(method, path, { auth, headers: { host } })
  const said = ({ status, headers, body }: Answer) => ({
    status,
    headers: { ...headers, date: '', 'x-request-id': '' },
    body,
  })

  await t.test('the registry of the owner, the first element of the path', async (t) => {
    const owners: [path: string, owner: string][] = [
      ['/team?go-get=1', 'team'],
      ['/team/?go-get=1', 'team'],
      ['/team/m?go-get=1', 'team'],
      ['/team/m/sub/v2?go-get=1', 'team'],
      ['/team/m?go-get=1&go-get=1', 'team'],
      ['/team/m?x=%22&go-get=1&y', 'team'],
      ['/%74eam/m?go-get=1', 'team'],
      ['//team//m?go-get=1', 'team'],
      ['/x/../team/m?go-get=1', 'team'],
      ['/team%2Fm?go-get=1', 'team'],
      ['/A.b-c_d/m?go-get=1', 'A.b-c_d'],
      ['/apis/m?go-get=1', 'apis'],
      ['/api.x/m?go-get=1', 'api.x'],
      ['/API/m?go-get=1', 'API'],
      [`/${'x'.repeat(64)}/m?go-get=1`, 'x'.repeat(64)],
    ]
    for (const [path, owner] of owners) {
      const answer = await asked(path)
      t.match(answer, { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' } }, path)
      const registry = `https://${HOST}/api/packages/${owner}/go`
      t.equal(importOf(answer), `${HOST}/${owner} mod ${registry}`, path)
      t.match(answer.body, ` href="https://${HOST}/${owner}/"`)
    }
  })

  await t.test('the answer does nothing in a browser, and is asked for anew each time', async (t) => {
    const { headers } = await asked('/team/m?go-get=1')
    t.match(headers, { 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff' })
    t.match(headers['content-security-policy'], /^default-src 'none';/)
    const { body: all } = await asked('/team/m?go-get=1')
    const head = await asked('/team/m?go-get=1', HOST, 'HEAD')
    t.match(head, { status: 200, body: '', headers: { 'content-length': String(all.length) } })
  })

  await t.test('it tells nothing of an owner, whoever asks', async (t) => {
    plinth.cli('owner', 'add', 'public')
    const first = said(await asked('/secret/m?go-get=1'))
    for (const owner of ['secret', 'public', 'nobody'])
      for (const auth of [false, AUTH, WRONG] as const) {
        const answer = said(await asked(`/${owner}/m?go-get=1`, HOST, 'GET', auth))
        t.same({ ...answer, body: answer.body.replaceAll(owner, 'secret') }, first, `${owner}, ${auth}`)
      }
  })

  await t.test('a path without an owner is what it was', async (t) => {
    const paths = [
      '/?go-get=1',
      '/api?go-get=1',
      '/api/?go-get=1',
      '/api/m?go-get=1',
      '/-/x?go-get=1',
      '/.team/m?go-get=1',
      '/_team/m?go-get=1',
      '/te am/m?go-get=1',
      '/te~am/m?go-get=1',
      '/team%0a?go-get=1',
      '/team%0d%0aX-Evil:%20x/m?go-get=1',
      '/team%22%3E%3Cscript%3E/m?go-get=1',
      '/t%C3%A9am/m?go-get=1',
      `/${'x'.repeat(65)}/m?go-get=1`,
      '/team/m?go-get=10',
      '/team/m?go-get=',
      '/team/m?xgo-get=1',
      '/team/m?Go-Get=1',
      '/team/m?go%2Dget=1',
      '/team/m%3Fgo-get=1',
      '/team/m?',
    ]
    for (const path of paths.map((one) => one.replace(' ', '%20')))
      t.same(said(await asked(path)), said(await asked(path.replace(/\?.*/, ''))), path)
    t.match(said(await asked('/bad-request?go-get=1')), { status: 200 }, 'a name that an owner may have')
  })

  await t.test('nothing of the path or the query is repeated but the owner', async (t) => {
    const plain = said(await asked('/team?go-get=1'))
    for (const path of ['/team/%22%3E%3Cscript%3E', '/team/%0d%0aX-Evil:%20x', '/team/x%00', '/team/$uri'])
      for (const query of ['go-get=1', `go-get=1&"><script>`, 'go-get=1&%0d%0aX-Evil:x', 'x=<&go-get=1']) {
        const answer = await asked(`${path}?${query}`)
        if (path.endsWith('%00')) t.equal(answer.status, 400, 'nginx reads no NUL')
        else t.same(said(answer), plain, `${path}?${query}`)
      }
    const cut = await askRaw(plinth.port, 'GET /team\rX?go-get=1 HTTP/1.1', `Host: ${HOST}`)
    t.match(cut, /^HTTP\/1\.1 400 /)
  })

  await t.test('only what can be a host is repeated', async (t) => {
    const good: [host: string, name: string][] = [
      ['Plinth.Example.COM', HOST],
      [`${HOST}:443`, HOST],
      [`${HOST}.`, HOST],
      [`${HOST}:x`, HOST],
      ['127.0.0.1:8080', '127.0.0.1'],
    ]
    for (const [host, name] of good) t.match(importOf(await asked('/team?go-get=1', host)), name, host)
    const bad = [
      'a"b.example',
      `a'b.example`,
      'a<b>.example',
      'a b.example',
      'a;b.example',
      '$uri',
      '${uri}.example',
      'a\tb.example',
      'user@plinth.example.com',
      'a%22.example',
      'h\u00e9.example',
      '-x.example',
      '.example',
      '_.example',
      '[::1]',
      '[::1]:443',
      `${'x'.repeat(254)}`,
    ]
    for (const host of bad) {
      const answer = await asked('/team?go-get=1', host)
      if (answer.status === 400) t.match(answer.body, /^nginx cannot read this request/, host)
      else t.same(said(answer), said(await asked('/team', host)), host)
    }
    const proxied = await askRaw(
      plinth.port,
      `GET http://${HOST}/team?go-get=1 HTTP/1.1`,
      'Host: "><script>',
      'Connection: close',
    )
    t.match(proxied, `content="${HOST}/team mod https://${HOST}/api/packages/team/go"`)
    t.notMatch(proxied, 'script')
    const old = await askRaw(plinth.port, 'GET /team?go-get=1 HTTP/1.0')
    t.match(old, /^HTTP\/1\.1 301 /, 'HTTP/1.0 needs no Host')
  })

  await t.test('other methods are what they were', async (t) => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])
      t.same(
        said(await asked('/team/m?go-get=1', HOST, method)),
        said(await asked('/team/m', HOST, method)),
        method,
      )
  })

  await t.test('packages are read and written as ever', async (t) => {
    const same = async (t: Test, path: string, auth: string | false = false): Promise<void> => {
      const answer = said(await asked(path, HOST, 'GET', auth))
      t.same(said(await asked(`${path}?go-get=1`, HOST, 'GET', auth)), answer, `${path}: ${answer.status}`)
    }
    await same(t, '/api/packages/admin/go/example.com/m/@v/list')
    await same(t, '/api/packages/admin/go/example.com/m/@v/v1.0.0.zip')
    await same(t, '/api/packages/admin/go/example.com/none/@v/list')
    await same(t, '/api/packages/secret/go/example.com/m/@v/list')
    await same(t, '/api/packages/secret/go/example.com/m/@v/list', AUTH)
    await same(t, '/api/packages/nobody/generic/x/1/x', WRONG)
    await same(t, '/api/packages')
    await same(t, '/api/packages/')
    await same(t, '//api//packages/team')
    await same(t, '/team/../api/packages/admin/go/example.com/m/@latest')
    const file = '/api/packages/team/generic/x/1/x?go-get=1'
    t.equal((await plinth.ask('PUT', file, { body: 'x' })).status, 201)
    t.equal((await plinth.ask('DELETE', file)).status, 204)
  })

  await t.test('it needs no service', async (t) => {
    await plinth.stopShim('SIGKILL')
    t.equal((await asked('/team/m?go-get=1')).status, 200)
    await plinth.startShim()
  })
})
