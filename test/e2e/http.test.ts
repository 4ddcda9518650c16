// The HTTP surface, as the documents of Gitea's package registries and its own integration tests state it.

import { createHash } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { simpleModule } from '../support/zips.js'
import { AUTH, askWithoutBody, TOKEN } from '../support/http.js'
import { startPlinth, type Plinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { until } from '../support/until.js'

const GO = '/api/packages/admin/go'
const GENERIC = '/api/packages/admin/generic'

const form = (parts: string[][]): { body: string; headers: Record<string, string> } => ({
  body: `${parts.map((lines) => `--b\r\n${lines.join('\r\n')}\r\n`).join('')}--b--\r\n`,
  headers: { 'content-type': 'multipart/form-data; boundary=b' },
})
const filePart = (name: string, content: string, filename = 'x.bin'): string[] => [
  `Content-Disposition: form-data; name="${name}"; filename="${filename}"`,
  'Content-Type: application/octet-stream',
  '',
  content,
]

t.test('HTTP', needs('nginx'), async (t) => {
  const plinth: Plinth = await startPlinth({
    PLINTH_MAX_MODULE_BYTES: '1000000',
    PLINTH_MAX_FILE_BYTES: '3000000',
    PLINTH_MAX_UPLOADS: '400', // one account has a quarter
  })
  t.teardown(plinth.stop)
  const { ask, get } = plinth
  /** Nothing is left on the way, and no file stays open, when the views have followed what was published before. */
  const clean = async (t: Test, what: string): Promise<void> => {
    await plinth.viewsFollowed()
    t.same(plinth.leftovers(), [], `${what}: nothing is left on the way`)
    t.same(await plinth.filesLeftOpen(), [], `${what}: no file stays open`)
  }

  t.test('generic: the life of a package', async (t) => {
    const path = `${GENERIC}/te-st_pac.kage/1.0.3-te%20st/fi-le_na.me`
    const content = Buffer.from([1, 2, 3])
    const put = await ask('PUT', path, { body: content })
    t.equal(put.status, 201)
    t.equal(put.headers['location'], path)
    t.match(put.headers['content-type'], 'text/plain; charset=utf-8')
    t.equal(put.headers['content-disposition'], undefined, 'only what is read has a name')
    t.match(put.body, createHash('sha256').update(content).digest('hex'))
    t.equal((await ask('PUT', path, { body: content })).status, 409, 'same file twice')
    t.equal((await ask('PUT', `${path}%20and%20more`, { body: '' })).status, 201, 'a second file, of 0 bytes')

    const read = await get(path)
    t.equal(read.status, 200)
    t.ok(read.bytes.equals(content))
    t.equal(read.headers['content-type'], 'application/octet-stream')
    t.equal(read.headers['content-disposition'], 'attachment; filename="fi-le_na.me"')
    t.equal(read.headers['x-content-type-options'], 'nosniff')
    const empty = await get(`${path}%20and%20more`)
    t.equal(empty.status, 200)
    t.equal(empty.bytes.length, 0)

    t.equal((await ask('DELETE', path)).status, 204)
    t.equal((await ask('DELETE', path)).status, 404)
    t.equal((await get(path)).status, 404)
    t.equal((await get(`${path}%20and%20more`)).status, 200, 'the other file stays')
    const version = `${GENERIC}/te-st_pac.kage/1.0.3-te%20st`
    t.equal((await ask('DELETE', version)).status, 204)
    t.equal((await ask('DELETE', version)).status, 404)
    t.equal(
      (await ask('PUT', path, { body: 'again' })).status,
      201,
      'what was deleted can be published again',
    )
    t.equal((await ask('DELETE', path)).status, 204)
    t.equal((await ask('DELETE', version)).status, 404, 'the version went with its last file')
    t.notOk(existsSync(`${plinth.data}/tree${GENERIC}/te-st_pac.kage`), 'and leaves no empty folders')
    await clean(t, 'after it')
  })

  t.test('generic: conditional and partial reads', async (t) => {
    const path = `${GENERIC}/read/1/x.zip`
    await ask('PUT', path, { body: '0123456789' })
    const { headers } = await get(path)
    const part = await ask('GET', path, { headers: { range: 'bytes=2-4' } })
    t.equal(part.status, 206)
    t.equal(part.body, '234')
    t.equal((await ask('GET', path, { headers: { range: 'bytes=10-' } })).status, 416)
    t.equal((await ask('GET', path, { headers: { 'if-none-match': headers.etag ?? '' } })).status, 304)
    t.equal(
      (await ask('GET', path, { headers: { 'if-modified-since': headers['last-modified'] ?? '' } })).status,
      304,
    )
    const head = await ask('HEAD', path, { auth: false })
    t.equal(head.status, 200)
    t.equal(head.headers['content-length'], '10')
    t.equal(head.headers['content-type'], 'application/octet-stream', 'whatever the ending')
  })

  t.test('generic: names', async (t) => {
    const good = [
      'a/1/b',
      'A.b-c+d_e/2026年/f (1).txt',
      'n/v/%25',
      'n/v/~!@$&=+:;,()[]'.replace(',', ''),
      'n/%2e%2e%2e/x',
    ]
    for (const path of good) {
      const url = `${GENERIC}/${encodeURI(decodeURI(path)).replaceAll('%25%25', '%25')}`
      t.equal((await ask('PUT', url, { body: path })).status, 201, path)
      t.equal((await get(url)).body, path, `${path} is read back`)
      t.equal((await ask('DELETE', url)).status, 204, path)
    }
    const bad = [
      '-/1/b',
      'a%20b/1/c',
      'a/%20/c',
      'a/%201/c',
      'a/1%20/c',
      'a/1/%20c',
      'a/1/c%20',
      'a/1/%C3%A9',
      'a/1/b%2Fc',
      'a/%09/c',
    ]
    bad.push(
      `a/1/${'x'.repeat(256)}`,
      `a/${'x'.repeat(256)}/b`,
      `${'x'.repeat(256)}/1/b`,
      'a/%ff/b',
      'a/%zz/b',
      'a/1/%00',
    )
    for (const path of bad) {
      const put = await ask('PUT', `${GENERIC}/${path}`, { body: 'x' })
      t.equal(put.status, 400, `PUT ${path.slice(0, 40)}: ${put.body}`)
      t.match(put.headers['content-type'], 'text/plain')
      t.notOk(
        [200, 204, 500].includes((await ask('GET', `${GENERIC}/${path}`)).status),
        `GET ${path.slice(0, 40)}`,
      )
    }
    t.equal(
      (await ask('PUT', `${GENERIC}/a/%ff/b`, { body: 'x', auth: false })).status,
      401,
      'credentials come first',
    )
    for (const path of [
      'a%20b/1/c',
      'a/1/%C3%A9',
      'a/1/nothing',
      'a/%ff/b',
      `a/1/${'x'.repeat(256)}`,
      'no/no',
    ]) {
      t.equal((await ask('DELETE', `${GENERIC}/${path}`)).status, 404, `DELETE ${path.slice(0, 40)}`)
      t.equal((await get(`${GENERIC}/${path}`)).status, 404, `GET ${path.slice(0, 40)}`)
    }
  })

  t.test('methods and depths that are none', async (t) => {
    const table: [method: string, path: string, status: number, allow?: RegExp][] = [
      ['POST', `${GENERIC}/a/1/b`, 405, /PUT/],
      ['PATCH', `${GENERIC}/a/1/b`, 405, /DELETE/],
      ['PROPFIND', `${GENERIC}/a/1/b`, 405, /PUT/],
      ['PUT', `${GENERIC}/a/1`, 405, /DELETE/],
      ['DELETE', `${GO}/upload`, 405, /PUT/],
      ['PUT', `${GENERIC}/a`, 404],
      ['PUT', `${GENERIC}/a/1/b/c`, 404],
      ['PUT', `${GENERIC}/a/1/b/`, 404],
      ['PUT', `${GO}/example.com/m/@v/v1.0.0.zip`, 405, /DELETE/],
      ['DELETE', `${GO}/example.com/m`, 404],
      ['PATCH', '/api/v1/packages/admin/generic/a/1', 405, /DELETE/],
      ['PUT', '/', 404],
      ['DELETE', '/api/packages/admin', 404],
      ['GET', '/api/packages/admin/go/', 404],
      ['GET', '/api/packages/admin/generic', 404],
      ['GET', '/api/packages/admin/go/sumdb/sum.example.org/supported', 404],
      ['GET', `${GO}/upload`, 404],
    ]
    for (const [method, path, status, allow] of table) {
      const answer = await ask(method, path, { body: 'x' })
      t.equal(answer.status, status, `${method} ${path}`)
      if (allow) t.match(answer.headers['allow'], allow, `${method} ${path}: Allow`)
      t.match(answer.headers['content-type'], 'text/plain')
    }
  })

  t.test('go: statuses of an upload', async (t) => {
    const zip = await simpleModule('example.com/http', 'v1.0.0')
    const upload = `${GO}/upload`
    t.equal((await ask('PUT', upload, { body: zip, auth: false })).status, 401)
    t.equal((await ask('PUT', upload, { body: 'no zip' })).status, 400)
    t.equal((await ask('PUT', upload, { body: '' })).status, 400)
    const put = await ask('PUT', upload, { body: zip })
    t.equal(put.status, 201)
    t.equal((await get(put.headers.location ?? '')).status, 200, 'Location leads to the version')
    t.equal((await ask('PUT', upload, { body: zip })).status, 409)
    const post = await simpleModule('example.com/http', 'v1.0.1')
    t.equal((await ask('POST', upload, { body: post })).status, 201, 'POST does the same')

    const headers = async (path: string) => (await get(`${GO}/example.com/http/${path}`)).headers
    t.equal((await headers('@v/list'))['content-type'], 'text/plain; charset=utf-8')
    t.equal((await headers('@latest'))['content-type'], 'application/json')
    t.equal((await headers('@v/v1.0.0.info'))['content-type'], 'application/json')
    t.equal((await headers('@v/v1.0.0.mod'))['content-type'], 'text/plain; charset=utf-8')
    t.equal((await headers('@v/v1.0.0.zip'))['content-type'], 'application/zip')
    t.equal((await headers('@v/latest.zip'))['content-type'], 'application/zip')
    t.equal((await headers('@v/latest.mod'))['content-type'], 'text/plain; charset=utf-8')
    for (const path of ['@v/list', '@latest']) {
      t.equal((await headers(path))['cache-control'], 'no-cache', path)
      t.equal(
        (await headers(path)).etag,
        undefined,
        `${path}: changes faster than an ETag of seconds can tell`,
      )
    }
    t.ok((await headers('@v/v1.0.0.zip')).etag)
    t.ok(
      (await get(`${GO}/example.com/http/@v/v1.0.0.zip`)).bytes.equals(zip),
      'the uploaded bytes, unchanged',
    )
    t.match(
      (await get(`${GO}/example.com/http/@v/v1.0.0.info`)).body,
      /^\{"Version":"v1\.0\.0","Time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"\}$/,
    )
    t.equal((await get(`${GO}/example.com/http/@v/main.info`)).status, 404, 'a branch is no version')
    t.equal((await get(`${GO}/example.com/%68ttp/%40v/list`)).status, 200, 'percent-encoding on top')
    await clean(t, 'after uploads and refusals')
  })

  t.test('go: every reason in one answer', async (t) => {
    const { moduleZip } = await import('../support/zips.js')
    const zip = await moduleZip('example.com/m', 'v1.0.0', { 'sub/go.mod': '', 'a:b': '', A: '', a: '' })
    const answer = await ask('PUT', `${GO}/upload`, { body: zip })
    t.equal(answer.status, 400)
    t.match(answer.body, 'example.com/m@v1.0.0/sub/go.mod: go.mod outside the module root')
    t.match(answer.body, 'example.com/m@v1.0.0/a:b: malformed file path')
    t.match(answer.body, 'case-insensitive file name collision')
  })

  t.test('go: deleting', async (t) => {
    t.equal((await plinth.publish(await simpleModule('example.com/Del', 'v1.0.0-RC1'))).status, 201)
    const path = `${GO}/example.com/!del/@v/v1.0.0-!r!c1`
    t.equal((await ask('DELETE', path, { auth: false })).status, 401)
    t.equal((await ask('DELETE', path.replace('!del', 'Del'))).status, 404, 'not escaped')
    t.equal((await ask('DELETE', path.replaceAll('!', '%21'))).status, 204, 'percent-encoded on top')
    t.equal((await ask('DELETE', path)).status, 404)
    for (const wrong of [
      'example.com/none/@v/v1.0.0',
      'example.com/!del/@v/latest',
      'example.com/!del/@v/list',
      'x/@v/v1.0.0',
    ]) {
      t.equal((await ask('DELETE', `${GO}/${wrong}`)).status, 404, wrong)
    }
  })

  t.test('credentials, in all spellings', async (t) => {
    const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`
    const right = [
      AUTH,
      basic(`${TOKEN}:`),
      basic(`${TOKEN}:x-oauth-basic`),
      `token ${TOKEN}`,
      `Bearer ${TOKEN}`,
    ]
    plinth.cli('account', 'add', 'other')
    const wrong = [
      basic(`other:${TOKEN}`),
      basic('admin:wrong'),
      basic('admin:'),
      `Bearer x${TOKEN}`,
      'Bearer',
      `Digest ${TOKEN}`,
    ]
    for (const auth of right)
      t.equal(
        (await ask('PUT', `${GENERIC}/auth/1/${right.indexOf(auth)}`, { auth, body: 'x' })).status,
        201,
        auth,
      )
    for (const auth of wrong) {
      const answer = await ask('PUT', `${GENERIC}/auth/1/w`, { auth, body: 'x' })
      t.equal(answer.status, 401, auth)
      t.match(answer.headers['www-authenticate'], /^Basic realm="/)
    }
    const named = await ask('PUT', `${GENERIC}/auth/1/w`, { auth: basic(`other:${TOKEN}`), body: 'x' })
    t.equal(named.body, 'the token is right, but it is not that of account other: it says itself who it is\n')
    const query = `${GENERIC}/auth/1/q?token=${TOKEN}&access_token=${TOKEN}`
    t.equal((await ask('PUT', query, { auth: false, body: 'x' })).status, 401, 'no tokens in query strings')
    t.notMatch(plinth.log(), TOKEN, 'the log holds no token')
    t.notMatch(plinth.log(), /authorization/i)
    const stored = readFileSync(`${plinth.data}/access/accounts/admin.json`, 'utf8')
    t.notMatch(stored, TOKEN, 'nor does the disk')
  })

  t.test('owners', async (t) => {
    const undeclared = await ask('PUT', '/api/packages/nobody/generic/a/1/b', { body: 'x' })
    t.equal(undeclared.status, 404)
    t.match(undeclared.body, 'scripts/plinth owner add nobody')
    t.equal((await ask('PUT', '/api/packages/nobody/generic/a/1/b', { body: 'x', auth: false })).status, 401)
    t.equal((await ask('PUT', '/api/packages/team/generic/a/1/b', { body: 'x' })).status, 201)
    t.equal((await get('/api/packages/team/generic/a/1/b')).status, 200)
    const read = await get('/api/packages/nobody/generic/a/1/b')
    t.equal(read.status, 401, 'an undeclared owner answers as a private one does')
    t.match(read.headers['www-authenticate'], /^Basic realm=/)
    t.match(read.headers['content-type'], 'text/plain')
  })

  t.test('a refusal that needs no body comes although the body never does', async (t) => {
    await ask('PUT', `${GENERIC}/early/1/taken`, { body: 'x' })
    const table: [path: string, headers: string[], status: string][] = [
      [`${GENERIC}/early/1/x`, [], '401'],
      [`${GO}/upload`, ['Authorization: Bearer wrong'], '401'],
      ['/api/packages/nobody/generic/a/1/b', [`Authorization: ${AUTH}`], '404'],
      ['/api/packages/nobody/go/upload', [`Authorization: ${AUTH}`], '404'],
      [`${GENERIC}/early/1/%20x`, [`Authorization: ${AUTH}`], '400'],
      [`${GENERIC}/early/1/taken`, [`Authorization: ${AUTH}`], '409'],
    ]
    for (const [path, headers, status] of table) {
      for (const body of [
        ['Content-Length: 1000000'],
        ['Transfer-Encoding: chunked'],
        ['Content-Length: 1000000', 'Expect: 100-continue'],
      ]) {
        const line = await askWithoutBody(plinth.port, 'PUT', path, [...headers, ...body])
        t.match(line, `HTTP/1.1 ${status}`, `${path} ${body.join()}`)
      }
    }
    const large = await askWithoutBody(plinth.port, 'PUT', `${GENERIC}/early/1/large`, [
      `Authorization: ${AUTH}`,
      'Content-Length: 3000001',
    ])
    t.match(large, '413')
    await clean(t, 'after refusals')
  })

  t.test('a refusal reaches a client that goes on sending', async (t) => {
    const body = Buffer.alloc(20_000_000)
    for (let round = 0; round < 10; round++) {
      const answer = await ask('PUT', `${GENERIC}/early/1/sending`, { body, auth: false })
      t.equal(answer.status, 401)
    }
    t.equal((await ask('PUT', `${GENERIC}/early/1/too-large`, { body })).status, 413)
    t.equal(
      (await ask('PUT', `${GENERIC}/early/1/chunked`, { body, headers: { 'transfer-encoding': 'chunked' } }))
        .status,
      413,
    )
    await clean(t, 'after 413')
  })

  t.test('bodies: raw whatever the type, forms with one file', async (t) => {
    for (const type of [
      'application/x-www-form-urlencoded',
      'application/json',
      'text/plain',
      'application/zip',
      'multipart/mixed',
    ]) {
      const path = `${GENERIC}/bodies/1/${type.replace('/', '-')}`
      t.equal(
        (await ask('PUT', path, { body: 'a=b&c', headers: { 'content-type': type } })).status,
        201,
        type,
      )
      t.equal((await get(path)).body, 'a=b&c', type)
    }
    const path = `${GENERIC}/bodies/1/form`
    t.equal(
      (
        await ask(
          'PUT',
          path,
          form([filePart('file', 'content'), ['Content-Disposition: form-data; name="note"', '', 'hi']]),
        )
      ).status,
      201,
    )
    t.equal((await get(path)).body, 'content')
    t.equal((await ask('PUT', `${path}-empty`, form([filePart('file', '')]))).status, 201)
    t.equal((await get(`${path}-empty`)).bytes.length, 0)
    t.equal(
      (await ask('PUT', `${path}-evil`, form([filePart('file', 'x', '../../../evil')]))).status,
      201,
      'its file name is not ours',
    )
    const bare = filePart('f', 'bare').filter((line) => !line.startsWith('Content-Type'))
    t.equal(
      (await ask('PUT', `${path}-bare`, form([bare]))).status,
      201,
      'a part needs no Content-Type to be a file',
    )
    t.equal((await get(`${path}-bare`)).body, 'bare')
    const refused: [what: string, asking: ReturnType<typeof form>][] = [
      ['no part', form([])],
      ['no file part', form([['Content-Disposition: form-data; name="note"', '', 'hi']])],
      ['two file parts', form([filePart('a', '1'), filePart('b', '2')])],
      ['a part whose head has no end', form([[`X-H: ${'x'.repeat(1_000_000)}`, '', 'x']])],
      ['no boundary', { body: 'x', headers: { 'content-type': 'multipart/form-data' } }],
      ['cut off', { ...form([filePart('a', '1')]), body: form([filePart('a', '1')]).body.slice(0, -6) }],
    ]
    for (const [what, asking] of refused) {
      const answer = await ask('PUT', `${path}-bad`, asking)
      t.equal(answer.status, 400, `${what}: ${answer.body}`)
    }
    const tooLarge = await ask('PUT', `${path}-large`, form([filePart('a', 'x'.repeat(3_000_001))]))
    t.equal(tooLarge.status, 413, tooLarge.body)
    const zip = (await simpleModule('example.com/form', 'v1.0.0')).toString('latin1')
    const { body, headers } = form([filePart('package', zip, 'm.zip')])
    t.equal((await ask('POST', `${GO}/upload`, { body: Buffer.from(body, 'latin1'), headers })).status, 201)
    await clean(t, 'after forms')
  })

  t.test('a stated SHA-256 must match', async (t) => {
    const sum = createHash('sha256').update('content').digest()
    const put = (file: string, headers: Record<string, string>, body = 'content') =>
      ask('PUT', `${GENERIC}/sums/1/${file}`, { body, headers })
    t.equal((await put('a', { 'x-checksum-sha256': sum.toString('hex') })).status, 201)
    t.equal((await put('b', { 'repr-digest': `sha-256=:${sum.toString('base64')}:` })).status, 201)
    const wrong = await put('c', { 'x-checksum-sha256': sum.toString('hex') }, 'other')
    t.equal(wrong.status, 400)
    t.match(wrong.body, /checksum mismatch/)
    t.equal((await get(`${GENERIC}/sums/1/c`)).status, 404, 'and nothing is stored')
    t.equal((await put('d', { 'x-checksum-sha256': 'abc' })).status, 400)
    await clean(t, 'after a mismatch')
  })

  t.test('100 uploads of one version at once: one 201, 99 times 409', async (t) => {
    const zip = await simpleModule('example.com/race', 'v1.0.0')
    const answers = await Promise.all(Array.from({ length: 100 }, () => plinth.publish(zip)))
    const count = (status: number): number => answers.filter((answer) => answer.status === status).length
    t.equal(count(201), 1)
    t.equal(count(409), 99)
    t.equal((await get(`${GO}/example.com/race/@v/list`)).body, 'v1.0.0\n')
    const files = await Promise.all(
      Array.from({ length: 100 }, (_, i) => ask('PUT', `${GENERIC}/race/1/x`, { body: `${i}` })),
    )
    t.equal(files.filter((answer) => answer.status === 201).length, 1, 'the same for files')
    t.equal(files.filter((answer) => answer.status === 409).length, 99)
    await clean(t, 'after the race')
  })

  t.test(
    'versions of one module published and deleted at once: list is right after each answer',
    async (t) => {
      const listed = async (): Promise<string[]> =>
        (await get(`${GO}/example.com/busy/@v/list`)).body.split('\n')
      await Promise.all(
        Array.from({ length: 20 }, async (_, i) => {
          const version = `v1.${i}.0`
          t.equal((await plinth.publish(await simpleModule('example.com/busy', version))).status, 201)
          t.ok((await listed()).includes(version), `${version} is listed after its 201`)
          if (i % 2 === 0) return
          t.equal((await ask('DELETE', `${GO}/example.com/busy/@v/${version}`)).status, 204)
          t.notOk((await listed()).includes(version), `${version} is not listed after its 204`)
        }),
      )
      t.same(await listed(), [...Array.from({ length: 10 }, (_, i) => `v1.${2 * i}.0`), ''])
      await clean(t, 'after it')
    },
  )

  t.test('an upload cut off in the middle leaves nothing', async (t) => {
    for (const path of [`${GENERIC}/cut/1/x`, `${GO}/upload`]) {
      for (const headers of [
        ['Content-Length: 1000'],
        ['Transfer-Encoding: chunked'],
        ['Content-Length: 1000', 'Content-Type: multipart/form-data; boundary=b'],
      ]) {
        const seen = plinth.log().length
        await new Promise<void>((resolve, reject) => {
          const socket = connect(plinth.port, '127.0.0.1')
          socket.on('error', reject)
          socket.on('close', () => resolve())
          const head = [`PUT ${path} HTTP/1.1`, 'Host: x', `Authorization: ${AUTH}`, ...headers, '', ''].join(
            '\r\n',
          )
          const start = headers.some((header) => header.includes('multipart'))
            ? '--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\nabc'
            : '3\r\nabc\r\n'
          socket.write(head + start, () => {
            // gone as soon as the service has it: its folder is there
            const wait = (): void => {
              if (plinth.leftovers().length > 0) socket.destroy()
              else setImmediate(wait)
            }
            wait()
          })
        })
        await until(() => plinth.log().slice(seen).includes('"event":"request"'), 5)
        await clean(t, `${path} ${headers.join()}`)
      }
    }
    t.equal((await get(`${GENERIC}/cut/1/x`)).status, 404)
    t.notMatch(plinth.log(), '"status":500')
  })

  t.test('as curl sends it', needs('curl'), async (t) => {
    const url = `${plinth.url}${GENERIC}/curl/1.0.0`
    const curl = (...args: string[]): string =>
      execFileSync('curl', ['-s', '-o', '/dev/null', '-w', '%{http_code}', ...args], { encoding: 'utf8' })
    const self = fileURLToPath(import.meta.url)
    t.equal(curl('--user', `admin:${TOKEN}`, '--upload-file', self, `${url}/a`), '201')
    t.equal(curl('--user', `admin:${TOKEN}`, '-X', 'PUT', '--data-binary', `@${self}`, `${url}/b`), '201')
    t.equal(curl('--user', `admin:${TOKEN}`, '-X', 'PUT', '-F', `f=@${self}`, `${url}/c`), '201')
    t.equal(curl('--user', `${TOKEN}:`, '--upload-file', self, `${url}/a`), '409')
    t.equal(curl('--upload-file', self, `${url}/d`), '401')
    t.equal(curl('--user', `admin:${TOKEN}`, '-X', 'DELETE', url), '204')
  })

  t.test('with the service stopped all reads go on, and writes get 503', async (t) => {
    const zip = await simpleModule('example.com/up', 'v1.0.0')
    await plinth.publish(zip)
    await ask('PUT', `${GENERIC}/up/1/x`, { body: 'x' })
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await plinth.stopShim(signal)
      for (const path of ['@v/list', '@latest', '@v/v1.0.0.info', '@v/v1.0.0.mod', '@v/v1.0.0.zip']) {
        t.equal((await get(`${GO}/example.com/up/${path}`)).status, 200, `${signal}: ${path}`)
      }
      t.equal((await get(`${GENERIC}/up/1/x`)).status, 200)
      t.equal((await get(`${GENERIC}/up/1/none`)).status, 404)
      for (const [method, path] of [
        ['PUT', `${GO}/upload`],
        ['POST', `${GO}/upload`],
        ['PUT', `${GENERIC}/up/1/y`],
        ['DELETE', `${GENERIC}/up/1/x`],
        ['DELETE', `${GO}/example.com/up/@v/v1.0.0`],
      ] as const) {
        const answer = await ask(method, path, { body: zip })
        t.equal(answer.status, 503, `${method} ${path}`)
        t.match(answer.headers['retry-after'], /^\d+$/)
        t.match(answer.headers['content-type'], 'text/plain')
      }
      await plinth.startShim()
      t.equal(
        (await ask('PUT', `${GENERIC}/up/1/${signal}`, { body: 'x' })).status,
        201,
        'and it goes on after a restart',
      )
    }
  })
})
