// Reads of private packages with credentials in all the spellings of Gitea's clients. nginx knows one by itself, and
// asks the service for the others.

import t from 'tap'
import { AUTH, TOKEN } from '../support/http.js'
import { startPlinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { until } from '../support/until.js'
import { simpleModule } from '../support/zips.js'

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`

const LIST = '/api/packages/secret/go/example.com/!own/m/@v/list'
/** A version that holds a question mark, beside the one that is its beginning. */
const ASKING = '/api/packages/secret/generic/tool/1.0%3Fx/plain'
const PATHS = [
  LIST,
  '/api/packages/secret/go/example.com/!own/m/@v/v1.0.0.info',
  '/api/packages/secret/go/example.com/!own/m/@v/v1.0.0.zip',
  '/api/packages/secret/go/example.com/!own/m/@latest',
  '/api/packages/secret/-/index.json',
  '/api/packages/secret/-/latest/tool/plain',
  '/api/packages/secret/generic/tool/1.0/plain',
  '/secret/',
  '/secret/go/example.com/!own/m',
  '/secret/generic/tool/1.0',
  ASKING,
  '/secret/generic/tool/1.0%3Fx',
]

t.test('reads in every spelling', needs('nginx'), async (t) => {
  const plinth = await startPlinth()
  t.teardown(() => plinth.stop())
  const { ask, cli } = plinth
  cli('owner', 'add', 'secret', '--private')
  cli('owner', 'add', 'hidden', '--private')
  const add = (name: string, ...rights: string[]): string =>
    cli('account', 'add', name, ...rights)
      .trimEnd()
      .split('\n')
      .at(-1) ?? ''
  const reader = add('reader', '--read', 'secret')
  const stranger = add('stranger', '--read', 'hidden')
  t.equal((await plinth.publish(await simpleModule('example.com/Own/m', 'v1.0.0'), 'secret')).status, 201)
  for (const [path, body] of [
    ['/api/packages/secret/generic/tool/1.0/plain', 'content'],
    ['/api/packages/hidden/generic/tool/1.0/plain', 'hidden'],
    [ASKING, 'asking'],
  ] as const)
    t.equal((await ask('PUT', path, { body })).status, 201)
  await plinth.viewsFollowed()
  const get = (path: string, auth: string | false, headers: Record<string, string> = {}) =>
    ask('GET', path, { auth, headers })
  const spellings = (token: string): string[] => [
    ...['oauth2', '__token__', 'x', 'na me'].map((name) => basic(`${name}:${token}`)),
    basic(`${token}:`),
    basic(`${token}:x-oauth-basic`),
    `token ${token}`,
    `Bearer ${token}`,
  ]

  await t.test('every spelling reads what account:token reads', async (t) => {
    for (const path of PATHS) {
      const known = await get(path, basic(`reader:${reader}`))
      t.equal(known.status, 200, path)
      for (const auth of spellings(reader)) {
        const answer = await get(path, auth)
        t.equal(answer.status, 200, `${path}: ${auth}`)
        t.ok(answer.bytes.equals(known.bytes), path)
        // nginx has said already that credentials would help; with a 200 that means nothing (RFC 9110)
        const { date: _a, 'www-authenticate': _b, ...headers } = answer.headers
        const { date: _c, ...same } = known.headers
        t.same(headers, same, `${path}: the same headers`)
      }
    }
  })

  await t.test('what the account may not read stays closed', async (t) => {
    for (const token of [stranger, 'plinth_wrong', `${reader}x`])
      for (const auth of spellings(token))
        for (const path of [LIST, '/secret/', '/api/packages/secret/nothing']) {
          const answer = await get(path, auth)
          t.equal(answer.status, 401, `${path}: ${auth}`)
          t.match(answer.body, /^credentials are needed/)
        }
    t.equal((await get(LIST, basic(`stranger:${reader}`))).status, 401, "another account's name")
    t.equal((await get('/api/packages/hidden/generic/tool/1.0/plain', `token ${reader}`)).status, 401)
    t.equal((await get('/api/packages/no-such-owner/go/x/@v/list', `token ${reader}`)).status, 401)
    t.equal((await get('/api/packages/no-such-owner/go/x/@v/list', `token ${TOKEN}`)).status, 401, 'an admin')
  })

  await t.test('what is not there is 404 for who may read', async (t) => {
    for (const path of ['/api/packages/secret/go/example.com/no/@v/list', '/secret/go/no', '/secret/nothing'])
      t.equal((await get(path, `token ${reader}`)).status, 404, path)
  })

  await t.test('parts, conditions, heads', async (t) => {
    const path = '/api/packages/secret/generic/tool/1.0/plain'
    const auth = `Bearer ${reader}`
    const part = await get(path, auth, { range: 'bytes=2-4' })
    t.same([part.status, part.body], [206, 'nte'])
    const { etag = '', 'last-modified': modified = '' } = part.headers
    t.equal((await get(path, auth, { 'if-none-match': etag })).status, 304)
    const later = new Date(Date.parse(modified) + 60_000).toUTCString()
    t.equal((await get(path, auth, { 'if-modified-since': later })).status, 304, 'later than the file')
    const earlier = new Date(Date.parse(modified) - 60_000).toUTCString()
    t.equal((await get(path, auth, { 'if-modified-since': earlier })).status, 200)
    const head = await ask('HEAD', path, { auth })
    t.same([head.status, head.body, head.headers['content-length']], [200, '', '7'])
  })

  await t.test('nobody gets in by the paths that nginx uses inside', async (t) => {
    for (const prefix of [
      '/-/granted',
      '/-/other',
      '/-/asked',
      '//-/granted',
      '/%2d/granted',
      '/x/../-/granted',
    ])
      for (const path of [LIST, '/secret/', '/api/packages/secret/-/index.json', ''])
        for (const auth of [false, `token ${stranger}`, basic(`stranger:${stranger}`)] as const) {
          const answer = await get(`${prefix}${path}`, auth, {
            'x-plinth-owner': 'hidden',
            'x-plinth-path': '/',
          })
          t.ok([401, 404].includes(answer.status), `${prefix}${path}: ${answer.status}`)
          t.notMatch(answer.body, /example\.com|v1\.0\.0/)
        }
    // The owner that is asked about is the one whose file is read.
    for (const path of [
      '/api/packages/hidden/../secret/generic/tool/1.0/plain',
      '/api/packages/secret/..%2fhidden/generic/tool/1.0/plain',
      '/api/packages//secret/generic/tool/1.0/plain',
      '/api/packages/hidden/generic/tool/1.0/plain%3F/../../../../../secret/generic/tool/1.0/plain',
      '/api/packages/hidden/%2e%2e/secret/generic/tool/1.0/plain?x=/api/packages/hidden/',
      '/-/granted/../api/packages/secret/generic/tool/1.0/plain',
    ])
      t.notMatch((await get(path, `token ${stranger}`)).body, 'content', path)
    for (const path of [
      '/api/packages/secret/generic/tool/1.0/plain%3F',
      '/api/packages/secret/generic/tool/1.0/plain%0A',
      '/api/packages/secret/generic/tool/1.0/..%3F',
      '/secret/generic/tool/..%3F',
    ])
      t.equal((await get(path, `token ${reader}`)).status, 404, path)
    t.match((await get('/-/other/x', `token ${reader}`)).headers['content-type'], /^text\/plain/)
    const spoofed = { 'x-plinth-owner': 'hidden' }
    t.equal(
      (await get(LIST, `token ${stranger}`, spoofed)).status,
      401,
      'a header of the client is not believed',
    )
  })

  /** A read that the service logs. Resolves with its line: that may come behind the answer. */
  async function logged(name: string): Promise<string> {
    const path = `/api/packages/secret/generic/${name}/1.0/x`
    await get(`${path}?q=1`, `token ${reader}`)
    let line: string | undefined
    await until(() => {
      const whole = plinth.log().split('\n').slice(0, -1)
      line = whole.find((each) => each.includes(`"path":"${path}"`))
      return line !== undefined
    })
    return line ?? ''
  }

  await t.test('the log names the account and the path', async (t) => {
    t.match(JSON.parse(await logged('none')), {
      event: 'request',
      method: 'GET',
      path: '/api/packages/secret/generic/none/1.0/x',
      status: 204,
      account: 'reader',
    })
    t.notMatch(plinth.log(), reader)
  })

  await t.test('long headers beside the credentials, and very many wrong ones', async (t) => {
    const long = Object.fromEntries(
      Array.from({ length: 3 }, (_, nth) => [`x-long-${nth}`, 'x'.repeat(7000)]),
    )
    t.equal((await get(LIST, `token ${reader}`, long)).status, 200)
    const before = await logged('before')
    const answers = await Promise.all(Array.from({ length: 60 }, (_, nth) => get(LIST, `token wrong-${nth}`)))
    const statuses = new Set(answers.map(({ status }) => status))
    // nginx counts in ms: of those that it meets in the same one, it refuses more than twenty with 429.
    statuses.delete(429)
    t.same([...statuses], [401])
    const after = await logged('after')
    const [, between = ''] = plinth.log().split(before)
    t.notMatch(between.split(after)[0], '"event"', 'nginx logs what it refuses, the service does not')
  })

  await t.test('a token that was changed is refused at once', async (t) => {
    const rotating = add('rotating', '--read', 'secret')
    t.equal((await get(LIST, `token ${rotating}`)).status, 200)
    const next = cli('account', 'rotate', 'rotating').trimEnd().split('\n').at(-1) ?? ''
    t.equal((await get(LIST, `token ${rotating}`)).status, 401)
    t.equal((await get(LIST, `token ${next}`)).status, 200)
    cli('account', 'remove', 'rotating')
    t.equal((await get(LIST, `token ${next}`)).status, 401)
  })

  await t.test('a public owner asks nobody', async (t) => {
    const path = '/api/packages/team/generic/tool/1.0/plain'
    t.equal((await ask('PUT', path, { body: 'x' })).status, 201)
    for (const auth of [...spellings(reader), 'Bearer wrong'])
      t.equal((await get(path, auth)).status, 200, auth)
  })

  await t.test('without the service account:token reads on, other spellings are 503', async (t) => {
    await plinth.stopShim()
    t.equal((await get(LIST, basic(`reader:${reader}`))).status, 200)
    t.equal((await get(LIST, AUTH)).status, 200)
    for (const auth of spellings(reader)) {
      const answer = await get(LIST, auth)
      t.equal(answer.status, 503, auth)
      t.match(answer.body, 'account:token is known without it')
      t.equal(answer.headers['retry-after'], '5')
    }
    t.equal((await get(LIST, false)).status, 401)
  })
})
