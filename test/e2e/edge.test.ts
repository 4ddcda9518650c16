// An nginx as an edge in front of a Plinth: what it keeps, what it must not, what an attacker can make of it, and what it
// serves when the Plinth is gone.

import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { eachRow, MANUAL, table } from '../support/documents.js'
import { settingsBehindEdge, startEdge } from '../support/edge.js'
import { makeGo } from '../support/go.js'
import { ask, AUTH, askRaw, askWithoutBody, type Answer, type Asking } from '../support/http.js'
import { startPlinth, type Plinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { tempFolder } from '../support/temp-folder.js'
import { until } from '../support/until.js'
import { simpleModule } from '../support/zips.js'

const GO = '/api/packages/admin/go'
const GENERIC = '/api/packages/admin/generic'
const ANONYMOUS = { auth: false } as const
const LARGE = Buffer.alloc(3 * 2 ** 20, 'large')

type Edge = Awaited<ReturnType<typeof startEdge>>
const cacheStatus = ({ headers }: Answer): string => String(headers['x-cache-status'] ?? 'not kept')

async function start(t: Test, seconds: number) {
  const plinth = await startPlinth(settingsBehindEdge(seconds))
  let isUp = true
  const stopOrigin = async (): Promise<void> => {
    if (isUp) await plinth.stop()
    isUp = false
  }
  t.teardown(stopOrigin)
  const edge = await startEdge(`127.0.0.1:${plinth.port}`)
  t.teardown(edge.stop)
  plinth.cli('owner', 'add', 'secret', '--private')
  return { plinth, edge, stopOrigin, at: through(edge) }
}

/** Requests to the edge, anonymous ones unless they say otherwise. */
const through =
  (edge: Edge) =>
  (path: string, asking: Asking = ANONYMOUS, method = 'GET'): Promise<Answer> =>
    ask(edge.port, method, path, asking)

async function publish(plinth: Plinth, module: string, version: string, owner = 'admin'): Promise<void> {
  const { status, body } = await plinth.publish(await simpleModule(module, version), owner)
  if (status !== 201) throw new Error(`${module} ${version}: ${status} ${body}`)
}

t.test('what caches are told', needs('nginx'), async (t) => {
  const plinth = await startPlinth(settingsBehindEdge(10))
  t.teardown(plinth.stop)
  plinth.cli('owner', 'add', 'secret', '--private')
  for (const owner of ['admin', 'secret']) {
    await publish(plinth, 'example.com/m', 'v1.0.0', owner)
    await plinth.ask('PUT', `/api/packages/${owner}/generic/tool/1/x`, { body: 'x' })
  }
  await plinth.viewsFollowed()
  const paths = (owner: string): string[] => [
    ...['@v/list', '@latest', '@v/v1.0.0.info', '@v/v1.0.0.mod', '@v/v1.0.0.zip', '@v/latest.zip'].map(
      (name) => `/api/packages/${owner}/go/example.com/m/${name}`,
    ),
    ...['generic/tool/1/x', '-/latest/tool/x', '-/index.json', '-/index.ndjson'].map(
      (name) => `/api/packages/${owner}/${name}`,
    ),
    ...['', 'go/example.com/m', 'generic/tool/1'].map((name) => `/${owner}/${name}`),
  ]
  const told = async (path: string, asking: Asking, method = 'GET'): Promise<string> => {
    const { status, headers } = await plinth.ask(method, path, asking)
    return `${status} ${headers['cache-control']}`
  }
  const unquoted = (cell = ''): string => cell.replaceAll('`', '')
  await eachRow(t, table(MANUAL, 'Edges'), {
    'what a public owner has, to whom sends no credentials': async (cell) => {
      for (const path of paths('admin')) t.equal(await told(path, ANONYMOUS), `200 ${unquoted(cell)}`, path)
      for (const path of ['/', '/-/style.css'])
        t.equal(await told(path, ANONYMOUS), `200 ${unquoted(cell)}`, path)
    },
    'the same to whom sends credentials, and what a private owner has': async (cell) => {
      for (const auth of [AUTH, 'Bearer of nothing', 'Basic wrong'])
        for (const path of paths('admin')) t.equal(await told(path, { auth }), `200 ${unquoted(cell)}`, path)
      for (const path of paths('secret'))
        t.equal(await told(path, { auth: AUTH }), `200 ${unquoted(cell)}`, path)
    },
    '401, 403, 404, 429, 5xx, and other refusals': async (cell) => {
      for (const path of paths('secret')) t.equal(await told(path, ANONYMOUS), `401 ${unquoted(cell)}`, path)
      for (const path of [`${GO}/example.com/none/@v/list`, '/admin/go/none', '/api/v1/none', `${GO}/`])
        t.equal(await told(path, ANONYMOUS), `404 ${unquoted(cell)}`, path)
      t.equal(await told(`${GO}/upload`, ANONYMOUS, 'PUT'), `401 ${unquoted(cell)}`)
      t.equal(await told(`${GO}/upload`, { body: 'x' }, 'PUT'), `400 ${unquoted(cell)}`)
      t.equal(await told(`${GO}/example.com/none/@v/v1.0.0`, {}, 'DELETE'), `404 ${unquoted(cell)}`)
      const evil = { headers: { origin: 'https://evil.example' } }
      t.equal(await told(`${GO}/upload`, evil, 'PUT'), `403 ${unquoted(cell)}`, 'by a page of another site')
      t.equal(await told('/', {}, 'PATCH'), `405 ${unquoted(cell)}`)
      await plinth.stopShim()
      t.equal(await told(`${GO}/upload`, {}, 'PUT'), `503 ${unquoted(cell)}`)
      t.equal(await told('/-/ready', ANONYMOUS), `503 ${unquoted(cell)}`)
      t.equal(await told('/api/v1/user', {}), `503 ${unquoted(cell)}`)
    },
  })
  for (const name of ['@v/list', '@latest', '@v/latest.zip', '@v/latest.info'])
    t.notMatch((await plinth.get(`${GO}/example.com/m/${name}`)).headers, { 'last-modified': /./ }, name)
  t.match((await plinth.get(`${GO}/example.com/m/@v/v1.0.0.zip`)).headers, {
    'last-modified': /./,
    etag: /./,
  })
})

t.test('an edge that asks again after a second', needs('nginx', 'go'), async (t) => {
  const { plinth, edge, stopOrigin, at } = await start(t, 1)
  for (const module of ['a', 'b', 'A/c'])
    for (const version of ['v1.0.0', 'v1.1.0']) await publish(plinth, `example.com/${module}`, version)
  await publish(plinth, 'example.com/s', 'v1.0.0', 'secret')
  await plinth.ask('PUT', '/api/packages/secret/generic/tool/1/x', { body: 'a secret of somebody' })
  const put = (path: string, body: Buffer | string): Promise<Answer> => at(path, { body, auth: AUTH }, 'PUT')
  const kept = { is: '', path: '' }

  await t.test(
    'uploads pass: whole, refused before the body comes, and with the address of the client',
    async (t) => {
      t.equal((await put(`${GENERIC}/tool/1/large`, LARGE)).status, 201)
      const refused = `${GENERIC}/tool/1/refused`
      const wrong = `Authorization: Basic ${Buffer.from('admin:wrong').toString('base64')}`
      const headers = ['Content-Length: 100000000', wrong]
      t.match(await askWithoutBody(edge.port, 'PUT', refused, headers), /^HTTP\/1\.1 401 /)
      const spoofed = {
        'x-forwarded-for': '192.0.2.1',
        'x-real-ip': '192.0.2.1',
        'x-forwarded-proto': 'https',
      }
      await ask(edge.port, 'PUT', `${GENERIC}/tool/1/from`, {
        auth: 'Basic x',
        headers: spoofed,
        via: { localAddress: '127.0.0.3' },
      })
      const line = (): string | undefined =>
        plinth
          .log()
          .split('\n')
          .find((one) => one.includes('/tool/1/from'))
      await until(() => line() !== undefined)
      t.match(line(), '"address":"127.0.0.3"')
    },
  )

  await t.test('a file is kept, in the plain spelling of its path alone', async (t) => {
    const path = `${GO}/example.com/a/@v/v1.0.0.zip`
    const first = await at(path)
    t.match(first, { status: 200, headers: { 'cache-control': /s-maxage=1/ } })
    await until(async () => cacheStatus(await at(path)) === 'HIT')
    const before = edge.kept().length
    const spellings = [
      `${path}?x=1`,
      `${path}?go-get=2&y`,
      path.replace('/api', '/%61pi'),
      path.replace('/api', '//./api'),
      path.replace('v1.0.0', 'x/../v1.0.0'),
      `http://evil.example${path}`,
    ]
    for (const spelling of spellings) {
      const answer = await at(spelling)
      t.equal(answer.status, 200, spelling)
      t.ok(answer.bytes.equals(first.bytes), spelling)
      t.not(cacheStatus(answer), 'MISS', spelling)
    }
    t.equal(edge.kept().length, before, 'no spelling fills the cache')
    t.equal(
      (await at(`${GO}/example.com/!a/c/@v/v1.0.0.info`)).status,
      200,
      'what the path escapes is escaped',
    )
    const odd = `${GENERIC}/odd/1/a%20%25b%20(1).txt`
    t.equal((await put(odd, 'odd')).status, 201)
    t.equal((await at(odd)).body, 'odd')
    Object.assign(kept, { is: first.body, path })
  })

  await t.test('no header of an attacker gets into what others read', async (t) => {
    const path = `${GO}/example.com/a/@v/v1.1.0.info`
    const right = await plinth.get(path)
    const attacks: Record<string, string>[] = [
      { host: 'evil.example' },
      { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'gopher', 'x-forwarded-for': '192.0.2.1' },
      { range: 'bytes=0-0' },
      { 'if-none-match': '*' },
      { 'if-none-match': right.headers.etag ?? '' },
      { 'if-match': '"x"' },
      { 'if-modified-since': new Date().toUTCString() },
      { 'if-range': '"x"', range: 'bytes=1-' },
      { 'x-accel-expires': '86400', 'x-accel-redirect': '/', 'x-original-url': '/', 'x-rewrite-url': '/' },
      { 'x-http-method-override': 'DELETE', 'accept-encoding': 'gzip', accept: 'x/y', cookie: 'a=b' },
      { 'cache-control': 'no-cache, no-store', pragma: 'no-cache', expect: '100-continue' },
      { 'x-plinth-owner': 'secret', 'x-plinth-path': '/x', 'x-request-id': 'a' },
    ]
    for (const headers of attacks) {
      const { status } = await at(path, { ...ANONYMOUS, headers })
      t.ok([200, 206, 304, 412].includes(status), `${JSON.stringify(headers)}: ${status}`)
      const next = await at(path)
      t.equal(next.status, 200, JSON.stringify(headers))
      t.equal(next.body, right.body)
      t.match(next.headers, { 'content-type': right.headers['content-type'], etag: right.headers.etag })
    }
    const asked = await at('/admin/x?a&go-get=1', { ...ANONYMOUS, headers: { host: 'evil.example' } })
    t.match(asked.body, 'evil.example/admin mod')
    t.equal(cacheStatus(asked), 'not kept')
    const page = await at('/admin/', { ...ANONYMOUS, headers: { host: 'evil.example' } })
    t.notMatch(page.body, 'evil')
    for (const second of ['', 'Authorization: Basic eDp5'])
      t.match(
        await askRaw(
          edge.port,
          `GET ${path} HTTP/1.1`,
          'Host: x',
          'Authorization:',
          second,
          'Connection: close',
        ),
        /^HTTP\/1\.1 (200|400) /,
      )
    t.equal((await at(path)).body, right.body)
  })

  await t.test(
    'a part of a large file costs a part, and many who want a new one fetch it once',
    async (t) => {
      const path = `${GENERIC}/tool/1/large`
      const range = { ...ANONYMOUS, headers: { range: 'bytes=5-9' } }
      t.match(await at(path, range), { status: 206, body: 'large' })
      t.notOk(
        edge.kept().some((file) => file.includes(path)),
        'a part is not kept',
      )
      const all = await Promise.all(Array.from({ length: 20 }, () => at(path)))
      t.ok(
        all.every(({ status, bytes }) => status === 200 && bytes.equals(LARGE)),
        'all have it',
      )
      const misses = all.filter((answer) => cacheStatus(answer) === 'MISS').length
      t.ok(misses <= 2, `${misses} of 20 fetched it`)
      t.match(await at(path, range), {
        status: 206,
        body: 'large',
        headers: { 'content-range': /^bytes 5-9\// },
      })
      t.match(await at(path, ANONYMOUS, 'HEAD'), {
        status: 200,
        headers: {
          'content-length': String(LARGE.length),
          'content-disposition': 'attachment; filename="large"',
        },
      })
      const { etag = '' } = (await at(path)).headers
      t.equal((await at(path, { ...ANONYMOUS, headers: { 'if-none-match': etag } })).status, 304)
    },
  )

  await t.test('nothing private is kept, nor answered to anybody else', async (t) => {
    for (const path of [
      '/api/packages/secret/generic/tool/1/x',
      '/api/packages/secret/go/example.com/s/@v/v1.0.0.zip',
    ])
      for (let time = 0; time < 3; time++) {
        const answer = await at(path, { auth: AUTH })
        t.match(answer, { status: 200, headers: { 'cache-control': 'private, no-cache' } })
        t.equal(cacheStatus(answer), 'not kept')
        t.equal((await at(path)).status, 401)
        t.equal((await at(path, { auth: 'Basic eDp5' })).status, 401)
      }
    t.equal((await at(kept.path, { auth: AUTH })).headers['x-cache-status'], undefined)
    t.notMatch(edge.kept().join(), /a secret of somebody|packages\/secret/)
  })

  await t.test('a version is there at once after a 404, and away in a second after its delete', async (t) => {
    for (const [version, isLarge] of [
      ['v2.0.0', true],
      ['v2.1.0', false],
    ] as const) {
      const path = `${GO}/example.com/n/v2/@v/${version}.${isLarge ? 'zip' : 'info'}`
      t.equal((await at(path)).status, 404)
      await publish(plinth, 'example.com/n/v2', version)
      t.equal((await at(path)).status, 200)
      t.equal((await plinth.ask('DELETE', `${GO}/example.com/n/v2/@v/${version}`)).status, 204)
      await until(async () => (await at(path)).status === 404)
      await publish(plinth, 'example.com/n/v2', version)
      t.equal((await at(path)).status, 200, 'and at once when it comes again')
    }
    t.equal((await plinth.ask('DELETE', `${GO}/example.com/n/v2/@v/v2.0.0`)).status, 204)
    await until(async () => (await at(`${GO}/example.com/n/v2/@v/v2.0.0.zip`)).status === 404)
    const before = edge.kept().length
    for (let n = 0; n < 20; n++) await at(`${GO}/example.com/none${n}/@v/list`)
    t.equal(edge.kept().length, before, 'what is not there does not fill the cache')
    await until(async () => /v2\.1\.0/.test((await at(`${GO}/example.com/n/v2/@v/list`)).body))
    await publish(plinth, 'example.com/n/v2', 'v2.2.0')
    await until(async () => /v2\.2\.0/.test((await at(`${GO}/example.com/n/v2/@v/list`)).body))
  })

  const closed = '/api/packages/team/generic/tool/1/x'
  await t.test('an owner that is made private is closed in a second', async (t) => {
    t.equal((await put(closed, 'of the team')).status, 201)
    t.equal((await at(closed)).body, 'of the team')
    plinth.cli('owner', 'set', 'team', '--private')
    await until(async () => (await at(closed)).status === 401)
    t.notMatch(edge.kept().join(), 'of the team')
  })

  await t.test('when the Plinth is gone, all that was read is served', async (t) => {
    const proxy = `${edge.url}${GO}`
    const project = tempFolder('plinth-project')
    mkdirSync(join(project, 'm'))
    const main = join(project, 'm')
    writeFileSync(
      join(main, 'go.mod'),
      `module example.org/main

go 1.19

require (
	example.com/a v1.0.0
	example.com/b v1.1.0
	example.com/A/c v1.1.0
)
`,
    )
    const download = async (): Promise<{ code: number; stderr: string }> => {
      const go = makeGo(proxy)
      await go.run(['list', '-m', '-versions', 'example.com/a@latest'])
      return go.run(['mod', 'download', '-x', 'all'], main)
    }
    const first = await download()
    t.equal(first.code, 0, first.stderr)
    const asked = [...first.stderr.matchAll(/# get http:\/\/[^/]+(\S+): 200/g)].map(([, path = '']) => path)
    t.ok(asked.length >= 9, `go asked for ${asked.length} files`)
    const pages = [
      '/',
      '/admin/',
      '/admin/go/example.com/a',
      '/-/style.css',
      '/api/packages/admin/-/index.json',
    ]
    await plinth.viewsFollowed()
    const read = [...asked, ...pages, `${GENERIC}/tool/1/large`, `${GO}/example.com/a/@v/list`]
    const before = new Map<string, Answer>()
    for (const path of read) before.set(path, await at(path))
    await stopOrigin()
    // Until the last one has expired: what comes then is served because the Plinth is gone.
    for (const [path, { bytes, headers }] of before) {
      let answer = await at(path)
      while (answer.status === 200 && cacheStatus(answer) !== 'STALE') answer = await at(path)
      t.equal(answer.status, 200, path)
      t.ok(answer.bytes.equals(bytes), path)
      t.equal(answer.headers['content-type'], headers['content-type'])
    }
    const again = await download()
    t.equal(again.code, 0, again.stderr)
    t.match(await at(`${GENERIC}/tool/1/large`, { ...ANONYMOUS, headers: { range: 'bytes=5-9' } }), {
      status: 206,
    })
    t.equal((await at(`${GENERIC}/tool/1/large`, ANONYMOUS, 'HEAD')).status, 200)

    t.equal((await at(closed)).status, 401, 'but for what was closed')
    t.equal((await at(`${GO}/example.com/n/v2/@v/v2.0.0.zip`)).status, 404, 'and what was deleted')
    for (const [path, asking, method] of [
      [`${GO}/example.com/never/@v/list`, ANONYMOUS, 'GET'],
      ['/api/packages/secret/generic/tool/1/x', { auth: AUTH }, 'GET'],
      [kept.path, { auth: AUTH }, 'GET'],
      [`${GENERIC}/tool/1/more`, { body: 'x', auth: AUTH }, 'PUT'],
    ] as const) {
      const answer = await at(path, asking, method)
      t.match(answer, { status: 503, headers: { 'cache-control': 'no-store', 'retry-after': '5' } }, path)
      t.match(answer.body, 'does not answer')
    }
  })
})

t.test(
  'an origin that has other sites, too, is asked for one name when the answer may be kept',
  needs('nginx'),
  async (t) => {
    const origin = createServer((req, res) => {
      res.setHeader('Cache-Control', 'public, max-age=60')
      res.end(`${req.headers.host} ${req.url} ${req.headers.authorization ?? 'anonymous'}`)
    })
    await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve))
    t.teardown(() => void origin.close())
    const edge = await startEdge(`127.0.0.1:${(origin.address() as AddressInfo).port}`)
    t.teardown(edge.stop)
    const headers = { host: 'other-site.example' }
    const path = `${GO}/example.com/m/@v/list`
    const kept = await through(edge)(`${path}?${'x'.repeat(100)}`, { ...ANONYMOUS, headers })
    t.equal(kept.body, `plinth.example.com ${path} anonymous`)
    t.equal((await through(edge)(path)).body, kept.body)
    t.equal(
      (await through(edge)(path, { headers, auth: 'x' })).body,
      `other-site.example ${path} x`,
      'but not kept',
    )
    t.equal(
      (await through(edge)('/api/v1/x?y=1', { headers })).body,
      'plinth.example.com /api/v1/x?y=1 anonymous',
    )
  },
)
