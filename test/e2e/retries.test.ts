// Publishing again what is there already: an upload that states its SHA-256 may.

import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { askWithoutBody, TOKEN } from '../support/http.js'
import { startPlinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { moduleZip, zipOf, type Files } from '../support/zips.js'

const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex')
const stating = (bytes: Buffer | string) => ({ 'x-checksum-sha256': sha256(bytes) })

const FILE = '/api/packages/team/generic/tool/1.0/x'
const UPLOAD = '/api/packages/team/go/upload'
const MODULE = 'tree/api/packages/team/go/example.com/m/@v/v1.0.0.zip'

/** The files of a module zip, with their full names. */
const files = (source: string): Files => ({
  'example.com/m@v1.0.0/go.mod': 'module example.com/m\n\ngo 1.19\n',
  'example.com/m@v1.0.0/m.go': source,
})

t.test('publishing again', needs('nginx'), async (t) => {
  const plinth = await startPlinth()
  t.teardown(() => plinth.stop())
  const { ask, data, cli } = plinth

  await t.test('a file', async (t) => {
    const put = (body: string, headers: Record<string, string> = {}, auth?: string) =>
      ask('PUT', FILE, { body, headers, ...(auth !== undefined && { auth }) })
    t.equal((await put('content', stating('content'))).status, 201)
    const before = statSync(join(data, 'tree', FILE))
    const digest = createHash('sha256').update('content').digest('base64')
    for (const headers of [
      stating('content'),
      { 'repr-digest': `sha-256=:${digest}:` },
      { 'content-digest': `sha-256=:${digest}:` },
    ]) {
      const again = await put('content', headers)
      t.equal(again.status, 200, Object.keys(headers).join())
      t.match(
        again.body,
        `x is there already in tool 1.0, identical\n${plinth.url}${FILE}\nsha256 ${sha256('content')}`,
      )
      t.equal(again.headers['location'], undefined)
    }
    t.equal((await put('other', stating('content'))).status, 200, 'the record answers, the body is not read')
    for (const headers of [{}, stating('other')]) {
      const refused = await put('other', headers)
      t.equal(refused.status, 409)
      t.match(
        refused.body,
        `exists already in tool 1.0: delete it first\nwhat is there has sha256 ${sha256('content')}`,
      )
    }
    t.equal((await put('content')).status, 409, 'without a statement')
    t.equal((await put('content', { 'x-checksum-sha256': 'abc' })).status, 400)
    const other = cli('account', 'add', 'other').trimEnd().split('\n').at(-1) ?? ''
    t.equal((await put('content', stating('content'), `token ${other}`)).status, 401)
    const after = statSync(join(data, 'tree', FILE))
    t.same([after.ino, after.mtimeMs], [before.ino, before.mtimeMs], 'nothing has changed')
  })

  await t.test('the answer comes although the body never does', async (t) => {
    const headers = [`Authorization: Basic ${Buffer.from(`admin:${TOKEN}`).toString('base64')}`]
    const line = await askWithoutBody(plinth.port, 'PUT', FILE, [
      ...headers,
      `X-Checksum-Sha256: ${sha256('content')}`,
      'Content-Length: 1000000',
    ])
    t.match(line, 'HTTP/1.1 200')
  })

  await t.test('a module: the same bytes, and the same files packed in another way', async (t) => {
    const put = (body: Buffer, headers: Record<string, string> = {}) => ask('PUT', UPLOAD, { body, headers })
    const zip = await zipOf(files('package m\n'))
    const stored = await zipOf(files('package m\n'), false)
    t.notSame(zip, stored)
    t.equal((await put(zip, stating(zip))).status, 201)
    for (const bytes of [zip, stored]) {
      const again = await put(bytes, stating(bytes))
      t.equal(again.status, 200)
      t.match(
        again.body,
        /^already published, identical: example\.com\/m v1\.0\.0\n(?:.*\n)*example\.com\/m v1\.0\.0 h1:/,
      )
      const unstated = await put(bytes)
      t.equal(unstated.status, 409)
      t.match(unstated.body, new RegExp(`what is there has h1:\\S{44} and sha256 ${sha256(zip)}`))
    }
    const other = await zipOf(files('package m // other\n'))
    const refused = await put(other, stating(other))
    t.equal(refused.status, 409)
    t.match(refused.body, `what is there has h1:`)
    t.equal((await put(zip, stating(other))).status, 400, 'the statement must be true')
    t.same(readFileSync(join(data, MODULE)), zip)
  })

  await t.test('what was deleted is published, not compared', async (t) => {
    const zip = await moduleZip('example.com/m', 'v1.0.0', { 'go.mod': 'module example.com/m\n' })
    t.equal((await ask('DELETE', '/api/packages/team/go/example.com/m/@v/v1.0.0')).status, 204)
    t.equal((await ask('PUT', UPLOAD, { body: zip, headers: stating(zip) })).status, 201)
    t.equal((await ask('DELETE', FILE)).status, 204)
    t.equal((await ask('PUT', FILE, { body: 'new', headers: stating('new') })).status, 201)
  })

  await t.test('many at once: one publishes, the others find it there', async (t) => {
    const body = 'raced'
    const answers = await Promise.all(
      Array.from({ length: 40 }, () =>
        ask('PUT', '/api/packages/team/generic/tool/2.0/x', { body, headers: stating(body) }),
      ),
    )
    t.same(
      answers.map(({ status }) => status).toSorted((a, b) => b - a),
      [201, ...Array.from({ length: 39 }, () => 200)],
    )
  })

  await t.test("goreleaser's requests, twice in a row", async (t) => {
    // as its `uploads:` sends them with `checksum_header: X-Checksum-Sha256`: PUT, one artifact after the other
    const artifacts = [
      'tool_1.0_linux_amd64.tar.gz',
      'tool_1.0_darwin_arm64.tar.gz',
      'tool_1.0_checksums.txt',
    ]
    for (const expected of [201, 200])
      for (const name of artifacts) {
        const { status } = await ask('PUT', `/api/packages/team/generic/tool/3.0/${name}`, {
          body: `content of ${name}`,
          headers: { ...stating(`content of ${name}`), 'content-type': 'application/octet-stream' },
        })
        t.equal(status, expected, name)
      }
  })
  await plinth.viewsFollowed()
  t.same(plinth.leftovers(), [])
})
