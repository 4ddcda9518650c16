// Gitea's management API through nginx. Where Gitea's own tests have a case, the row has the status that they expect.

import { createHash } from 'node:crypto'
import t from 'tap'
import { AUTH, type Asking } from '../support/http.js'
import { startPlinth, type Plinth } from '../support/plinth.js'
import { simpleModule } from '../support/zips.js'

type Json = Record<string, unknown>

const tokenOf = (output: string): string => /[0-9a-f]{40,}|\S{20,}$/m.exec(output)?.[0] ?? ''
const basic = (account: string, token: string): string =>
  `Basic ${Buffer.from(`${account}:${token}`).toString('base64')}`

/** A Plinth with a public owner `team`, a private one `secret`, and accounts with different rights. */
async function furnished() {
  const plinth = await startPlinth()
  plinth.cli('owner', 'add', 'secret', '--private')
  const add = (name: string, ...rights: string[]) =>
    basic(name, tokenOf(plinth.cli('account', 'add', name, ...rights)))
  const who: Record<string, string | false> = {
    nobody: false,
    wrong: basic('reader', 'not-the-token-of-reader'),
    reader: add('reader', '--read', 'secret'),
    writer: add('writer', '--write', 'secret'),
    other: add('other'),
    admin: AUTH,
  }
  const put = async (path: string, body: Buffer | string): Promise<void> => {
    const { status, body: text } = await plinth.ask('PUT', `/api/packages/${path}`, { body })
    if (status !== 201) throw new Error(`${path}: ${status} ${text}`)
  }
  for (const owner of ['team', 'secret']) {
    await put(`${owner}/generic/test-package/1.0.3/file.bin`, '')
    for (const version of ['v1.1.0', 'v1.0.0'])
      await put(`${owner}/go/upload`, await simpleModule('example.com/Own/m', version))
  }
  const api = async (method: string, path: string, asking: Asking = {}) => {
    const { status, headers, body } = await plinth.ask(method, `/api/v1${path}`, asking)
    const json = (body === '' ? undefined : JSON.parse(body)) as Json & Json[]
    return { status, headers, json }
  }
  return { plinth, who, put, api }
}

const MODULE = 'example.com%2FOwn%2Fm'

t.test('it is there for clients of Gitea', async (t) => {
  const { plinth, who, put, api } = await furnished()
  t.teardown(() => plinth.stop())

  await t.test('the status of each request, by who asks', async (t) => {
    const rows: [method: string, path: string, statuses: Record<string, number>][] = [
      ['GET', '/version', { nobody: 200, wrong: 200, other: 200 }],
      ['GET', '/user', { nobody: 401, wrong: 401, other: 200, admin: 200 }],
      ['GET', '/users/team', { nobody: 200, wrong: 401, other: 200 }],
      ['GET', '/orgs', { nobody: 200, wrong: 401, other: 200, admin: 200 }],
      ['GET', '/orgs/team', { nobody: 200, other: 200 }],
      // Gitea: 404 for the organization of others
      ['GET', '/orgs/secret', { nobody: 401, other: 404, reader: 200, admin: 200 }],
      ['GET', '/orgs/no-such-owner', { nobody: 401, other: 404, admin: 404 }],
      // Gitea wants a token for each of these; a public owner can be read without one here
      ['GET', '/packages/team', { nobody: 200, wrong: 401, other: 200, admin: 200 }],
      [
        'GET',
        '/packages/secret',
        { nobody: 401, wrong: 401, other: 404, reader: 200, writer: 200, admin: 200 },
      ],
      ['GET', '/packages/no-such-owner', { nobody: 401, wrong: 401, other: 404, admin: 404 }],
      ['GET', '/packages/team/dummy/test-package/1.0.3', { nobody: 404, admin: 404 }],
      ['GET', '/packages/team/generic/test-package/1.0.3', { nobody: 200, admin: 200 }],
      ['GET', '/packages/team/generic/test-package/1.0.4', { nobody: 404 }],
      ['GET', '/packages/secret/generic/test-package/1.0.3', { nobody: 401, other: 404, reader: 200 }],
      ['GET', '/packages/secret/generic/nothing/1.0.3', { nobody: 401, other: 404, reader: 404 }],
      ['GET', `/packages/team/go/${MODULE}`, { nobody: 200 }],
      ['GET', `/packages/team/go/${MODULE}/v1.0.0`, { nobody: 200 }],
      ['GET', `/packages/team/go/${MODULE}/v9.0.0`, { nobody: 404 }],
      ['GET', `/packages/team/go/${MODULE}/-/latest`, { nobody: 200 }],
      ['GET', '/packages/team/go/example.com%2Fnothing/-/latest', { nobody: 404 }],
      ['GET', '/packages/team/generic/test-package/-/latest', { nobody: 200 }],
      ['GET', '/packages/team/dummy/test-package/1.0.3/files', { nobody: 404 }],
      ['GET', '/packages/team/generic/test-package/1.0.3/files', { nobody: 200 }],
      ['GET', `/packages/team/go/${MODULE}/v1.0.0/files`, { nobody: 200 }],
      ['GET', `/packages/secret/go/${MODULE}/v1.0.0/files`, { nobody: 401, other: 404, reader: 200 }],
      ['DELETE', '/packages/team/generic/test-package/1.0.3', { nobody: 401, wrong: 401, other: 403 }],
      ['DELETE', '/packages/secret/generic/test-package/1.0.3', { nobody: 401, other: 404, reader: 403 }],
      [
        'DELETE',
        '/packages/no-such-owner/generic/test-package/1.0.3',
        { nobody: 401, other: 404, admin: 404 },
      ],
      ['DELETE', '/packages/team/dummy/test-package/1.0.3', { admin: 404 }],
      ['DELETE', '/packages/team/generic/test-package/9', { admin: 404 }],
      ['DELETE', '/packages/team/generic/nothing', { admin: 404 }],
      ['POST', '/packages/team/generic/test-package/-/link/repo', { admin: 404 }],
      ['PUT', '/packages/team', { admin: 405 }],
      ['GET', '/nothing', { nobody: 404 }],
      // what is no name, and what would be a path
      ['GET', '/packages/..', { admin: 404 }],
      ['GET', '/packages/team/go/..%2F..%2Faccess/v1.0.0', { admin: 404 }],
      ['GET', '/packages/team/generic/../1.0.3', { admin: 404 }],
      ['GET', '/packages/team/generic/%2e%2e/1.0.3/files', { admin: 404 }],
      ['GET', '/packages/team/generic/test-package/..%2F..%2F..%2F..%2Faccess/files', { admin: 404 }],
      ['GET', '/packages/team/generic/test-package/%ff', { admin: 400 }],
    ]
    for (const [method, path, statuses] of rows)
      for (const [name, expected] of Object.entries(statuses)) {
        const auth = who[name] as string | false
        const { status, json, headers } = await api(method, path, { auth })
        t.equal(status, expected, `${method} ${path} by ${name}`)
        if (status < 400) continue
        t.match(json, { message: /./, url: /^http:\/\/127\.0\.0\.1:[0-9]+\/api\/v1$/ }, `${path}: ${name}`)
        t.match(headers['content-type'], /^application\/json/)
      }
  })

  await t.test('a private owner is not told from none', async (t) => {
    for (const name of ['nobody', 'wrong', 'other'])
      for (const path of ['', '/generic/test-package', '/generic/test-package/1.0.3/files']) {
        const auth = who[name] as string | false
        const [there, not] = await Promise.all(
          ['secret', 'not-it'].map((owner) => api('GET', `/packages/${owner}${path}`, { auth })),
        )
        const plain = JSON.stringify(there?.json).replaceAll('secret', 'OWNER')
        t.equal(plain, JSON.stringify(not?.json).replaceAll('not-it', 'OWNER'), `${name} ${path}`)
        t.equal(there?.status, not?.status)
      }
  })

  await t.test('the owners that one may read, page by page', async (t) => {
    const seen = async (name: string, query = '') => {
      const { json, headers } = await api('GET', `/orgs${query}`, { auth: who[name] as string | false })
      return { names: json.map(({ username }) => username), total: headers['x-total-count'] }
    }
    const everybody = { names: ['admin', 'team'], total: '2' }
    t.same(await seen('nobody'), everybody)
    t.same(await seen('other'), everybody)
    for (const name of ['reader', 'writer', 'admin'])
      t.same(await seen(name), { names: ['admin', 'secret', 'team'], total: '3' }, name)
    t.same(await seen('admin', '?limit=2'), { names: ['admin', 'secret'], total: '3' })
    t.same(await seen('admin', '?limit=2&page=2'), { names: ['team'], total: '3' })
    t.same(await seen('admin', '?limit=2&page=9'), { names: [], total: '3' })
  })

  await t.test('lists: one entry for each version, the newest first', async (t) => {
    const { json, headers } = await api('GET', '/packages/team')
    t.same(
      json.map(({ type, name, version }) => `${String(type)} ${String(name)} ${String(version)}`).sort(),
      ['generic test-package 1.0.3', 'go example.com/Own/m v1.0.0', 'go example.com/Own/m v1.1.0'],
    )
    const times = json.map((at) => String(at['created_at']))
    t.same(times, times.toSorted().toReversed())
    t.equal(headers['x-total-count'], '3')
    t.equal(headers['link'], undefined)
    const newest = json.find(({ version }) => version === 'v1.0.0')
    t.match(newest, {
      id: Number,
      owner: { login: 'team', id: Number, visibility: 'public' },
      repository: null,
      creator: { login: 'team' },
      html_url: `${plinth.url}/team/go/example.com/!own/m@v1.0.0`,
      created_at: /^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z$/,
    })
    const page = await plinth.get(new URL(String(newest?.['html_url'])).pathname)
    t.equal(page.status, 200, 'the page is there')
    const ids = json.map(({ id }) => id)
    t.equal(new Set(ids).size, 3)
    const again = await api('GET', '/packages/team')
    t.same(
      again.json.map(({ id }) => id),
      ids,
      'numbers stay',
    )
  })

  await t.test('by type, by a part of the name, page by page', async (t) => {
    const names = async (path: string) => {
      const { status, json, headers } = await api('GET', path)
      t.equal(status, 200, path)
      return {
        count: headers['x-total-count'],
        link: headers['link'],
        found: json.map(({ version }) => version).sort(),
      }
    }
    t.same((await names('/packages/team?type=generic')).found, ['1.0.3'])
    t.same((await names('/packages/team?type=dummy')).found, [])
    t.same((await names('/packages/team?q=OWN')).found, ['v1.0.0', 'v1.1.0'])
    t.same((await names('/packages/team?q=own&type=generic')).found, [])
    t.same((await names(`/packages/team/go/${MODULE}`)).found, ['v1.0.0', 'v1.1.0'])
    t.same((await names('/packages/team/go/example.com%2Fnothing')).found, [])
    const first = await names('/packages/team?limit=2')
    t.equal(first.found.length, 2)
    t.equal(first.count, '3')
    const at = `${plinth.url}/api/v1/packages/team?page=2&limit=2`
    t.equal(first.link, `<${at}>; rel="next",<${at}>; rel="last"`)
    const second = await names('/packages/team?limit=2&page=2')
    t.same([...first.found, ...second.found].sort(), ['1.0.3', 'v1.0.0', 'v1.1.0'])
    t.same((await names('/packages/team?limit=2&page=3')).found, [])
  })

  await t.test('files have the hashes that Gitea tells', async (t) => {
    const { json } = await api('GET', '/packages/team/generic/test-package/1.0.3/files')
    t.match(json, [
      {
        id: Number,
        size: 0,
        Size: 0,
        name: 'file.bin',
        md5: 'd41d8cd98f00b204e9800998ecf8427e',
        sha1: 'da39a3ee5e6b4b0d3255bfef95601890afd80709',
        sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
        sha512:
          'cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce' +
          '47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e',
      },
    ])
    const zip = await simpleModule('example.com/Own/m', 'v1.0.0')
    const ofModule = await api('GET', `/packages/team/go/${MODULE}/v1.0.0/files`)
    t.match(ofModule.json, [
      {
        name: 'v1.0.0.zip',
        size: zip.length,
        md5: createHash('md5').update(zip).digest('hex'),
        sha512: createHash('sha512').update(zip).digest('hex'),
      },
    ])
  })

  await t.test('the latest is the one that go and -/latest choose', async (t) => {
    const ofModule = await api('GET', `/packages/team/go/${MODULE}/-/latest`)
    t.equal(ofModule.json['version'], 'v1.1.0', 'not the newest upload')
    const ofFiles = await api('GET', '/packages/team/generic/test-package/-/latest')
    t.equal(ofFiles.json['version'], '1.0.3')
  })

  await t.test('hosts and queries that are none of ours', async (t) => {
    for (const host of ['a:99999', '[::', 'x y', 'a'.repeat(300), '*']) {
      const { status, body } = await plinth.ask('GET', '/api/v1/packages/team', {
        auth: false,
        headers: { host },
      })
      t.ok(status === 200 || status === 400, `${host}: ${status}`)
      if (status !== 200) continue // nginx's own answer
      t.ok((JSON.parse(body) as Json[]).every((at) => URL.canParse(String(at['html_url']))))
    }
    const q = (length: number) => `/packages/team?limit=1&page=2&q=${encodeURIComponent('ö'.repeat(length))}`
    t.equal((await api('GET', q(300))).status, 200)
    t.equal((await api('GET', q(301))).status, 400)
    const { status, headers } = await api('GET', `/packages/team?limit=1&page=2&x=${'y'.repeat(6000)}`)
    t.equal(status, 200)
    t.notMatch(headers['link'], 'yyy')
  })

  await t.test('every spelling of a token is taken', async (t) => {
    const token = tokenOf(plinth.cli('account', 'add', 'speller', '--read', 'secret'))
    for (const auth of [basic('speller', token), basic(token, ''), `token ${token}`, `Bearer ${token}`])
      t.equal((await api('GET', '/user', { auth })).json['login'], 'speller', auth.slice(0, 8))
  })

  await t.test('a version and a whole package are deleted', async (t) => {
    await put('team/generic/gone/1/a', 'a')
    await put('team/generic/gone/2/a', 'a')
    await put('team/generic/gone/3/a', 'a')
    const auth = AUTH
    t.equal((await api('DELETE', '/packages/team/generic/gone/2', { auth })).status, 204)
    t.equal((await api('DELETE', '/packages/team/generic/gone/2', { auth })).status, 404)
    const left = await api('GET', '/packages/team/generic/gone')
    t.same(left.json.map(({ version }) => version).sort(), ['1', '3'])
    t.equal((await api('DELETE', '/packages/team/generic/gone', { auth })).status, 204)
    t.equal((await api('DELETE', '/packages/team/generic/gone', { auth })).status, 404)
    t.equal((await api('GET', '/packages/team/generic/gone')).json.length, 0)
    const writer = who['writer'] as string
    t.equal((await api('DELETE', `/packages/secret/go/${MODULE}`, { auth: writer })).status, 204)
    t.equal(
      (await plinth.ask('GET', '/api/packages/secret/go/example.com/!own/m/@v/list', { auth })).status,
      404,
    )
    t.match(
      plinth.log(),
      /"method":"DELETE","path":"\/api\/v1\/packages\/secret[^"]*","status":204,"account":"writer"/,
    )
  })
})

t.test('without the service the API says so, and reads go on', async (t) => {
  const { plinth, api } = await furnished()
  t.teardown(() => plinth.stop())
  await plinth.stopShim()
  const { status, json, headers } = await api('GET', '/packages/team')
  t.equal(status, 503)
  t.match(json, { message: /not running/ })
  t.equal(headers['retry-after'], '5')
  t.equal((await plinth.get('/api/packages/team/go/example.com/!own/m/@v/list')).status, 200)
})

t.test('one address cannot ask without end', async (t) => {
  const plinth = await startPlinth({ PLINTH_API_RATE: '1' })
  t.teardown(() => plinth.stop())
  const statuses = await manyAnswers(plinth, 300)
  t.ok(statuses.includes(429), 'more than wait are refused')
  t.ok(statuses.includes(200))
})

/** The statuses of those of many requests at once that are answered first. */
async function manyAnswers(plinth: Plinth, count: number): Promise<number[]> {
  const answered: number[] = []
  const enough = new Promise<void>((resolve) => {
    for (let nth = 0; nth < count; nth++)
      void plinth.ask('GET', '/api/v1/version', { auth: false }).then(
        ({ status }) => {
          answered.push(status)
          if (answered.includes(429) && answered.includes(200)) resolve()
        },
        () => {},
      )
  })
  await enough
  return answered
}

t.test('below a path prefix links stay below it', async (t) => {
  const plinth = await startPlinth({ PLINTH_PUBLIC_URL: 'https://corp.example/plinth' })
  t.teardown(() => plinth.stop())
  for (const version of ['1', '2'])
    await plinth.ask('PUT', `/api/packages/team/generic/tool/${version}/x`, { body: 'x' })
  const { headers, body } = await plinth.ask('GET', '/api/v1/packages/team?limit=1', { auth: false })
  t.match(headers['link'], '<https://corp.example/plinth/api/v1/packages/team?page=2&limit=1>; rel="next"')
  t.match(JSON.parse(body), [{ html_url: /^https:\/\/corp\.example\/plinth\/team\/generic\/tool\// }])
})
