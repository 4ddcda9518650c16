// Who did what can be found again: ids of requests, the access log, the audit log, and the command that reads them.

import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import t from 'tap'
import { readConfig } from '../../src/config.js'
import { planNginx } from '../../src/nginx/configure.js'
import { rotateLogFiles } from '../../src/nginx/log-files.js'
import { block, linesOf, MANUAL, read, ROOT } from '../support/documents.js'
import { simpleModule } from '../support/zips.js'
import { watch } from '../support/child.js'
import { askRaw, TOKEN, type Answer } from '../support/http.js'
import { startPlinth, type Plinth } from '../support/plinth.js'
import { freePort } from '../support/port.js'
import { needs } from '../support/programs.js'
import { start } from '../support/start.js'
import { tempFolder } from '../support/temp-folder.js'
import { until } from '../support/until.js'

const ID = /^[0-9a-f]{32}$/
const FILE = '/api/packages/team/generic/tool/1/a.txt'

const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString('base64')}`

type Line = Record<string, unknown>

/** The whole lines of a log: the last one may still be written. */
const linesIn = (text: string): Line[] =>
  text
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line)

const idOf = ({ headers }: Answer): string => String(headers['x-request-id'])

/** The lines of the service's log for an answer; waits for that of the request, which is the last. */
async function logged(plinth: Plinth, answer: Answer): Promise<Line[]> {
  const lines = (): Line[] => linesIn(plinth.log()).filter(({ id }) => id === idOf(answer))
  await until(() => lines().some(({ event }) => event === 'request'))
  return lines()
}

t.test('ids of requests', needs('nginx'), async (t) => {
  const plinth = await startPlinth({ PLINTH_LOG_LEVEL: 'debug' })
  t.teardown(plinth.stop)
  const { ask, get, data } = plinth
  plinth.cli('owner', 'add', 'secret', '--private')
  const token = plinth.cli('account', 'add', 'reader', '--read', 'secret').trimEnd().split('\n').at(-1) ?? ''

  await t.test('what reaches the service has a line with the id that its answer has', async (t) => {
    const put = await ask('PUT', FILE, { body: '0123456789' })
    const asked: [what: string, answer: Answer, status: number, line: Line][] = [
      ['a file', put, 201, { account: 'admin', path: FILE }],
      ['a module', await plinth.publish(await simpleModule('example.com/m', 'v1.0.0')), 201, {}],
      ['one that is there', await ask('PUT', FILE, { body: 'x' }), 409, { path: FILE }],
      ['a wrong token', await ask('PUT', FILE, { body: 'x', auth: 'Basic YWRtaW46eA==' }), 401, {}],
      ['a list of the API', await get('/api/v1/packages/team'), 200, { method: 'GET' }],
      ['no such package', await get('/api/v1/packages/team/go/nothing'), 404, {}],
      ['an unknown command', await ask('POST', '/-/commands/x', { body: '{}' }), 415, {}],
    ]
    for (const [what, answer, status, line] of asked) {
      t.equal(answer.status, status, what)
      t.match(idOf(answer), ID, what)
      t.match(await logged(plinth, answer), [{ event: 'request', status, ...line }], what)
    }
    t.equal(new Set(asked.map(([, answer]) => idOf(answer))).size, asked.length, 'no two have the same')
  })

  await t.test('a command from elsewhere has two lines of one id', async (t) => {
    const headers = { 'content-type': 'application/json' }
    const body = '{"action":"list"}'
    const lines = await logged(plinth, await ask('POST', '/-/commands/account', { body, headers }))
    t.match(lines, [{ event: 'account', by: 'admin' }, { event: 'request' }])
  })

  await t.test('an id of the client is no id here', async (t) => {
    const table: [sent: string, kept: string | undefined][] = [
      ['from-a.proxy_1', 'from-a.proxy_1'],
      ['x'.repeat(64), 'x'.repeat(64)],
      ['x'.repeat(65), undefined],
      ['two words', undefined],
      ['a","level":"error', undefined],
      ['\u00e4', undefined],
      ['', undefined],
    ]
    for (const [sent, kept] of table) {
      const headers = { 'X-Request-Id': sent, 'X-Plinth-Sent-Id': 'forged' }
      const answer = await ask('DELETE', `${FILE}.none`, { headers })
      t.match(idOf(answer), ID)
      const [line] = await logged(plinth, answer)
      t.equal(line?.['sentId'], kept, sent)
    }
    t.notMatch(plinth.log(), /forged|two words|x{65}/)
  })

  await t.test('a refusal of nginx has an id, and a file that it sends needs none', async (t) => {
    const etag = (await get(FILE)).headers.etag ?? ''
    const table: [what: string, answer: Promise<Answer>, status: number, hasId: boolean][] = [
      ['a file', get(FILE), 200, false],
      ['a part', ask('GET', FILE, { headers: { range: 'bytes=0-3' } }), 206, false],
      ['one that is known', ask('GET', FILE, { headers: { 'if-none-match': etag } }), 304, false],
      ['a page', get('/'), 200, false],
      ['nothing', get(`${FILE}.none`), 404, true],
      ['a private owner', get('/api/packages/secret/generic/a/1/b'), 401, true],
      ['wrong credentials', ask('GET', '/secret/', { auth: 'Basic YWRtaW46eA==' }), 401, true],
      ['no such range', ask('GET', FILE, { headers: { range: 'bytes=10-' } }), 416, true],
      ['another file', ask('GET', FILE, { headers: { 'if-match': '"x"' } }), 412, true],
      ['a method', ask('PATCH', FILE), 405, true],
    ]
    for (const [what, asked, status, hasId] of table) {
      const answer = await asked
      t.equal(answer.status, status, what)
      if (hasId) t.match(idOf(answer), ID, what)
      else t.notOk('x-request-id' in answer.headers, what)
    }
    t.match(await askRaw(plinth.port, 'GET / HTTP/1.1', 'no colon'), /^x-request-id: [0-9a-f]{32}\r$/im)
  })

  await t.test('the log of refused reads has the id; the service tells at the level debug', async (t) => {
    const answer = await ask('GET', '/api/packages/secret/generic/a/1/b', { auth: 'Bearer wrong' })
    t.equal(answer.status, 401)
    const refused = (): Line[] => linesIn(readFileSync(join(data, 'state/nginx/refused.log'), 'utf8'))
    await until(() => refused().some(({ id }) => id === idOf(answer))) // nginx writes it behind the answer
    t.match(refused().at(-1), { event: 'refused', id: idOf(answer), status: 401 })
    t.match(await logged(plinth, answer), [{ level: 'debug', event: 'request', status: 401 }])
    const allowed = await ask('GET', '/api/packages/secret/', { auth: `Bearer ${token}` })
    t.equal(allowed.status, 404)
    t.match(await logged(plinth, allowed), [{ level: 'info', account: 'reader', status: 204 }])
  })

  await t.test('an error of the service is found by the id of its answer', async (t) => {
    renameSync(join(data, 'state/tmp'), join(data, 'state/gone'))
    const answer = await ask('PUT', `${FILE}.b`, { body: 'x' })
    renameSync(join(data, 'state/gone'), join(data, 'state/tmp'))
    t.equal(answer.status, 500)
    t.match(answer.body, idOf(answer))
    t.match(await logged(plinth, answer), [{ event: 'internal error' }, { event: 'request', status: 500 }])
  })

  await t.test('what waits for a service that is down has an id, too', async (t) => {
    await plinth.stopShim()
    const answer = await ask('PUT', FILE, { body: 'x' })
    t.equal(answer.status, 503)
    t.match(idOf(answer), ID)
  })
})

t.test('who changed what', needs('nginx'), async (t) => {
  const audit = join(tempFolder(), 'audit.log')
  const plinth = await startPlinth({ PLINTH_AUDIT_LOG: audit, PLINTH_INBOX_SETTLE_SECONDS: '0' })
  t.teardown(plinth.stop)
  const { ask, cli, data, get } = plinth
  const me = { by: `local user ${process.getuid?.()}` }
  let seen = 0
  /** The lines since the last call. */
  const fresh = (): Line[] => {
    const lines = linesIn(readFileSync(audit, 'utf8'))
    return lines.slice(seen, (seen = lines.length))
  }
  cli('account', 'add', 'reader', '--read', 'team')
  let reader = ''

  await t.test('changes of accounts and owners on the machine', async (t) => {
    cli('owner', 'add', 'gone', '--private')
    cli('owner', 'set', 'gone', '--public')
    cli('account', 'set', 'reader', '--read', 'gone', '--write', 'team', '--expires', '90d')
    reader = cli('account', 'rotate', 'reader').trimEnd().split('\n').at(-1) ?? ''
    cli('account', 'set', 'reader', '--read', 'team')
    cli('owner', 'remove', 'gone', '--with-packages', '--yes')
    t.equal(plinth.run('owner', 'add', 'team').code, 1)
    cli('account', 'list')
    cli('owner', 'list')
    t.match(fresh(), [
      { ...me, kind: 'owner', action: 'add', owner: 'team', what: 'public', result: 'done' },
      { ...me, kind: 'account', action: 'add', what: 'reader', rights: 'read:team', result: 'done' },
      { ...me, kind: 'owner', action: 'add', owner: 'gone', what: 'private' },
      { ...me, kind: 'owner', action: 'set', owner: 'gone', what: 'public' },
      {
        ...me,
        kind: 'account',
        action: 'set',
        what: 'reader',
        rights: 'write:team,read:gone',
        expires: /^20/,
      },
      { ...me, kind: 'account', action: 'rotate', what: 'reader' },
      { ...me, kind: 'account', action: 'set', what: 'reader', rights: 'read:team' },
      { ...me, kind: 'owner', action: 'remove', owner: 'gone', what: 'with packages', result: 'done' },
      { ...me, kind: 'owner', action: 'add', owner: 'team', result: 'refused', reason: /already/ },
    ])
  })

  await t.test('requests', async (t) => {
    const readerAuth = basic(`reader:${reader}`)
    const json = { 'content-type': 'application/json' }
    const command = (name: string, body: object, auth?: string) =>
      ask('POST', `/-/commands/${name}`, { body: JSON.stringify(body), headers: json, ...(auth && { auth }) })
    const module = '/api/packages/team/go/example.com/!m/@v/v1.0.0'
    const asked: [answer: Promise<Answer>, line: Line | undefined][] = []
    const does = async (answer: Promise<Answer>, line: Line | undefined): Promise<void> => {
      asked.push([answer, line])
      await answer
    }
    const team = { account: 'admin', owner: 'team' }
    const zip = await simpleModule('example.com/M', 'v1.0.0')
    const file = { ...team, kind: 'publish', what: 'tool@1/a.txt' }
    const stated = { 'X-Checksum-Sha256': createHash('sha256').update('x').digest('hex') }
    await does(plinth.publish(zip, 'team'), {
      ...team,
      kind: 'publish',
      what: 'example.com/M@v1.0.0',
      result: 'done',
    })
    await does(ask('PUT', FILE, { body: 'x' }), { ...file, status: 201, result: 'done' })
    await does(ask('PUT', FILE, { body: 'x', headers: stated }), {
      ...file,
      status: 200,
      result: 'unchanged',
    })
    await does(ask('PUT', FILE, { body: 'y' }), {
      ...file,
      status: 409,
      result: 'refused',
      reason: /already/,
    })
    await does(ask('PUT', FILE, { body: 'y', auth: readerAuth }), {
      account: 'reader',
      status: 401,
      kind: 'publish',
    })
    await does(ask('PUT', FILE, { body: 'y', auth: false }), undefined)
    await does(ask('PUT', FILE, { body: 'y', auth: basic('admin:x') }), { claimed: 'admin', kind: 'login' })
    await does(ask('PUT', FILE, { body: 'y', auth: basic('nobody:x') }), { kind: 'login', owner: 'team' })
    await does(ask('DELETE', FILE), {
      ...team,
      kind: 'delete',
      what: 'tool@1/a.txt',
      status: 204,
      result: 'done',
    })
    await does(ask('DELETE', FILE), { ...team, kind: 'delete', status: 404, result: 'refused' })
    await does(ask('DELETE', module), { ...team, kind: 'delete', what: 'example.com/M@v1.0.0' })
    await does(plinth.publish(zip, 'team'), { kind: 'publish' })
    await does(ask('DELETE', '/api/v1/packages/team/go/example.com%2FM'), {
      kind: 'delete',
      what: 'example.com/M',
    })
    await does(get('/api/v1/packages/team'), undefined)
    await does(command('owner', { action: 'add', name: 'far', public: true }), {
      account: 'admin',
      kind: 'owner',
      action: 'add',
      owner: 'far',
    })
    await does(command('account', { action: 'list' }), undefined)
    await does(command('account', { action: 'rotate', self: true }, readerAuth), {
      account: 'reader',
      kind: 'account',
      action: 'rotate',
      what: 'reader',
    })
    await does(command('account', { action: 'list' }, basic('admin:x')), { kind: 'login', claimed: 'admin' })
    const lines = fresh()
    const expected = asked.filter(([, line]) => line !== undefined)
    t.equal(lines.length, expected.length)
    for (const [nth, [answer, line]] of expected.entries())
      t.match(lines[nth], { ...line, event: 'audit', address: '127.0.0.1', id: idOf(await answer) })
  })

  await t.test('jobs of commands, and the drop folder', async (t) => {
    await ask('PUT', FILE, { body: 'x' })
    cli('rm', 'team/tool@1', '--yes')
    const drop = join(data, 'inbox/team/generic/tool/2')
    mkdirSync(drop, { recursive: true })
    for (const name of ['ok', 'bad"name']) {
      writeFileSync(join(drop, `.${name}`), name)
      renameSync(join(drop, `.${name}`), join(drop, name))
      await until(() => !existsSync(join(drop, name)))
    }
    const cache = join(tempFolder(), 'example.com/n/@v')
    mkdirSync(cache, { recursive: true })
    writeFileSync(join(cache, 'v1.0.0.zip'), await simpleModule('example.com/n', 'v1.0.0'))
    cli('import', join(cache, '../../..'), '--owner', 'team', '--dry-run')
    cli('import', join(cache, '../../..'), '--owner', 'team')
    await plinth.stopShim()
    cli('rm', 'team/example.com/n', '--yes')
    await plinth.startShim()
    t.match(fresh(), [
      { kind: 'publish', account: 'admin' },
      { ...me, kind: 'delete', owner: 'team', what: 'tool@1', result: 'done' },
      { by: 'drop folder', kind: 'publish', owner: 'team', what: 'tool@2/ok', result: 'done' },
      {
        by: 'drop folder',
        kind: 'publish',
        owner: 'team',
        what: 'team/generic/tool/2/bad"name',
        result: 'refused',
      },
      { ...me, kind: 'publish', owner: 'team', what: 'example.com/n@v1.0.0', result: 'done' },
      { ...me, kind: 'delete', owner: 'team', what: 'example.com/n', result: 'done' },
    ])
  })

  await t.test('the lines of the manual show them', async (t) => {
    const lines = linesOf(block(MANUAL, 'Reading and rotating them'))
    t.equal(lines.length, 4)
    writeFileSync(join(data, '../service.log'), plinth.log())
    for (const each of lines) {
      const [line = ''] = each
        .replace('journalctl -u plinth -o cat', `cat '${join(data, '../service.log')}'`)
        .replace('--account ci', '--account reader')
        .split('  #')
      const command = line.replaceAll('scripts/plinth', `env -u NODE_OPTIONS '${ROOT}scripts/plinth'`)
      const child = spawn('sh', ['-c', command.startsWith('cat') ? command : `exec ${command}`], {
        env: { ...process.env, PLINTH_DATA: data },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const { until: shows, ended } = watch(child)
      await shows(/^(?:20\d\d-.*|\{"time".*)\n/m)
      if (command.includes('--follow')) child.kill('SIGINT')
      t.same(await ended, { code: 0, signal: null }, each)
    }
    const shown = cli('log', '--owner', 'team', '--account', 'reader')
    t.match(
      shown,
      /^\S+Z publish refused reader from 127\.0\.0\.1: team tool@1\/a\.txt status=401 \(account reader/m,
    )
  })

  await t.test('it follows the rotation, and has no token', async (t) => {
    renameSync(audit, `${audit}.1`)
    t.equal((await ask('PUT', FILE, { body: 'x' })).status, 201)
    t.match(linesIn(readFileSync(audit, 'utf8')), [{ what: 'tool@1/a.txt' }])
    const text = readFileSync(`${audit}.1`, 'utf8')
    t.notMatch(text, TOKEN)
    t.notMatch(text, reader)
    t.notMatch(text, 'plinth_')
  })

  await t.test('without room for its lines changes go on, and the log tells', async (t) => {
    rmSync(audit)
    mkdirSync(audit)
    const answer = await ask('PUT', `${FILE}.b`, { body: 'x' })
    t.equal(answer.status, 201)
    t.match(await logged(plinth, answer), [
      { level: 'error', event: 'audit line lost', what: 'tool@1/a.txt.b' },
      {},
    ])
    t.match(plinth.run('owner', 'add', 'more'), { code: 1, stderr: /PLINTH_AUDIT_LOG: .* cannot be opened/ })
    t.notMatch(cli('owner', 'list'), 'more', 'a command finds out before it changes anything')
    rmSync(audit, { recursive: true })
    await ask('PUT', `${FILE}.c`, { body: 'x' })
    t.match(linesIn(readFileSync(audit, 'utf8')), [{ kind: 'gap', lost: 1 }, { what: 'tool@1/a.txt.c' }])
  })
})

t.test('the access log', needs('nginx'), async (t) => {
  const plinth = await startPlinth({ PLINTH_ACCESS_LOG: '1' })
  t.teardown(plinth.stop)
  const { ask, cli, data, get, port } = plinth
  const path = join(data, 'state/nginx/access.log')
  const readLog = (): Line[] => linesIn(readFileSync(path, 'utf8'))
  /** The line of an answer; waits for it. */
  const lineOf = async (answer: Answer): Promise<Line | undefined> => {
    const id = idOf(answer)
    await until(() => readFileSync(path, 'utf8').includes(id))
    return readLog().find((line) => line['id'] === id)
  }
  cli('owner', 'add', 'secret', '--private')
  const reader = cli('account', 'add', 'reader', '--read', 'secret').trimEnd().split('\n').at(-1) ?? ''
  const secret = FILE.replace('/team/', '/secret/')
  const module = '/api/packages/secret/go/example.com/m/@v/list'
  for (const file of [FILE, secret]) t.equal((await ask('PUT', file, { body: '0123456789' })).status, 201)
  t.equal((await plinth.publish(await simpleModule('example.com/m', 'v1.0.0'), 'secret')).status, 201)

  await t.test('each request has a line with the id of its answer', async (t) => {
    const agent = { headers: { 'user-agent': 'Go-http-client/1.1' } }
    const own = { auth: basic(`reader:${reader}`) }
    const part = { headers: { range: 'bytes=0-3' } }
    const table: [answer: Promise<Answer>, line: Line][] = [
      [
        ask('GET', FILE, agent),
        { status: 200, path: FILE, account: '', bytes: 10, agent: 'Go-http-client/1.1' },
      ],
      [ask('GET', secret, own), { status: 200, path: secret, account: 'reader' }],
      [ask('GET', module, own), { status: 200, path: module, account: 'reader' }],
      [ask('GET', '/secret/', own), { status: 200, path: '/secret/', account: 'reader' }],
      [
        ask('HEAD', secret, { ...own, ...part }),
        { status: 206, method: 'HEAD', account: 'reader', bytes: 0 },
      ],
      [ask('GET', FILE, { headers: { range: 'bytes=10-' } }), { status: 416 }],
      [ask('GET', secret, { auth: basic('reader:wrong') }), { status: 401, path: secret, account: '' }],
      [get(secret), { status: 401, account: '' }],
      [get('/api/v1/packages/team'), { status: 200, path: '/api/v1/packages/team' }],
      [ask('PUT', FILE, { body: 'x' }), { status: 409, method: 'PUT', account: '' }],
      [ask('PATCH', FILE), { status: 405, method: 'PATCH' }],
      [ask('GET', '/a?b=c&token=d'), { status: 301, path: '/a' }],
    ]
    for (const [asked, line] of table) {
      const answer = await asked
      t.match(idOf(answer), ID)
      t.match(await lineOf(answer), { event: 'access', address: '127.0.0.1', seconds: Number, ...line })
    }
  })

  await t.test('no spelling of credentials puts a token into it', async (t) => {
    const paths = [
      FILE,
      secret,
      module,
      '/',
      '/secret/',
      '/team/',
      '/secret/go/example.com/m',
      '/secret',
      '/secret/all',
    ]
    paths.push(
      '/-/style.css',
      '/api/v1/user',
      '/api/v1/packages/secret',
      '/secret/m?go-get=1',
      `${secret}?token=${TOKEN}`,
    )
    paths.push(
      '/secret/go/Example.com/M',
      '/secret/-/packages',
      '/-/secret/',
      '/-/asked',
      '/-/commands/x',
      '/secret/x/',
    )
    for (const token of [TOKEN, reader])
      for (const auth of [
        basic(`${token}:`),
        basic(`${token}:x-oauth-basic`),
        basic(`x:${token}`),
        `Bearer ${token}`,
      ])
        for (const path of paths)
          for (const method of ['GET', 'PUT', 'DELETE'])
            await ask(method, path, { auth, headers: { referer: `http://x/?${token}` }, body: '' })
    await lineOf(await get('/last'))
    for (const file of [path, join(data, 'state/nginx/refused.log')])
      for (const token of [TOKEN, reader]) t.notMatch(readFileSync(file, 'utf8'), token, file)
    t.same(new Set(readLog().map(({ account }) => account)), new Set(['', 'reader']))
  })

  await t.test('a line is short and can be read, whatever was asked', async (t) => {
    await askRaw(port, `${'M'.repeat(3000)} / HTTP/1.1`, 'Host: x')
    await askRaw(port, 'nonsense')
    await askRaw(port, 'GET /old')
    await askRaw(port, `GET /${'x'.repeat(9000)}"\\ HTTP/1.1`, 'Host: x')
    await ask('GET', `/${'%0a'.repeat(1000)}`, { headers: { 'user-agent': `"\u009b${'a'.repeat(5000)}` } })
    await lineOf(await get('/last'))
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
    for (const line of lines) {
      t.ok(line.length < 1000, `${line.length} characters`)
      t.doesNotThrow(() => JSON.parse(line), line)
    }
  })

  await t.test('it is renamed when it is large, and nginx goes on with a new one', async (t) => {
    const pid = Number(readFileSync(join(data, 'state/nginx/nginx.pid'), 'utf8'))
    const before = readFileSync(path, 'utf8')
    rotateLogFiles([{ path, most: Infinity }], pid)
    t.notOk(existsSync(`${path}.1`), 'a small one stays')
    t.ok(readFileSync(path, 'utf8').startsWith(before)) // another worker of nginx may write now
    rotateLogFiles([{ path, most: 1 }], pid)
    await until(async () => {
      await get('/after')
      return readFileSync(path, 'utf8').includes('"/after"')
    })
    t.ok(readFileSync(`${path}.1`, 'utf8').startsWith(before))
    for (const file of [path, `${path}.1`]) t.equal(statSync(file).mode & 0o777, 0o640, file)
  })

  await t.test('one that cannot be made stops the start', async (t) => {
    const nowhere = join(data, '../none/access.log')
    const config = readConfig({ PLINTH_DATA: data, PLINTH_ACCESS_LOG: nowhere })
    await t.rejects(planNginx(config), { message: `PLINTH_ACCESS_LOG: ${nowhere} cannot be made: ENOENT` })
  })
})

t.test(
  'npm start: its first run has a line, and a log that cannot be opened stops it',
  needs('nginx'),
  async (t) => {
    const data = join(tempFolder(), 'data')
    const settings = { PLINTH_DATA: data, PLINTH_LISTEN: `127.0.0.1:${await freePort()}` }
    const nowhere = start({ ...settings, PLINTH_AUDIT_LOG: join(data, '../none/audit.log') })
    t.same(await nowhere.ended, { code: 1, signal: null })
    t.match(nowhere.output(), /PLINTH_AUDIT_LOG: .*audit\.log cannot be opened to append: ENOENT\n$/)
    t.notMatch(nowhere.output(), 'plinth_', 'no account was made yet')
    const running = start({ ...settings, PLINTH_AUDIT_LOG: '1', PLINTH_LOG_LEVEL: 'warn' })
    await running.until(/serving/)
    running.kill('SIGTERM')
    t.same(await running.ended, { code: 0, signal: null })
    t.notMatch(running.output(), '"level":"info"', 'what is as it should be is left out')
    const audit = linesIn(readFileSync(join(data, 'state/audit.log'), 'utf8'))
    t.match(audit, [
      { by: 'first run', kind: 'account', action: 'add', what: 'admin', rights: 'admin', result: 'done' },
    ])
    t.equal(audit.length, 1)
  },
)

t.test('logrotate, as the shipped file has it', needs('nginx', 'logrotate', 'gzip'), async (t) => {
  const plinth = await startPlinth({ PLINTH_ACCESS_LOG: '1', PLINTH_AUDIT_LOG: '1' })
  t.teardown(plinth.stop)
  const { ask, data, get } = plinth
  const me = execFileSync('sh', ['-c', 'echo "$(id -un) $(id -gn)"'], { encoding: 'utf8' }).trim()
  const shipped = read('scripts/deploy/logrotate/plinth')
  t.match(shipped, /^\/srv\/plinth\/state\/audit\.log \{$/m)
  const folder = tempFolder()
  const conf = join(folder, 'plinth.conf')
  writeFileSync(conf, shipped.replaceAll('/srv/plinth', data).replaceAll('plinth plinth', me))
  const [audit, access] = [join(data, 'state/audit.log'), join(data, 'state/nginx/access.log')]
  const refused = join(data, 'state/nginx/refused.log')
  const nginxPid = (): number => Number(readFileSync(join(data, 'state/nginx/nginx.pid'), 'utf8'))
  const rotated = (path: string): string[] =>
    readdirSync(dirname(path)).filter((name) => name.startsWith(`${basename(path)}-`))

  for (const round of [1, 2, 3]) {
    t.equal((await ask('PUT', `${FILE}.${round}`, { body: 'x' })).status, 201)
    // What is asked before nginx has opened the new files goes to the old ones.
    await until(async () => {
      await get(`/read-${round}`)
      await ask('GET', `/api/packages/secret/generic/${round}/1/a`, { auth: basic('x:y') })
      return readFileSync(access, 'utf8').includes(`/read-${round}"`) && statSync(refused).size > 0
    }, 50)
    // a second one in the same second would have the same name: logrotate then leaves the file
    await until(() => {
      execFileSync('logrotate', ['--force', '--state', join(folder, 'state'), conf], { stdio: 'pipe' })
      return (
        rotated(audit).length >= round && rotated(access).length >= round && rotated(refused).length >= round
      )
    }, 200)
    // nginx gets new files from the look that comes every ten seconds, which begins with the process of `npm start`
    rotateLogFiles(
      [access, refused].map((path) => ({ path, most: Infinity })),
      nginxPid(),
    )
    for (const path of [access, refused]) t.equal(statSync(path).mode & 0o777, 0o640, path)
  }
  t.notMatch(shipped, /^\s*(?:pre|post|first|last)\w+/m, 'nothing runs as root')
  t.match(rotated(audit).filter((name) => name.endsWith('.gz')).length, 2, 'the last one is packed later')
  await ask('PUT', `${FILE}.4`, { body: 'x' })
  await until(async () => {
    await get('/after')
    return readFileSync(access, 'utf8').includes('"/after"') // nginx writes to the new one
  })
  const shown = plinth.cli('log', '--since', '1h', '--kind', 'publish', '--owner', 'team')
  t.same(
    shown.match(/tool@1\/\S+/g),
    [1, 2, 3, 4].map((round) => `tool@1/a.txt.${round}`),
  )
  const reads = plinth.cli('log', '--json', ...rotated(access).map((name) => join(dirname(access), name)))
  for (const round of [1, 2, 3]) t.match(reads, `"/read-${round}"`)
})

t.test('a part of a line does not spoil the next', async (t) => {
  const path = join(tempFolder(), 'audit.log')
  // Where there is no room any more, all but the part of a line is taken away.
  const program = `
    import { AuditLog } from '${new URL('../../src/audit/audit-log.js', import.meta.url).href}'
    import { readFileSync, writeFileSync } from 'node:fs'
    const path = process.argv[1]
    const makeRoom = () => writeFileSync(path, readFileSync(path, 'utf8').split('\\n').at(-1))
    const audit = new AuditLog(path, makeRoom)
    for (let n = 0; n < 12; n++) audit.record({ kind: 'publish', what: 'w' + n, result: 'done' })`
  const limited = `trap '' XFSZ; ulimit -f 2; exec "$0" --input-type=module -e "$1" "$2"`
  execFileSync('env', ['-u', 'NODE_OPTIONS', 'sh', '-c', limited, process.execPath, program, path])
  const [part = '', ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n')
  t.match(part, /^\{"time":/)
  t.throws(() => JSON.parse(part), 'the disk was full in the middle of a line')
  const whole = lines.map((line) => JSON.parse(line) as Line)
  t.match(whole, [{ kind: 'gap', lost: 1 }, { kind: 'publish' }])
  t.match(whole.at(-1), { what: 'w11' })
})
