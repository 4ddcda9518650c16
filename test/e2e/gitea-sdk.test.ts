// Gitea's own SDK for Go against Plinth: it lists, pages, gets and deletes, as scripts written for Gitea do.

import { createHash } from 'node:crypto'
import t from 'tap'
import { buildSdk, callSdk, type SdkResult } from '../support/gitea-sdk.js'
import { TOKEN } from '../support/http.js'
import { startPlinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { simpleModule } from '../support/zips.js'

type Package = { type: string; name: string; version: string; owner: { login: string }; html_url: string }

t.test("Gitea's SDK", needs('nginx', 'go'), async (t) => {
  const built = buildSdk()
  if ('missing' in built) {
    t.comment(`NOT TESTED: the SDK could not be built: ${built.missing}`)
    t.pass('skipped', { skip: `NOT TESTED: Gitea's SDK could not be built: ${built.missing}` })
    return
  }
  const plinth = await startPlinth()
  t.teardown(() => plinth.stop())
  plinth.cli('owner', 'add', 'secret', '--private')
  const as = { url: plinth.url, token: TOKEN }
  for (let minor = 0; minor < 35; minor++)
    await plinth.publish(await simpleModule('example.com/Own/m', `v1.${minor}.0`), 'team')
  for (const owner of ['team', 'secret'])
    await plinth.ask('PUT', `/api/packages/${owner}/generic/tool/1.0/na%20me.bin`, { body: 'content' })

  await t.test('lists all pages', async (t) => {
    const found: Package[] = []
    for (let page: number | undefined = 1, pages = 0; page; pages++) {
      const [result]: SdkResult<Package[]>[] = await callSdk(built.program, as, `list team - - ${page} 10`)
      if (!result || result.error !== undefined || pages > 10) throw new Error(JSON.stringify(result))
      t.equal(result.total, '36')
      found.push(...result.value)
      page = result.next || undefined
    }
    t.equal(found.length, 36)
    t.equal(new Set(found.map(({ name, version }) => `${name} ${version}`)).size, 36)
  })

  await t.test('asks for one type, a name, a version, the latest', async (t) => {
    const [generic, named, versions, version, latest] = await callSdk<Package[] & Package>(
      built.program,
      as,
      'list team generic',
      'list team - own 1 50',
      'versions team go example.com/Own/m',
      'get team go example.com/Own/m v1.7.0',
      'latest team go example.com/Own/m',
    )
    t.match(generic?.value, [{ type: 'generic', name: 'tool', version: '1.0', owner: { login: 'team' } }])
    t.equal(named?.value.length, 35)
    t.equal(versions?.value.length, 30, 'one page')
    t.match(version?.value, { type: 'go', name: 'example.com/Own/m', version: 'v1.7.0' })
    t.match(latest?.value, { version: 'v1.34.0' })
    t.equal((await plinth.get(new URL(version?.value.html_url ?? '').pathname)).status, 200)
  })

  await t.test('files, and who one is', async (t) => {
    const [files, user, owner, org] = await callSdk(
      built.program,
      as,
      'files team generic tool 1.0',
      'user',
      'owner team',
      'org secret',
    )
    const hash = (name: string) => createHash(name).update('content').digest('hex')
    t.match(files?.value, [
      { name: 'na me.bin', size: 7, md5: hash('md5'), sha1: hash('sha1'), sha512: hash('sha512') },
    ])
    t.match(user?.value, { login: 'admin', is_admin: true })
    t.match(owner?.value, { login: 'team' })
    t.match(org?.value, { visibility: 'private' })
  })

  await t.test('errors have the words of the server', async (t) => {
    const [none, anonymous] = [
      await callSdk(built.program, as, 'get team go example.com/Own/m v9.0.0', 'get team dummy x 1'),
      await callSdk(built.program, { url: plinth.url }, 'list secret', 'user', 'list team'),
    ]
    t.match(none, [{ status: 404, error: /no version "v9.0.0"/ }, { status: 404 }])
    t.match(anonymous, [{ status: 401, error: /no such public owner/ }, { status: 401 }, { status: 200 }])
  })

  await t.test('deletes', async (t) => {
    const calls = await callSdk(
      built.program,
      as,
      'delete team go example.com/Own/m v1.34.0',
      'delete team go example.com/Own/m v1.34.0',
      'delete team generic tool 1.0',
      'latest team go example.com/Own/m',
    )
    t.match(calls, [{ status: 204 }, { status: 404 }, { status: 204 }, { value: { version: 'v1.33.0' } }])
    const [left] = await callSdk<Package[]>(built.program, as, 'list team')
    t.equal(left?.total, '34')
  })
})
