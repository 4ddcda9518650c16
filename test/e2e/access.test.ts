// Who may read and write what, asked of the service and nginx together.

import { execFile, execFileSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { addAccount, changeAccount, removeAccount } from '../../src/access/accounts.js'
import { setOwner } from '../../src/access/owners.js'
import { rotateLogFiles } from '../../src/nginx/log-files.js'
import { Store } from '../../src/store/store.js'
import { CLI, plainNode } from '../support/cli.js'
import { AUTH, TOKEN } from '../support/http.js'
import { startPlinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { until } from '../support/until.js'

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`
const file = (owner: string, name = 'file'): string => `/api/packages/${owner}/generic/p/1/${name}`
/** What `account add` and `account rotate` print last. */
const tokenOf = (output: string): string => output.trimEnd().split('\n').at(-1) ?? ''

t.test('accounts and owners', needs('nginx'), async (t) => {
  const plinth = await startPlinth()
  t.teardown(plinth.stop)
  const { ask, cli, data } = plinth
  const store = new Store(data)
  const get = async (owner: string, auth: string | false, name = 'file'): Promise<number> =>
    (await ask('GET', file(owner, name), { auth })).status

  cli('owner', 'add', 'private', '--private')
  cli('owner', 'add', 'other', '--private')
  for (const owner of ['team', 'private', 'other'])
    t.equal((await ask('PUT', file(owner), { body: owner })).status, 201)
  const tokens: Record<string, string> = {
    admin: TOKEN,
    reader: tokenOf(cli('account', 'add', 'reader', '--read', 'private')),
    writer: tokenOf(cli('account', 'add', 'writer', '--write', 'private', '--write', 'team')),
    other: tokenOf(cli('account', 'add', 'other', '--write', 'other', '--read', 'team')),
    nothing: tokenOf(cli('account', 'add', 'nothing')),
    expired: tokenOf(cli('account', 'add', 'expired', '--admin', '--expires', '90d')),
    removed: tokenOf(cli('account', 'add', 'removed', '--admin')),
  }
  await changeAccount(store, 'expired', { expires: new Date(Date.now() - 1).toISOString() })
  cli('account', 'remove', 'removed')

  await t.test('account × owner × method × spelling of credentials', async (t) => {
    const closed = [401, 401, 401, 401, 401]
    const readable = [200, 200, 404, 401, 401]
    const writable = [200, 200, 404, 201, 404]
    // [account, owner]: GET and HEAD of what is there, GET of what is not, PUT, DELETE of what is not
    const table: [account: string, owner: string, statuses: number[]][] = [
      ['anonymous', 'team', readable],
      ['anonymous', 'private', closed],
      ['anonymous', 'undeclared', closed],
      ['reader', 'team', readable],
      ['reader', 'private', readable],
      ['reader', 'other', closed],
      ['reader', 'undeclared', closed],
      ['writer', 'team', writable],
      ['writer', 'private', writable],
      ['writer', 'other', closed],
      ['writer', 'undeclared', closed],
      ['other', 'team', readable],
      ['other', 'private', closed],
      ['other', 'other', writable],
      ['nothing', 'team', readable],
      ['nothing', 'private', closed],
      ['nothing', 'undeclared', closed],
      ['admin', 'team', writable],
      ['admin', 'private', writable],
      ['admin', 'other', writable],
      ['admin', 'undeclared', [401, 401, 401, 404, 404]], // who could write to it is told that it is not declared
      ['expired', 'team', readable],
      ['expired', 'private', closed],
      ['removed', 'team', readable],
      ['removed', 'private', closed],
      ['wrong token', 'team', readable],
      ['wrong token', 'private', closed],
      ['wrong token', 'undeclared', closed],
      ["another's token", 'team', readable],
      ["another's token", 'private', closed],
    ]
    const pair = (account: string): [name: string, token: string] => {
      if (account === 'wrong token') return ['writer', 'plinth_wrong']
      if (account === "another's token") return ['reader', tokens['writer'] ?? '']
      return [account, tokens[account] ?? '']
    }
    let files = 0
    for (const [account, owner, statuses] of table) {
      const [name, token] = pair(account)
      const withName = basic(`${name}:${token}`)
      const withoutName = [
        basic(`${token}:`),
        basic(`${token}:x-oauth-basic`),
        basic(`oauth2:${token}`),
        `token ${token}`,
        `Bearer ${token}`,
      ]
      const spellings: [auth: string | false, statuses: number[]][] = [
        [account === 'anonymous' ? false : withName, statuses],
        ...(account === 'anonymous' || account === "another's token" ? [] : withoutName).map(
          (auth): [string, number[]] => [auth, statuses],
        ),
      ]
      for (const [auth, expected] of spellings) {
        const found = [
          await get(owner, auth),
          (await ask('HEAD', file(owner), { auth })).status,
          await get(owner, auth, 'missing'),
          (await ask('PUT', file(owner, `new${++files}`), { auth, body: 'x' })).status,
          (await ask('DELETE', file(owner, 'missing'), { auth })).status,
        ]
        t.same(found, expected, `${account} at ${owner} as ${String(auth).slice(0, 9)}…`)
      }
    }
  })

  await t.test('a private and an undeclared owner answer alike, whatever is asked for', async (t) => {
    const paths = [
      '',
      '/',
      '/go',
      '/go/',
      '/go/x.y/m/@v/list',
      '/go/x.y/m/@latest',
      '/generic/p',
      '/generic/p/1/',
    ]
    paths.push('/generic/p/1/file', '/npm/x', '/go/sumdb/sum.example.org/supported', '/generic/p//1/file')
    for (const auth of [
      false,
      basic('nothing:x'),
      basic(`nothing:${tokens['nothing']}`),
      'Bearer x',
    ] as const) {
      for (const path of paths) {
        const [mine, nobodys] = await Promise.all(
          ['private', 'undeclared'].map((owner) => ask('GET', `/api/packages/${owner}${path}`, { auth })),
        )
        t.equal(mine?.status, 401, path)
        t.same(
          { ...mine?.headers, date: '', connection: '', 'x-request-id': '' },
          { ...nobodys?.headers, date: '', connection: '', 'x-request-id': '' },
        )
        t.equal(mine?.body, nobodys?.body)
        t.match(mine?.headers['www-authenticate'], /^Basic realm="plinth"$/)
        t.match(mine?.headers['content-type'], /^text\/plain/)
      }
    }
  })

  await t.test('a rotated token is dead at once, for reading and writing', async (t) => {
    const old = basic(`writer:${tokens['writer']}`)
    const answer = JSON.parse(cli('account', 'rotate', 'writer', '--json')) as {
      token: string
      write: string[]
    }
    t.same(answer.write, ['private', 'team'], 'its rights stay')
    t.equal(await get('private', old), 401)
    t.equal((await ask('PUT', file('private', 'rotated'), { auth: old, body: 'x' })).status, 401)
    tokens['writer'] = answer.token
    const now = basic(`writer:${answer.token}`)
    t.equal(await get('private', now), 200)
    t.equal((await ask('PUT', file('private', 'rotated'), { auth: now, body: 'x' })).status, 201)
  })

  await t.test('rights that are given or taken count with the next request', async (t) => {
    const auth = basic(`nothing:${tokens['nothing']}`)
    const put = async (): Promise<number> =>
      (await ask('PUT', file('private', `given${Math.random()}`), { auth, body: 'x' })).status
    cli('account', 'set', 'nothing', '--read', 'private')
    t.same([await get('private', auth), await put()], [200, 401])
    cli('account', 'set', 'nothing', '--write', 'private')
    t.same([await get('private', auth), await put()], [200, 201])
    cli('account', 'set', 'nothing', '--expires', '1h')
    t.same([await get('private', auth), await put()], [200, 201], 'another expiry leaves the rights')
    cli('account', 'set', 'nothing', '--none')
    t.same([await get('private', auth), await put()], [401, 401])
  })

  await t.test('an account that expires while the service runs stops reading by itself', async (t) => {
    const token = tokenOf(cli('account', 'add', 'brief', '--write', 'private'))
    const auth = basic(`brief:${token}`)
    t.equal(await get('private', auth), 200)
    const expires = Date.now() + 1500
    await changeAccount(store, 'brief', { expires: new Date(expires).toISOString() })
    while ((await get('private', auth)) === 200) {
      if (Date.now() > expires + 60_000) {
        t.fail('still reading a minute later')
        break
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    t.ok(Date.now() >= expires, 'and not before')
    t.equal((await ask('PUT', file('private', 'late'), { auth, body: 'x' })).status, 401)
    t.notMatch(readFileSync(join(data, 'access/readers/private'), 'utf8'), 'brief')
  })

  await t.test('a change that was cut off before nginx was told is completed by the service', async (t) => {
    const path = 'access/accounts/nothing.json'
    const good = readFileSync(join(data, path), 'utf8')
    await store.write(path, good.replace('"read":[]', '"read":["private"]'), { secret: true })
    const auth = basic(`nothing:${tokens['nothing']}`)
    await until(async () => (await get('private', auth)) === 200, 50)
    await store.remove(path)
    await until(async () => (await get('private', auth)) === 401, 50)
    await store.write(path, good, { secret: true })
    t.equal((await ask('PUT', file('private', 'cut'), { auth, body: 'x' })).status, 401)
  })

  await t.test('public to private and back under load: no request is answered wrongly', async (t) => {
    // isPublic: undefined while it is being changed; epoch: how often it was; seen: answers since
    const now: { isPublic: boolean | undefined; epoch: number; seen: number; stopped: boolean } = {
      isPublic: true,
      epoch: 0,
      seen: 0,
      stopped: false,
    }
    const change = (isPublic: boolean | undefined): void =>
      void Object.assign(now, { isPublic, epoch: now.epoch + 1, seen: 0 })
    const wrong: string[] = []
    const reader = async (name: string): Promise<void> => {
      while (!now.stopped) {
        const { isPublic, epoch } = now
        const status = await get('team', false, name)
        if (status !== (name === 'file' ? 200 : 404) && status !== 401) wrong.push(`${name}: ${status}`)
        if (epoch !== now.epoch || isPublic === undefined) continue
        now.seen++
        if ((status === 401) === isPublic)
          wrong.push(`${name}: ${status} while ${isPublic ? 'public' : 'private'}`)
      }
    }
    // A command that this process waits for would keep the requests back, and nginx closes a connection that says nothing.
    const aside = (...words: string[]): Promise<unknown> => {
      const [program, args] = plainNode(CLI, ...words)
      return promisify(execFile)(program, args, { env: { ...process.env, PLINTH_DATA: data } })
    }
    const readers = ['file', 'file', 'file', 'missing'].map(reader)
    for (let round = 0; round < 20; round++) {
      const next = round % 2 === 1
      change(undefined)
      if (round < 2) await aside('owner', 'set', 'team', next ? '--public' : '--private')
      else await setOwner(store, { name: 'team', public: next })
      change(next)
      while (now.seen < 30) await new Promise((resolve) => setImmediate(resolve))
    }
    now.stopped = true
    await Promise.all(readers)
    t.same(wrong, [])
    t.equal(await get('team', false), 200)
  })

  const mended = async (t: Test, what: string): Promise<void> => {
    t.equal(await get('private', AUTH), 200, `${what}: mended for who may read`)
    t.equal(await get('private', false), 401, `${what}: closed for others`)
    t.equal(await get('team', false), 200, `${what}: public again`)
  }
  const restart = async (): Promise<void> => {
    await plinth.stopShim()
    await plinth.startShim()
  }

  await t.test('a derived file that is lost or damaged closes, and the next start mends it', async (t) => {
    await restart() // a running service that has just seen a change would derive once more
    const readers = join(data, 'access/readers/private')
    const marker = join(data, 'access/public/team')
    const good = readFileSync(readers, 'utf8')
    const hash = /^admin:(.*)$/m.exec(good)?.[1] ?? ''
    const instead = (text: string | Buffer) => (): void => {
      rmSync(readers)
      writeFileSync(readers, text)
      chmodSync(readers, 0o644)
    }
    const damage: [what: string, harm: () => void][] = [
      ['deleted', () => rmSync(readers)],
      ['empty', instead('')],
      ['cut off', instead(good.slice(0, 20))],
      ['no hash', instead('admin:\n')],
      ['no colon', instead('admin\n')],
      ['half a hash', instead(`admin:${hash.slice(0, 30)}\n`)],
      ['a scheme without a hash', instead('admin:{SSHA}\n')],
      ['another hash', instead(`admin:${hash.replace(/.{8}$/, 'AAAAAAAA')}\n`)],
      ['noise', instead(Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 256)))],
      ['one long line', instead('x'.repeat(100_000))],
      [
        'a folder',
        () => {
          rmSync(readers)
          mkdirSync(readers)
        },
      ],
    ]
    if (process.getuid?.() === 0) damage.push(['unreadable', () => chmodSync(readers, 0)])
    for (const [what, harm] of damage) {
      harm()
      for (const auth of [AUTH, basic('admin:'), basic('admin:wrong'), basic(':'), false] as const) {
        const status = await get('private', auth)
        t.ok([401, 500].includes(status), `${what}: ${status}`)
      }
      if (what === 'deleted' || what === 'a folder') {
        await restart()
        await mended(t, what)
      } else {
        cli('access', 'rebuild')
        await mended(t, what)
      }
    }
    rmSync(marker)
    t.equal(await get('team', false), 401, 'no marker')
    t.equal(await get('team', AUTH), 200, 'accounts with the right still read')
    mkdirSync(marker)
    t.equal(await get('team', false), 401, 'a folder is no marker')
    await restart()
    await mended(t, 'marker')
    rmSync(marker)
    writeFileSync(marker, '')
    t.equal(await get('team', false), 401, 'a file is no marker: it was one in earlier versions')
    await restart()
    await mended(t, 'a file as marker')
    rmSync(marker)
    symlinkSync('../../tree/api/packages/other', marker)
    await restart()
    t.equal(readlinkSync(marker), '../../tree/api/packages/team', 'it leads to its own owner')
    symlinkSync('../../tree/api/packages/private', join(data, 'access/public/private'))
    writeFileSync(join(data, 'access/readers/nobody'), good)
    await restart()
    await mended(t, 'what the truth does not say')
    t.notOk(readdirSync(join(data, 'access/readers')).includes('nobody'))
  })

  await t.test(
    'a public owner whose folder a copy of the tree took away is not found again soon',
    async (t) => {
      cli('owner', 'add', 'empty')
      t.equal(await get('empty', false), 404)
      rmSync(join(data, 'tree/api/packages/empty'), { recursive: true })
      const end = Date.now() + 60_000
      while ((await get('empty', false)) !== 404 && Date.now() < end)
        await new Promise((resolve) => setTimeout(resolve, 50))
      t.equal(await get('empty', false), 404)
      cli('owner', 'remove', 'empty')
      t.equal(await get('empty', false), 401)
    },
  )

  await t.test('what lies beside the registries of a public owner is not served', async (t) => {
    const stray = join(data, 'tree/api/packages/team/npm')
    mkdirSync(stray)
    writeFileSync(join(stray, 'x'), 'x')
    for (const auth of [false, AUTH] as const)
      for (const path of ['/npm/x', '/npm', '/npm/', '/'])
        t.equal((await ask('GET', `/api/packages/team${path}`, { auth })).status, 404, path)
    rmSync(stray, { recursive: true })
  })

  await t.test('an account that is named as nothing is an account', async (t) => {
    const token = tokenOf(cli('account', 'add', '0', '--read', 'private'))
    t.equal(await get('private', basic(`0:${token}`)), 200)
    t.equal(await get('private', basic(`:${token}`)), 200, 'the token alone, with no name')
    t.equal(await get('private', basic(':wrong')), 401)
    t.equal(await get('team', basic('0:wrong')), 200)
    cli('account', 'remove', '0')
  })

  await t.test('a damaged account or owner is closed, and stays so', async (t) => {
    const account = join(data, 'access/accounts/reader.json')
    const auth = basic(`reader:${tokens['reader']}`)
    t.equal(await get('private', auth), 200)
    writeFileSync(account, readFileSync(account, 'utf8').slice(0, 50))
    cli('access', 'rebuild')
    t.equal(await get('private', auth), 401)
    t.throws(() => cli('account', 'rotate', 'reader'), {
      message: /damaged: remove the account and add it again/,
    })
    cli('account', 'remove', 'reader')
    const owner = join(data, 'access/owners/team.json')
    const good = readFileSync(owner)
    writeFileSync(owner, '{"public":tru')
    await restart()
    t.equal(await get('team', false), 401)
    t.equal(await get('team', AUTH), 200)
    writeFileSync(owner, good)
    await restart()
    t.equal(await get('team', false), 200)
  })

  await t.test('with the service down nginx goes on checking', async (t) => {
    await plinth.stopShim('SIGKILL')
    t.same(
      [await get('private', false), await get('private', AUTH), await get('team', false)],
      [401, 200, 200],
    )
    cli('owner', 'set', 'team', '--private')
    t.equal(await get('team', false), 401, 'and commands take effect')
    cli('owner', 'set', 'team', '--public')
    await plinth.startShim()
  })

  await t.test('nothing of accounts is served, or readable for other users of the machine', async (t) => {
    for (const path of ['access/readers/private', 'access/accounts/admin.json', 'state/nginx/refused.log']) {
      for (const prefix of [
        '/',
        '/../',
        '/%2e%2e/',
        '/api/packages/team/../../../../',
        '/api/packages/team/go/..%2f..%2f..%2f..%2f..%2f',
      ])
        t.not((await ask('GET', `${prefix}${path}`, { auth: AUTH })).status, 200, `${prefix}${path}`)
    }
    for (const path of [
      'access/readers',
      'access/readers/private',
      'access/accounts',
      'access/accounts/admin.json',
    ])
      t.equal(statSync(join(data, path)).mode & 0o007, 0, path)
  })

  await t.test("a private owner's folder admits the service and nginx alone", async (t) => {
    const tree = join(data, 'tree/api/packages')
    const modeOf = (owner: string): string => (statSync(join(tree, owner)).mode & 0o777).toString(8)
    const workers = statSync(join(data, 'access/readers'))
    const shut = process.getuid?.() === 0 ? '750' : '700'
    const closed = async (t: Test, owner: string, what: string): Promise<void> => {
      t.equal(modeOf(owner), shut, what)
      t.equal(statSync(join(tree, owner)).gid, workers.gid, what)
      t.equal(await get(owner, AUTH), 200, `${what}: nginx can enter it`)
    }
    await closed(t, 'private', 'one that was added as private')
    t.equal(modeOf('team'), '755')
    cli('owner', 'set', 'team', '--private')
    await closed(t, 'team', 'one that became private')
    cli('owner', 'set', 'team', '--public')
    t.equal(modeOf('team'), '755', 'and public again')

    cli('owner', 'add', 'hidden', '--private')
    t.equal(modeOf('hidden'), shut, 'before anything is in it')
    t.equal((await ask('PUT', file('hidden'), { body: 'x' })).status, 201)
    await closed(t, 'hidden', 'an upload leaves it so')

    // what an older version or a copy of a tree left
    chmodSync(join(tree, 'private'), 0o755)
    mkdirSync(join(tree, 'stranger'))
    await until(() => modeOf('stranger') === shut, 50) // nobody declared it
    await restart() // the service may still be at it
    chmodSync(join(tree, 'private'), 0o755)
    chmodSync(join(tree, 'team'), 0o700)
    const { stdout } = plinth.run('verify')
    t.match(stdout, /tree\/api\/packages\/private: it must admit the service's user and nginx alone/)
    t.match(
      stdout,
      /tree\/api\/packages\/team: some users of this machine cannot enter it: its owner is public/,
    )
    plinth.run('rebuild')
    await closed(t, 'private', 'rebuild closes it')
    t.equal(modeOf('team'), '755', 'and opens what is public')
    chmodSync(join(tree, 'private'), 0o755)
    await restart()
    await closed(t, 'private', 'so does a start')
    rmSync(join(tree, 'stranger'), { recursive: true })
    cli('owner', 'remove', 'hidden', '--with-packages', '--yes')
  })

  await t.test('the log of refused reads is short, small, and for few eyes', async (t) => {
    const log = join(data, 'state/nginx/refused.log')
    const wrong = basic('admin:wrong')
    const lines = (): string[] => readFileSync(log, 'utf8').split('\n').slice(0, -1)
    const last = (): Record<string, unknown> => JSON.parse(lines().at(-1) ?? '') as Record<string, unknown>
    const logged = async (path: string): Promise<unknown> => {
      const { length } = lines()
      t.equal((await ask('GET', `/${path}`, { auth: wrong })).status, 401)
      await until(() => lines().length > length) // nginx writes it behind the answer
      return last()['path']
    }
    const start = 'api/packages/private/generic/'
    const fill = 'x'.repeat(256 - start.length - 1)
    t.equal(await logged(start + fill), `/${start}${fill}`, '256 characters are whole')
    t.equal(await logged(`${start}${fill}y`), `/${start}${fill}…`)
    t.equal(await logged(start + 'z'.repeat(14_000)), `/${start}${'z'.repeat(fill.length)}…`)
    t.equal(await logged(`${start}%0A${'z'.repeat(14_000)}`), `/${start}\n${'z'.repeat(fill.length - 1)}…`)
    t.equal(
      await logged(start + '%E2%82%AC'.repeat(400)),
      `/${start}${'€'.repeat(75)}…`,
      'no character is cut',
    )
    await logged(start + '%80'.repeat(4000))
    const written = readFileSync(log)
    t.ok(written.subarray(written.lastIndexOf('\n', -2)).length < 1000, 'nor is one that is none left whole')

    const pid = Number(readFileSync(join(data, 'state/nginx/nginx.pid'), 'utf8'))
    const size = statSync(log).size
    rotateLogFiles([{ path: log, most: size + 1 }], pid)
    t.equal(statSync(log).size, size, 'a small log stays')
    for (const round of [1, 2]) {
      rotateLogFiles([{ path: log, most: 1 }], pid)
      await until(async () => {
        await ask('GET', file('private', `round${round}`), { auth: wrong })
        return statSync(log).size > 0
      })
      t.equal(last()['path'], file('private', `round${round}`))
    }
    t.match(readFileSync(`${log}.1`, 'utf8'), 'round1', 'one older log is kept')
    for (const path of [log, `${log}.1`]) t.equal(statSync(path).mode & 0o777, 0o640, path)
    rmSync(log)
    rotateLogFiles([{ path: log, most: 1 }], pid)
    t.equal(statSync(log).mode & 0o777, 0o640, 'one that is missing is made again')
  })

  await t.test('a log line of the service is short', async (t) => {
    const path = `/api/packages/${'a/'.repeat(6000)}`
    t.equal((await ask('PUT', path, { auth: basic(`${'n'.repeat(3000)}:wrong`), body: 'x' })).status, 404)
    const whole = /^.*\/a\/a\/a\/.*(?=\n)/m
    await until(() => whole.test(plinth.log()))
    const [line = ''] = whole.exec(plinth.log()) ?? []
    t.ok(line.length < 1500, `${line.length} characters`)
    t.match(JSON.parse(line), { path: `${path.slice(0, 256)}…` })
  })

  await t.test('no log and no process list has a token in it', async (t) => {
    const secrets = [...Object.values(tokens), AUTH.slice('Basic '.length)]
    await ask('PUT', file('team', 'logged'), { auth: basic(`${TOKEN}:mistaken`), body: 'x' })
    await ask('GET', `${file('private')}?token=${TOKEN}`, { auth: basic(`${TOKEN}:mistaken`) })
    await plinth.stopShim()
    await ask('PUT', `${file('team', 'logged')}?token=${TOKEN}`, { body: 'x' })
    await plinth.startShim()
    const refused = (): string[] =>
      readFileSync(join(data, 'state/nginx/refused.log'), 'utf8').split('\n').slice(0, -1)
    await until(
      () =>
        refused()
          .at(-1)
          ?.includes(`"${file('private')}"`) === true,
    ) // nginx writes it behind the answer
    const logs = plinth.log() + refused().join('\n')
    const processes = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
    for (const secret of secrets) {
      t.notOk(logs.includes(secret), 'the logs')
      t.notOk(processes.includes(secret), 'the process list')
    }
    t.notMatch(logs, /authorization/i)
    const lines = plinth
      .log()
      .split('\n')
      .filter((line) => line.includes('"event":"request"'))
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    const one = (wanted: Record<string, unknown>): boolean =>
      t.ok(
        lines.some((line) => Object.entries(wanted).every(([name, value]) => line[name] === value)),
        JSON.stringify(wanted),
      )
    const from = { address: '127.0.0.1', method: 'PUT' }
    one({ ...from, account: 'writer', path: file('private', 'rotated'), status: 201, bytes: 1 })
    one({ ...from, claimed: 'writer', status: 401, reason: 'wrong credentials: no account has this token' })
    one({ ...from, account: 'other', status: 401, reason: 'account other may not write here' })
    for (const line of lines) t.type(line['ms'], 'number')
    t.match(JSON.parse(refused().at(-1) ?? ''), {
      event: 'refused',
      method: 'GET',
      path: file('private'),
      status: 401,
      address: '127.0.0.1',
    })
  })

  await t.test('an owner goes with its rights, and with packages only when that is said', async (t) => {
    t.throws(() => cli('owner', 'remove', 'other'), { message: /holds packages/ })
    t.throws(() => cli('owner', 'remove', 'other', '--with-packages'), {
      message: /no terminal to ask on: say --yes/,
    })
    const auth = basic(`other:${tokens['other']}`)
    t.equal(await get('other', auth), 200, 'a refusal changes nothing')
    cli('owner', 'remove', 'other', '--with-packages', '--yes')
    t.equal(await get('other', auth), 401)
    t.equal((await ask('PUT', file('other'), { auth, body: 'x' })).status, 401)
    cli('verify', '--owner', 'other') // throws when it finds fault: nothing was lost
    cli('owner', 'add', 'other')
    t.equal(await get('other', false), 404, 'its packages are gone')
    t.equal(
      (await ask('PUT', file('other'), { auth, body: 'x' })).status,
      401,
      'and nobody has a right to it',
    )
    t.equal((await ask('PUT', file('other'), { body: 'x' })).status, 201)
  })

  await t.test('changes at the same time do not undo each other', async (t) => {
    const names = Array.from({ length: 8 }, (_, i) => `many${i}`)
    const stores = names.map(() => new Store(data)) // as many processes would have
    const rights = { admin: false, read: [], write: ['private'] }
    await Promise.all(
      names.map((name, i) => addAccount(stores[i] ?? store, name, `token-of-${name}`, rights)),
    )
    await Promise.all(
      names.map((name, i) =>
        i % 2 === 0
          ? removeAccount(stores[i] ?? store, name)
          : Promise.all([
              changeAccount(stores[i] ?? store, name, { token: `new-token-of-${name}` }),
              changeAccount(store, name, { rights: { admin: false, read: ['private'], write: [] } }),
            ]),
      ),
    )
    for (const [i, name] of names.entries()) {
      t.equal(await get('private', basic(`${name}:token-of-${name}`)), 401)
      t.equal(await get('private', basic(`${name}:new-token-of-${name}`)), i % 2 === 0 ? 401 : 200)
    }
  })
})

t.test('wrong credentials are slowed, right ones are not', needs('nginx'), async (t) => {
  const plinth = await startPlinth({ PLINTH_FAILED_LOGINS: '5' })
  t.teardown(plinth.stop)
  plinth.cli('owner', 'add', 'private', '--private')
  t.equal((await plinth.ask('PUT', file('private'), { body: 'x' })).status, 201)
  for (const method of ['GET', 'PUT']) {
    const wrong = Array.from({ length: 200 }, () =>
      plinth.ask(method, file('private'), { auth: basic('admin:wrong'), body: '' }),
    )
    const right = Array.from({ length: 50 }, async (_, i) => {
      const [read, written, anonymous] = await Promise.all([
        plinth.ask('GET', file('private'), { auth: AUTH }),
        plinth.ask('PUT', file('private', `${method}${i}`), { body: 'x' }),
        plinth.ask('GET', file('private'), { auth: false }),
      ])
      t.same([read.status, written.status, anonymous.status], [200, 201, 401])
    })
    const answers = await Promise.all(wrong)
    await Promise.all(right)
    t.same(new Set(answers.map(({ status }) => status)), new Set([401, 429]), method)
    const tooMany = answers.find(({ status }) => status === 429)
    t.match(tooMany?.headers, { 'retry-after': /^\d+$/, 'content-type': /^text\/plain/ })
    t.match(tooMany?.body, /^too many wrong credentials from this address/)
  }
})
