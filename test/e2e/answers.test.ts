// What nginx says when it sends no file: a line of text/plain, the same for every path.

import t, { type Test } from 'tap'
import { makeGo } from '../support/go.js'
import { AUTH, askRaw, type Answer } from '../support/http.js'
import { startPlinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { askService } from '../support/service.js'
import { simpleModule } from '../support/zips.js'

const WRONG = `Basic ${Buffer.from('admin:wrong').toString('base64')}`
const TEXT = 'text/plain; charset=utf-8'

/** Paths below an owner where nothing is, with endings that have a type, and with none. */
const MISSING = [
  ...[
    'v9.9.9.info',
    'v9.9.9.mod',
    'v9.9.9.zip',
    'v9.9.9.txt',
    'latest.info',
    'latest.mod',
    'latest.zip',
    'list',
  ].map((name) => `go/example.com/none/@v/${name}`),
  ...['@latest', 'go.mod', 'm.zip', 'x'].map((name) => `go/example.com/none/${name}`),
  ...['x.info', 'x.mod', 'x.zip', 'x.json', 'x.html', 'x'].map((name) => `generic/none/1/${name}`),
  '',
  'x.zip',
  'go/',
  'go/x.info',
  'generic/x.mod',
  'npm/x.zip',
  'npm/x',
]

t.test('answers of nginx', needs('nginx'), async (t) => {
  const plinth = await startPlinth()
  t.teardown(plinth.stop)
  const { ask, get } = plinth
  plinth.cli('owner', 'add', 'secret', '--private')
  t.equal((await plinth.publish(await simpleModule('example.com/m', 'v1.0.0'))).status, 201)
  const file = '/api/packages/admin/generic/a/1/b.zip'
  t.equal((await ask('PUT', file, { body: '0123456789' })).status, 201)

  const said = ({ status, headers, body }: Answer) => ({
    status,
    headers: { ...headers, date: '', 'x-request-id': '' },
    body,
  })

  await t.test('what is not there is answered alike, whatever its path ends in', async (t) => {
    const table: [owner: string, auth: string | false, status: number, body: RegExp][] = [
      ['admin', false, 404, /^not found: nothing is published at this path\n$/],
      ['admin', AUTH, 404, /^not found: nothing is published at this path\n$/],
      ['admin', WRONG, 404, /^not found: nothing is published at this path\n$/],
      ['secret', false, 401, /^credentials are needed: /],
      ['secret', WRONG, 401, /^credentials are needed: /],
      ['secret', AUTH, 404, /^not found: nothing is published at this path\n$/],
      ['nobody', false, 401, /^credentials are needed: /],
      ['nobody', AUTH, 401, /^credentials are needed: /],
    ]
    for (const [owner, auth, status, body] of table) {
      let first: ReturnType<typeof said> | undefined
      for (const path of MISSING) {
        const answer = said(await ask('GET', `/api/packages/${owner}/${path}`, { auth }))
        first ??= answer
        t.same(answer, first, `${owner} ${path}`)
      }
      const headers = {
        'content-type': TEXT,
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
      }
      t.match(first, { status, headers, body })
    }
  })

  await t.test('go shows the words', needs('go'), async (t) => {
    const go = makeGo(`${plinth.url}/api/packages/admin/go`)
    for (const query of ['example.com/m@v1.9.9', 'example.com/none@latest']) {
      const got = await go.run(['get', query], go.newModule())
      t.not(got.code, 0)
      t.match(got.stderr, /server response: not found: nothing is published at this path/, query)
    }
  })

  await t.test('a method that no path has is a 405 with what the path allows', async (t) => {
    const paths: [path: string, allow: string][] = [
      ['/', 'GET, HEAD'],
      ['/api/packages/admin', 'GET, HEAD'],
      ['/api/packages/admin/go/upload', 'GET, HEAD, PUT, POST'],
      ['/api/packages/admin/go/example.com/m/@v/v1.0.0.zip', 'GET, HEAD, DELETE'],
      ['/api/packages/admin/go/example.com/m/@latest', 'GET, HEAD'],
      [file, 'GET, HEAD, PUT, DELETE'],
      ['/api/packages/secret/generic/a/1/b.info', 'GET, HEAD, PUT, DELETE'],
      ['/api/packages/nobody/generic/a/1', 'GET, HEAD, DELETE'],
      ['/api/packages/admin/generic/a', 'GET, HEAD'],
    ]
    const check = (
      t: Test,
      what: string,
      { status, headers, body }: Pick<Answer, 'status' | 'headers' | 'body'>,
      allow: string,
    ) => {
      t.equal(status, 405, what)
      t.match(headers, { allow, 'content-type': TEXT }, what)
      t.match(body, /is not allowed here\n$/, what)
    }
    for (const [path, allow] of paths) {
      const service = await askService(plinth.data, 'OPTIONS', path)
      check(t, `the service: OPTIONS ${path}`, service as Answer, allow)
      for (const method of ['OPTIONS', 'TRACE', 'PATCH', 'PROPFIND'])
        check(t, `${method} ${path}`, await ask(method, path, { auth: false }), allow)
    }
    const unknown = await askRaw(plinth.port, `FOO ${file} HTTP/1.1`, 'Host: x', 'Connection: close')
    t.match(unknown, /^HTTP\/1\.1 405 [^]*\r\nAllow: GET, HEAD, PUT, DELETE\r\n/)
    const long = await askRaw(
      plinth.port,
      `${'X'.repeat(9000)} ${file} HTTP/1.1`,
      'Host: x',
      `Authorization: ${WRONG}`,
    )
    t.match(long, /^HTTP\/1\.1 4\d\d /)
  })

  await t.test('what nginx refuses by itself is text, too', async (t) => {
    const range = await ask('GET', file, { headers: { range: 'bytes=10-' } })
    t.match(said(range), {
      status: 416,
      headers: { 'content-type': TEXT, 'content-range': 'bytes */10', 'x-content-type-options': 'nosniff' },
      body: 'the file has no such range of bytes\n',
    })
    const changed = await ask('GET', file, { headers: { 'if-match': '"another"' } })
    t.match(said(changed), { status: 412, headers: { 'content-type': TEXT } })
    const table: [what: string, status: string, lines: string[]][] = [
      ['a path that is not decoded', '400', ['GET /api/%zz HTTP/1.1', 'Host: x']],
      ['a path with NUL', '400', [`GET ${file}%00 HTTP/1.1`, 'Host: x']],
      ['a path that climbs out', '400', ['GET /../../x.zip HTTP/1.1', 'Host: x']],
      ['a long path', '414', [`GET ${file}${'x'.repeat(20_000)} HTTP/1.1`, 'Host: x']],
      ['another protocol', '505', [`GET ${file} HTTP/3.0`, 'Host: x']],
      ['no Host', '400', [`GET ${file} HTTP/1.1`]],
      ['a long header', '400', [`GET ${file} HTTP/1.1`, 'Host: x', `X: ${'a'.repeat(20_000)}`]],
      ['an unknown transfer encoding', '501', [`GET ${file} HTTP/1.1`, 'Host: x', 'Transfer-Encoding: gzip']],
    ]
    for (const [what, status, lines] of table) {
      const answer = await askRaw(plinth.port, ...lines)
      t.match(
        answer,
        new RegExp(`^HTTP/1.1 ${status} [^]*\r\nContent-Type: text/plain; charset=utf-8\r\n`),
        what,
      )
      t.match(answer, /\r\n\r\nnginx cannot read this request: /, what)
    }
  })

  await t.test('the path of those words is none', async (t) => {
    t.match(said(await get('/bad-request')), { status: 404, body: /^not found/ })
  })

  await t.test('without the service reads, and refusals of methods, go on', async (t) => {
    await plinth.stopShim('SIGKILL')
    t.equal((await get(file)).status, 200)
    t.match(said(await ask('PUT', `${file}.info`, { body: 'x' })), {
      status: 503,
      headers: { 'content-type': TEXT, 'retry-after': '5' },
    })
    t.match(said(await ask('OPTIONS', file)), { status: 405, headers: { allow: 'GET, HEAD, PUT, DELETE' } })
    await plinth.startShim()
  })
})
