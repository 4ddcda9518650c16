// What nginx answers to go, which asks a host in GOPRIVATE where the modules of a path are: `?go-get=1`.

import t, { type Test } from 'tap'
import { AUTH, askRaw, type Answer } from '../support/http.js'
import { startPlinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { simpleModule } from '../support/zips.js'

const HOST = 'plinth.example.com'
const WRONG = `Basic ${Buffer.from('admin:wrong').toString('base64')}`

/** The content of the go-import tag; `undefined` when there is none. Throws when there is more than one. */
function importOf({ body }: Pick<Answer, 'body'>): string | undefined {
  const tags = body.match(/go-import"[^>]*>/g) ?? []
  if (tags.length > 1) throw new Error(`several tags: ${body}`)
  return /^<meta name="go-import" content="([^"<>]*)">$/m.exec(body)?.[1]
}

t.test('go asks where a module is', needs('nginx'), async (t) => {
  const plinth = await startPlinth()
  t.teardown(plinth.stop)
  plinth.cli('owner', 'add', 'secret', '--private')
  t.equal((await plinth.publish(await simpleModule('example.com/m', 'v1.0.0'))).status, 201)
  const asked = (path: string, host = HOST, method = 'GET', auth: string | false = false) =>
    plinth.ask(method, path, { auth, headers: { host } })
  const said = ({ status, headers, body }: Answer) => ({ status, headers: { ...headers, date: '' }, body })

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
    const missing = said(await asked('/none'))
    t.equal(missing.status, 404)
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
    for (const path of paths) t.same(said(await asked(path.replace(' ', '%20'))), missing, path)
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
    const missing = said(await asked('/none'))
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
      else t.same(said(answer), missing, host)
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
    t.match(old, /^HTTP\/1\.1 404 /, 'HTTP/1.0 needs no Host')
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
    for (const host of [HOST, 'a"b.example', 'a<b>.example', '[::1]'])
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
    t.equal((await asked('go.corp.example/m', '')).status, 404)
  })
})
