// Commands × (on the data folder alone, beside the service, over https) × (a terminal, a pipe) × (right, wrong, missing
// credentials).

import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { makeCertificate } from '../support/certificate.js'
import { runCli, type CliResult } from '../support/cli.js'
import { ask, AUTH, TOKEN } from '../support/http.js'
import { startPlinth, type Plinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { tempFolder } from '../support/temp-folder.js'
import { onTerminal } from '../support/terminal.js'
import { until } from '../support/until.js'
import { moduleZip } from '../support/zips.js'

const PLACES = ['https', 'beside', 'alone'] as const
const certificate = makeCertificate()

/** What is there before: a module, files, and for each place a package and a version that are deleted there. */
async function fill(plinth: Plinth): Promise<void> {
  const put = (path: string, body: Buffer | string) =>
    ask(plinth.port, 'PUT', `/api/packages/${path}`, { body, auth: AUTH, ca: certificate.ca })
  for (const version of ['v1.0.0', 'v1.1.0']) {
    const mod = 'module example.com/m\n\ngo 1.21\n\nrequire example.com/other v1.2.3\n'
    const source = '// Package m says hello.\npackage m\n'
    await put('team/go/upload', await moduleZip('example.com/m', version, { 'go.mod': mod, 'm.go': source }))
  }
  for (const file of ['a', 'b']) await put(`team/generic/tool/1.0/${file}`, `content of ${file}`)
  await put('secret/generic/hidden/1.0/x', 'x')
  for (const place of PLACES)
    for (const version of ['1', '2', '3'])
      for (const file of ['x', 'y']) await put(`doomed/generic/${place}/${version}/${file}`, file)
  await plinth.viewsFollowed()
}

const squeezed = (text: string): string => text.replaceAll(/[ \t\r]+/g, ' ').replaceAll(/ ?\n/g, '\n')

t.test('commands', needs('nginx', 'script', 'openssl'), async (t) => {
  const plinth = await startPlinth({ ...certificate.env, PLINTH_FAILED_LOGINS: '100000' })
  t.teardown(() => plinth.stop())
  plinth.cli('owner', 'add', 'secret', '--private')
  plinth.cli('owner', 'add', 'doomed')
  const tokenOf = (...words: string[]): string =>
    plinth
      .cli(...words)
      .trimEnd()
      .split('\n')
      .at(-1) ?? ''
  const ci = tokenOf('account', 'add', 'ci', '--write', 'team')
  const reader = tokenOf('account', 'add', 'reader', '--read', 'secret')
  await fill(plinth)

  const home = tempFolder()
  const remote = (token: string | undefined, more: Record<string, string> = {}): Record<string, string> => ({
    HOME: home,
    PLINTH_DATA: '/no/such/folder',
    PLINTH_URL: plinth.url,
    SSL_CERT_FILE: certificate.path,
    ...(token !== undefined && { PLINTH_TOKEN: token }),
    ...more,
  })
  const settings: Record<(typeof PLACES)[number], Record<string, string>> = {
    https: remote(TOKEN),
    beside: { PLINTH_DATA: plinth.data },
    alone: { PLINTH_DATA: plinth.data },
  }
  const READS: string[][] = [
    ['ls'],
    ['ls', 'team'],
    ['ls', 'team', '--type', 'go'],
    ['ls', 'team/example.com/m'],
    ['ls', 'team/tool'],
    ['ls', 'secret'],
    ['show', 'team/example.com/m'],
    ['show', 'team/example.com/m@v1.0.0'],
    ['show', 'team/tool@1.0'],
    ['search', 'HELLO'],
    ['search', 'tool', '--owner', 'team'],
    ['owner', 'list'],
    ['account', 'list'],
  ]
  const texts = new Map<string, string>()

  /** Reads what is there; it is the same at each place, on a terminal and in a pipe, and as JSON. */
  async function reads(t: Test, place: (typeof PLACES)[number]): Promise<void> {
    for (const words of READS) {
      const what = words.join(' ')
      const piped = runCli(settings[place], words)
      t.equal(piped.code, 0, `${what}: ${piped.stderr}`)
      const before = texts.get(what) ?? squeezed(piped.stdout)
      texts.set(what, before)
      t.equal(squeezed(piped.stdout), before, `${what} says the same at each place`)
      t.not(before.trim(), '', what)
      if (place === 'beside') continue
      const json = runCli(settings[place], [...words, '--json'])
      t.equal(json.code, 0, json.stderr)
      t.doesNotThrow(() => JSON.parse(json.stdout) as unknown, `${what} --json`)
    }
    for (const words of [
      ['ls', 'team'],
      ['show', 'team/tool@1.0'],
    ]) {
      const { code, output } = await onTerminal(settings[place], words)
      t.equal(code, 0)
      t.equal(squeezed(output), texts.get(words.join(' ')), 'on a terminal, in columns')
    }
    if (place === 'beside') return
    const errors: [words: string[], says: RegExp][] = [
      [['ls', 'taem'], /there is no owner "taem".*did you mean team/],
      [['ls', 'team/tol'], /no package "tol": did you mean tool/],
      [['show', 'team/tool@9'], /no version "9"/],
      [['rm', 'team/tool@1.0', '--file', 'c', '--yes'], /no file "c"/],
      [['rm', 'team/tool@9', '--yes'], /no version "9"/],
      [['account', 'set', 'nobody', '--admin'], /no account "nobody"/],
      [['account', 'add', 'x', '--read', 'nowhere'], /no owner "nowhere"/],
      [['owner', 'add', 'team'], /declared already/],
      [['owner', 'remove', 'team'], /holds packages/],
    ]
    for (const [words, says] of errors)
      t.match(runCli(settings[place], words), { code: 1, stderr: says }, place)
    t.match(runCli(settings[place], ['search', 'nothing like this']), { code: 1, stdout: '' })
  }

  /** Changes what is there, and sees it. */
  async function changes(t: Test, place: (typeof PLACES)[number]): Promise<void> {
    const run = (...words: string[]): CliResult => runCli(settings[place], words)
    const said = place === 'https' ? `plinth: at ${plinth.url}` : `plinth: in ${plinth.data}`
    const done = (result: CliResult, what: string): void => {
      t.equal(result.code, 0, `${place}: ${what}: ${result.stderr}`)
      t.match(result.stderr, said, `${what} says where it is done`)
    }
    const doomed = `doomed/${place}`
    t.match(run('rm', `${doomed}@1`), { code: 1, stderr: /there is no terminal to ask on: say --yes/ })
    const asked = { question: '[y/N]', answer: 'n' }
    t.match(await onTerminal(settings[place], ['rm', `${doomed}@1`], asked), {
      code: 1,
      output: /nothing was changed/,
    })
    done(run('rm', `${doomed}@1`, '--file', 'x', '--yes'), 'a file')
    t.match(run('show', `${doomed}@1`), { code: 0, stdout: / y\n$/ })
    t.equal((await onTerminal(settings[place], ['rm', `${doomed}@2`], { ...asked, answer: 'y' })).code, 0)
    done(run('rm', doomed, '--yes'), 'all that is left')
    await plinth.viewsFollowed()
    t.match(run('ls', doomed), { code: 1, stderr: /no package/ })

    const [owner, account] = [`owner-${place}`, `account-${place}`]
    done(run('owner', 'add', owner, '--private'), 'owner add')
    done(run('owner', 'set', owner, '--public'), 'owner set')
    t.match(run('ls'), { stdout: new RegExp(`${owner}\\tpublic\n`) })
    const added = run('account', 'add', account, '--read', owner, '--expires', '90d', '--json')
    done(added, 'account add')
    const { token } = JSON.parse(added.stdout) as { token: string }
    t.match(token, /^plinth_/)
    done(run('account', 'set', account, '--write', owner), 'account set')
    const rotated = run('account', 'rotate', account)
    done(rotated, 'account rotate')
    t.not(rotated.stdout.trimEnd().split('\n').at(-1), token)
    t.match(run('account', 'list'), { stdout: new RegExp(`${account} write:${owner} expires:`) })
    done(run('account', 'remove', account), 'account remove')
    done(run('owner', 'remove', owner), 'owner remove')
    t.notMatch(run('owner', 'list').stdout, owner)
  }

  await t.test('over https: reads', (t) => reads(t, 'https'))
  await t.test('over https: changes', (t) => changes(t, 'https'))

  await t.test('over https: whose credentials, and what they may', async (t) => {
    const run = (token: string | undefined, ...words: string[]): CliResult => runCli(remote(token), words)
    const WRITES = [
      ['rm', 'team/tool@1.0', '--yes'],
      ['owner', 'add', 'mine'],
      ['account', 'add', 'mine', '--admin'],
      ['account', 'set', 'ci', '--admin'],
      ['account', 'rotate', 'ci'],
      ['account', 'remove', 'ci'],
      ['owner', 'remove', 'team', '--with-packages', '--yes'],
      ['account', 'list'],
      ['owner', 'list'],
    ]
    for (const words of WRITES.slice(0, 3)) {
      t.match(run('plinth_wrong-token-0123456789', ...words), {
        code: 1,
        stderr: /401: the credentials are wrong/,
      })
      t.match(
        run(undefined, ...words),
        { code: 1, stderr: /401: it needs credentials: "plinth login"/ },
        'missing',
      )
    }
    for (const words of WRITES)
      t.match(run(reader, ...words), { code: 1, stderr: /401|403/ }, `a reader: ${words.join(' ')}`)
    for (const words of WRITES.slice(1, 3)) t.match(run(ci, ...words), { code: 1, stderr: /no admin/ })
    t.match(
      run(undefined, 'ls'),
      { code: 0, stdout: 'admin\tpublic\ndoomed\tpublic\nteam\tpublic\n' },
      'anybody sees public owners',
    )
    t.match(run(reader, 'ls'), {
      code: 0,
      stdout: 'admin\tpublic\ndoomed\tpublic\nsecret\tprivate\nteam\tpublic\n',
    })
    t.equal(run(undefined, 'ls', 'team').code, 0)
    t.match(run(undefined, 'ls', 'secret'), {
      code: 1,
      stderr: /no owner "secret" that anybody may read.*plinth login/,
    })
    t.match(run(ci, 'ls', 'secret'), {
      code: 1,
      stderr: /no owner "secret", or these credentials may not read it/,
    })
    t.match(run(reader, 'search', 'hidden'), { code: 0, stdout: /secret\/hidden/ })
    t.match(run(ci, 'search', 'hidden'), { code: 1, stdout: '' })
    t.match(run('plinth_wrong-token-0123456789', 'ls'), { code: 1, stderr: /401/ })
    t.match(run(ci, 'whoami'), { code: 0, stdout: 'ci write:team\n' })
    t.match(JSON.parse(run(TOKEN, 'whoami', '--json').stdout), { name: 'admin', admin: true })
    t.match(run(undefined, 'whoami'), { code: 1, stderr: /it needs credentials/ })
  })

  await t.test('login, and a new token for oneself', async (t) => {
    const netrc = join(home, '.netrc')
    writeFileSync(netrc, 'machine other.example.com login x password y\n', { mode: 0o644 })
    const { port } = new URL(plinth.url)
    const login = await onTerminal(remote(undefined), ['login'], { question: 'Token for', answer: ci })
    t.equal(login.code, 0, login.output)
    t.match(login.output, /logged in at https:\/\/127\.0\.0\.1:\d+ as ci write:team/)
    t.notMatch(login.output, ci, 'the terminal does not show it')
    t.equal(statSync(netrc).mode & 0o777, 0o600)
    const written = (token: string): string =>
      `machine 127.0.0.1:${port} login ci password ${token}\nmachine other.example.com login x password y\n`
    t.equal(readFileSync(netrc, 'utf8'), written(ci))
    t.match(runCli(remote(undefined), ['whoami']), { code: 0, stdout: 'ci write:team\n' })

    const before = plinth.log().length
    const rotated = runCli(remote(undefined), ['account', 'rotate', '--self'])
    t.equal(rotated.code, 0, rotated.stderr)
    const fresh = rotated.stdout.trimEnd().split('\n').at(-1) ?? ''
    t.not(fresh, ci)
    t.equal(readFileSync(netrc, 'utf8'), written(fresh), 'the next command has it')
    t.match(runCli(remote(ci), ['whoami']), { code: 1, stderr: /401/ }, 'the old one is dead')
    t.match(runCli(remote(undefined), ['rm', 'team/tool@9', '--yes']), { stderr: /no version/ })
    const lines = (): string[] =>
      plinth
        .log()
        .slice(before)
        .split('\n')
        .filter((text) => text.includes('"rotate') && text.includes('"event":"account"'))
    await until(() => lines().length > 0)
    t.match(
      JSON.parse(lines()[0] ?? '{}'),
      { by: 'ci', address: '127.0.0.1', request: /"rotate"/ },
      'the log tells',
    )
    t.notMatch(plinth.log(), fresh)
    t.match(runCli(remote(fresh), ['login']), { code: 1 }, 'an empty standard input is no token')
  })

  await t.test('requests that no command makes', async (t) => {
    const post = (body: string, headers: Record<string, string> = { 'content-type': 'application/json' }) =>
      ask(plinth.port, 'POST', '/-/commands/account', { body, headers, auth: AUTH, ca: certificate.ca })
    t.equal((await post('{"action":"list"}')).status, 200)
    t.equal(
      (await post('{"action":"list"}', { 'content-type': 'text/plain' })).status,
      415,
      'a form of another site',
    )
    for (const body of ['', '[]', '1', '{', 'null', '{"action":"add"}', '{"action":"add","name":"x"}'])
      t.equal((await post(body)).status, 400, body)
    t.equal(
      (await post('{"action":"add","name":"../x","rights":{"admin":true,"read":[],"write":[]}}')).status,
      400,
    )
    t.equal(
      (await post('{"action":"set","name":"ci","rights":{"admin":"yes","read":[],"write":[]}}')).status,
      400,
    )
    t.equal((await post('{"action":"rotate","name":"ci","expires":"soon"}')).status, 400)
    t.equal((await post(JSON.stringify({ action: 'list', x: 'x'.repeat(70_000) }))).status, 413)
    for (const [name, status] of [
      ['import', 404],
      ['inspection', 404],
      ['deletion', 404],
      ['toString', 404],
    ])
      t.equal(
        (
          await ask(plinth.port, 'POST', `/-/commands/${name}`, {
            body: '{}',
            headers: { 'content-type': 'application/json' },
            auth: AUTH,
            ca: certificate.ca,
          })
        ).status,
        status,
      )
    t.match(
      await ask(plinth.port, 'GET', '/-/commands/account', { ca: certificate.ca }),
      { status: 401 },
      'no page',
    )
  })

  await t.test('of many who ask with one token, one gets a new one', async (t) => {
    const stolen = tokenOf('account', 'add', 'robbed', '--read', 'team')
    const rotate = async () =>
      ask(plinth.port, 'POST', '/-/commands/account', {
        body: '{"action":"rotate","self":true}',
        headers: { 'content-type': 'application/json' },
        auth: `token ${stolen}`,
        ca: certificate.ca,
      })
    const statuses = (await Promise.all(Array.from({ length: 12 }, rotate))).map(({ status }) => status)
    const refused = statuses.filter((status) => status !== 200)
    t.equal(refused.length, 11)
    // A token that no account has any more is looked for in all of them. Few may wait for that at once.
    t.same(
      refused.filter((status) => ![401, 429].includes(status)),
      [],
    )
    t.equal((await rotate()).status, 401, 'and the old token is nobody’s')
    plinth.cli('account', 'remove', 'robbed')
  })

  await t.test('beside the service: reads', (t) => reads(t, 'beside'))
  await t.test('beside the service: changes', (t) => changes(t, 'beside'))
  await plinth.stopShim()
  t.match(runCli(remote(TOKEN), ['whoami']), { code: 1, stderr: /503/ }, 'a server that is down')
  t.equal(
    runCli(remote(undefined), ['show', 'team/tool@1.0']).code,
    0,
    'its files are read without the service',
  )
  await t.test('on the data folder alone: reads', (t) => reads(t, 'alone'))
  await t.test('on the data folder alone: changes', (t) => changes(t, 'alone'))
})

t.test('a server that lets nobody change accounts from elsewhere', needs('nginx'), async (t) => {
  const plinth = await startPlinth({ PLINTH_REMOTE_COMMANDS: '0' })
  t.teardown(() => plinth.stop())
  const run = (...words: string[]): CliResult =>
    runCli({ HOME: tempFolder(), PLINTH_URL: plinth.url, PLINTH_TOKEN: TOKEN }, words)
  t.match(run('account', 'add', 'x', '--admin'), { code: 1, stderr: /403.*\n.*its own machine alone/ })
  t.match(run('owner', 'list'), { code: 1, stderr: /its own machine alone/ })
  t.match(run('whoami'), { code: 0, stdout: 'admin admin\n' })
  t.equal(run('account', 'rotate', '--self').code, 0)
})
