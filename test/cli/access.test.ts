// `plinth owner`, `account` and `access`, as a person or a script types them.

import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { CLI, plainNode, runCli, type CliResult } from '../support/cli.js'
import { needs } from '../support/programs.js'
import { tempFolder } from '../support/temp-folder.js'
import { onTerminal } from '../support/terminal.js'

const make = () => {
  const data = join(tempFolder(), 'data')
  return { data, cli: (...words: string[]): CliResult => runCli({ PLINTH_DATA: data }, words) }
}
const TOKEN_LINE = /^plinth_[A-Za-z0-9_-]{32}$/

t.test('a command whose output nobody reads does its work, and tells so by its exit code', async (t) => {
  const { data } = make()
  // `true` has ended before the command says anything
  const script = `{ "$0" "$@" 2>&3; echo "$?" >&3; } 3>&1 >&4 4>&- | cat`
  const output = spawnSync(
    'bash',
    ['-c', `exec 4> >(true); wait $!; ${script}`, process.execPath, CLI, 'owner', 'add', 'x'],
    {
      encoding: 'utf8',
      env: { ...process.env, PLINTH_DATA: data },
    },
  ).stdout
  t.match(output, /^0$/m)
  t.notMatch(output, /EPIPE/)
  t.ok(existsSync(join(data, 'access/owners/x.json')))
})

t.test('help, exit codes, and mistakes', async (t) => {
  const { cli, data } = make()
  const help = cli('--help')
  t.equal(help.code, 0)
  for (const line of [/owner set NAME/, /account rotate NAME/, /access rebuild/]) t.match(help.stdout, line)
  const wrong: string[][] = [
    ['owner'],
    ['owner', 'set', 'x'],
    ['owner', 'set', 'x', '--public', '--private'],
    ['owner', 'set', 'x', '--immutable', '--mutable'],
    ['owner', 'set', 'x', '--public', '--immutable', '--mutable'],
    ['owner', 'add', 'x', '--mutable'],
    ['owner', 'list', '--immutable'],
    ['owner', 'add', 'x', '--public'],
    ['owner', 'add', 'x', 'y'],
    ['owner', 'list', 'x'],
    ['owner', 'list', '--yes'],
    ['account'],
    ['account', 'add'],
    ['account', 'add', 'x', '--wirte', 'y'],
    ['account', 'add', 'x', '--read'],
    ['account', 'add', 'x', '--expires', 'soon'],
    ['account', 'set', 'x'],
    ['account', 'set', 'x', '--none', '--admin'],
    ['account', 'rotate', 'x', '--admin'],
    ['account', 'remove', 'x', '--admin'],
    ['account', 'rotate', 'x', '--self'],
    ['account', 'rotate', '--self', '--expires', '1d'],
    ['account', 'rotate', '--self'],
    ['ls', 'x', 'y'],
    ['ls', 'x/y@v1.0.0'],
    ['ls', '/y'],
    ['show'],
    ['show', 'x'],
    ['show', 'x/y@'],
    ['search'],
    ['rm', 'x/y', 'z'],
    ['rm', 'x/y', '--file', 'z'],
    ['login'],
    ['login', 'secret', '--url', 'http://127.0.0.1:1'],
    ['whoami', 'x'],
    ['completion', 'tcsh'],
    ['access'],
    ['access', 'rebuild', 'now'],
  ]
  for (const words of wrong) {
    const { code, stdout, stderr } = cli(...words)
    t.equal(code, 2, words.join(' '))
    t.equal(stdout, '')
    t.match(stderr, /^plinth: .*\n\nusage: scripts\/plinth/s)
  }
  const refused: [words: string[], says: RegExp][] = [
    [['account', 'set', 'x', '--admin'], /there is no data folder at .*: set PLINTH_DATA, or name a server/],
    [['owner', 'remove', 'x'], /there is no data folder at/],
  ]
  for (const [words, says] of refused) t.match(cli(...words), { code: 1, stderr: says }, words.join(' '))
  t.notOk(existsSync(data), 'none of these makes a data folder')
})

t.test('owners', async (t) => {
  const { cli, data } = make()
  const isPublic = (name: string): boolean => existsSync(join(data, 'access/public', name))
  t.match(cli('owner', 'add', 'open'), {
    code: 0,
    stdout: 'owner open added, public: anyone may read its packages\n',
  })
  t.match(cli('owner', 'add', 'shut', '--private'), { code: 0, stdout: /owner shut added, private/ })
  t.same([isPublic('open'), isPublic('shut')], [true, false])
  t.match(cli('owner', 'list'), { code: 0, stdout: 'open public\nshut private\n' })
  t.match(cli('owner', 'set', 'open', '--private'), { code: 0, stdout: /owner open is private/ })
  t.match(cli('owner', 'set', 'shut', '--public'), { code: 0, stdout: /owner shut is public/ })
  t.same([isPublic('open'), isPublic('shut')], [false, true])
  t.same(JSON.parse(cli('owner', 'list', '--json').stdout), [
    { name: 'open', public: false },
    { name: 'shut', public: true },
  ])
  const refused: [words: string[], says: RegExp][] = [
    [['add', 'open'], /declared already/],
    [['add', '../x'], /invalid owner name "\.\.\/x"/],
    [['set', 'none', '--public'], /no owner "none"/],
    [['remove', 'none'], /no owner "none"/],
    [['remove', '../public'], /invalid owner name/],
  ]
  for (const [words, says] of refused)
    t.match(cli('owner', ...words), { code: 1, stderr: says }, words.join(' '))
  t.match(cli('owner', 'remove', 'shut'), { code: 0, stdout: 'owner shut removed\n' }, 'one without packages')
  t.match(cli('owner', 'list'), { stdout: 'open private\n' })
  t.notOk(isPublic('shut'))
})

t.test('immutable owners', async (t) => {
  const { cli, data } = make()
  const promise = (name: string): string =>
    `owner ${name} is immutable: what is deleted can come back only as it was\n`
  const format = (): string => readFileSync(join(data, 'state/format'), 'utf8')
  t.match(cli('owner', 'add', 'team', '--private', '--immutable'), {
    code: 0,
    stdout: `owner team added, private: accounts with the right may read its packages\n${promise('team')}`,
  })
  t.equal(format(), '2\n', 'programs of before refuse the folder')
  cli('owner', 'add', 'plain')
  t.match(cli('owner', 'list'), { stdout: 'plain public\nteam private immutable\n' })
  t.same(JSON.parse(cli('owner', 'list', '--json').stdout), [
    { name: 'plain', public: true },
    { name: 'team', public: false, immutable: true },
  ])
  t.match(cli('owner', 'set', 'team', '--public'), {
    stdout: /owner team is public: .*\nowner team is immutable/,
  })
  t.match(cli('owner', 'set', 'plain', '--immutable'), {
    stdout: `owner plain is public: anyone may read its packages\n${promise('plain')}`,
  })
  t.match(cli('owner', 'set', 'plain', '--mutable', '--private'), {
    stdout: /^owner plain is private: [^\n]*\n$/,
  })
  t.match(cli('owner', 'set', 'team', '--mutable', '--json'), { stdout: '{"name":"team","public":true}\n' })
  t.match(cli('owner', 'list'), { stdout: 'plain private\nteam public\n' })
  t.match(cli('owner', 'set', 'none', '--immutable'), { code: 1, stderr: /no owner "none"/ })
  const other = make()
  other.cli('owner', 'add', 'team')
  t.notOk(existsSync(join(other.data, 'state/format')), 'a folder without one is as before')
})

t.test('packages of an owner that is not declared are asked about, too', async (t) => {
  const { cli, data } = make()
  cli('owner', 'add', 'other')
  const file = join(data, 'tree/api/packages/team/generic/a/1/b')
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, 'x')
  const removal = ['owner', 'remove', 'team', '--with-packages']
  t.match(cli(...removal), { code: 1, stderr: /no terminal to ask on: say --yes/ })
  t.ok(existsSync(file))
  t.match(cli('owner', 'remove', 'team'), { code: 1, stderr: /no owner/ })
  t.match(cli('owner', 'remove', '../team', '--with-packages'), { code: 1, stderr: /invalid owner name/ })
  t.match(cli(...removal, '--yes'), { code: 0 })
  t.notOk(existsSync(file))
})

t.test('an owner with packages is asked about on a terminal', needs('script'), async (t) => {
  const { cli, data } = make()
  const file = join(data, 'tree/api/packages/team/generic/a/1/b')
  cli('owner', 'add', 'team')
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, 'x')
  const removal = (answer: string) =>
    onTerminal({ PLINTH_DATA: data }, ['owner', 'remove', 'team', '--with-packages'], {
      question: '[y/N]',
      answer,
    })
  for (const answer of ['n', '', 'yesterday']) {
    const { code, output } = await removal(answer)
    t.equal(code, 1, output)
    t.match(output, /owner team and every package under it will be deleted for good/)
    t.match(output, /nothing was changed/)
    t.ok(existsSync(file))
  }
  t.match(cli('owner', 'list'), { stdout: 'team public\n' })
  const { code, output } = await removal('y')
  t.equal(code, 0, output)
  t.notOk(existsSync(file))
  t.match(cli('owner', 'list'), { stdout: '' })
})

t.test('accounts', async (t) => {
  const { cli, data } = make()
  for (const name of ['a', 'b', 'c']) cli('owner', 'add', name, '--private')
  const readers = (owner: string): string[] =>
    readFileSync(join(data, 'access/readers', owner), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(':', 1)[0] ?? '')

  const added = cli('account', 'add', 'ci', '--write', 'b', '--read', 'a', '--write', 'a', '--write', 'b')
  t.equal(added.code, 0)
  const lines = added.stdout.trimEnd().split('\n')
  t.match(lines[0], 'account added: ci write:a,write:b,read:a')
  const token = lines.at(-1) ?? ''
  t.match(token, TOKEN_LINE, 'the token is the last line')
  t.notMatch(readFileSync(join(data, 'access/accounts/ci.json'), 'utf8'), token)
  t.same([readers('a'), readers('b'), readers('c')], [['ci'], ['ci'], []])

  const root = JSON.parse(
    cli('account', 'add', 'root', '--admin', '--expires', '90d', '--json').stdout,
  ) as object
  t.match(root, { name: 'root', admin: true, read: [], write: [], expired: false, token: TOKEN_LINE })
  t.match(root, { expires: /^\d{4}-\d\d-\d\dT/ })
  t.notMatch(JSON.stringify(root), 'SSHA')
  t.same([readers('a'), readers('c')], [['ci', 'root'], ['root']])

  t.match(cli('account', 'set', 'ci', '--read', 'c'), { code: 0, stdout: 'account set: ci read:c\n' })
  t.same([readers('a'), readers('b'), readers('c')], [['root'], ['root'], ['ci', 'root']])
  t.match(cli('account', 'set', 'root', '--expires', 'never'), { stdout: 'account set: root admin\n' })
  t.match(cli('account', 'rotate', 'ci'), { code: 0, stdout: /\nplinth_\S+\n$/ })
  t.match(cli('account', 'list'), { stdout: 'ci read:c\nroot admin\n' })
  const listed = JSON.parse(cli('account', 'list', '--json').stdout) as object[]
  t.match(listed, [
    { name: 'ci', read: ['c'] },
    { name: 'root', admin: true },
  ])
  t.notMatch(JSON.stringify(listed), /SSHA|token|hash/)

  const refused: [words: string[], says: RegExp][] = [
    [['add', 'ci'], /account ci is there already/],
    [['add', 'x', '--read', 'typo'], /no owner "typo": declare it/],
    [['set', 'ci', '--write', 'typo'], /no owner "typo"/],
    [['add', 'a:b'], /invalid account name "a:b"/],
    [['add', '../x'], /invalid account name/],
    [['rotate', 'none'], /no account "none"/],
    [['set', 'none', '--admin'], /no account "none"/],
    [['remove', 'none'], /no account "none"/],
    [['remove', '../owners/a'], /invalid account name/],
  ]
  for (const [words, says] of refused)
    t.match(cli('account', ...words), { code: 1, stderr: says }, words.join(' '))

  t.match(cli('account', 'remove', 'ci'), { code: 0, stdout: 'account ci removed\n' })
  t.same(readers('c'), ['root'])
  writeFileSync(join(data, 'access/accounts/root.json'), '{')
  t.match(cli('account', 'list'), { code: 0, stdout: '', stderr: /the file of account root is damaged/ })
  t.match(cli('access', 'rebuild'), { code: 0 })
  t.same(readers('c'), [])
})

const rootOnly =
  process.getuid?.() === 0 ? {} : { skip: 'NOT TESTED: only root can change files for another user' }

t.test('another user is told whom to run as, and nobody a folder that is not there', rootOnly, async (t) => {
  const { cli, data } = make()
  t.match(cli('owner', 'list'), {
    code: 1,
    stderr: /there is no data folder at .*: set PLINTH_DATA, or name a server/,
  })
  cli('owner', 'add', 'team')
  chmodSync(dirname(data), 0o755)
  const [program, args] = plainNode(CLI, 'account', 'list')
  const ran = spawnSync(program, args, {
    env: { ...process.env, PLINTH_DATA: data },
    encoding: 'utf8',
    uid: 65_534,
    gid: 65_534,
  })
  t.equal(ran.status, 1)
  t.match(ran.stderr, /EACCES[^]*belongs to the user with the id 0: run it as Plinth's user, or as root/)
})

t.test('root changes accounts for a service that runs as another user', rootOnly, async (t) => {
  const { cli, data } = make()
  cli('owner', 'add', 'team')
  const [uid, gid] = [65_534, 65_534]
  execFileSync('chown', ['-R', `${uid}:${gid}`, data])
  cli('owner', 'add', 'other', '--private')
  cli('owner', 'add', 'open')
  t.equal(statSync(join(data, 'tree/api/packages/open')).uid, uid, 'the service can publish there')
  cli('account', 'add', 'ci', '--write', 'team')
  cli('account', 'rotate', 'ci')
  const asUser = (path: string): string =>
    execFileSync('cat', [join(data, path)], { uid, gid, encoding: 'utf8' })
  t.match(asUser('access/accounts/ci.json'), 'SSHA')
  t.match(asUser('access/owners/other.json'), 'false')
  t.match(asUser('access/readers/team'), 'ci:{SSHA}')
  const other = { uid: 12_345, gid: 12_345, stdio: 'ignore' } as const
  t.throws(() => execFileSync('cat', [join(data, 'access/readers/team')], other), 'nobody else reads them')
  // root had given it to a group of nginx's workers, which this user is not in: it stays closed to them
  execFileSync('chgrp', ['1', join(data, 'access/readers')])
  t.match(cli('account', 'rotate', 'ci'), { code: 0 })
  t.equal(statSync(join(data, 'access/readers/team')).uid, uid)
  t.match(asUser('access/readers/team'), 'ci:{SSHA}')
})

// Each: what the user of the data folder has made a link to something of root's, and a command that would follow it.
const LINKS: [link: string, to: 'folder' | 'file', command: string][] = [
  ['access/accounts', 'folder', 'account add more'],
  ['access/accounts', 'folder', 'account remove ci'],
  ['access/owners', 'folder', 'owner add more'],
  ['access/readers', 'folder', 'access rebuild'],
  ['access', 'folder', 'owner add more'],
  ['state/tmp', 'folder', 'account rotate ci'],
  ['state/tmp', 'folder', 'rebuild'],
  ['state/lock', 'file', 'rebuild'],
  ['state', 'folder', 'rebuild'],
  ['tree', 'folder', 'owner add more'],
  ['tree/api/packages', 'folder', 'owner add more'],
]

/** Everything below `folder`, with what it is, whose it is, and what is in it. */
const pictureOf = (folder: string): string[] =>
  ['.', ...readdirSync(folder, { recursive: true, encoding: 'utf8' })].sort().map((name) => {
    const { uid, gid, mode, mtimeMs } = lstatSync(join(folder, name))
    const text = statSync(join(folder, name)).isFile() ? readFileSync(join(folder, name), 'utf8') : ''
    return [name, uid, gid, mode.toString(8), mtimeMs, text].join(' ')
  })

t.test('root follows no link that the user of the data folder made', rootOnly, async (t) => {
  const made = make()
  made.cli('owner', 'add', 'team')
  made.cli('account', 'add', 'ci', '--write', 'team')
  for (const [link, to, command] of LINKS) {
    const { cli, data } = make()
    execFileSync('cp', ['-a', made.data, data])
    const roots = join(tempFolder(), 'roots')
    mkdirSync(join(roots, 'folder'), { recursive: true })
    for (const name of ['file', 'folder/ci.json', 'folder/team.json', 'folder/team', 'folder/lock'])
      writeFileSync(join(roots, name), 'of root', { mode: 0o600 })
    rmSync(join(data, link), { recursive: true, force: true })
    symlinkSync(join(roots, to), join(data, link))
    execFileSync('chown', ['-hR', '65534:65534', data])
    const before = pictureOf(roots)
    cli(...command.split(' '))
    t.same(pictureOf(roots), before, `${link}: ${command}`)
  }
})

t.test('root works on the data folder of one user only', rootOnly, async (t) => {
  const { cli, data } = make()
  cli('owner', 'add', 'team')
  execFileSync('chown', ['-R', '65534:65534', join(data, 'tree')])
  execFileSync('chown', ['-R', '12345:12345', join(data, 'access')])
  t.match(cli('owner', 'list'), { code: 1, stderr: /folders of several users \(65534, 12345\).*chown -R/ })
  execFileSync('chown', ['-R', '12345:12345', data])
  t.match(cli('owner', 'add', 'other'), { code: 0 }, 'a user without an entry in the system')
  const { uid, gid } = statSync(join(data, 'access/owners/other.json'))
  t.same([uid, gid], [12_345, 12_345])
})
