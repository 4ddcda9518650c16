// `plinth pack` as a person runs it: its output, the files it leaves, and that the same input gives the same zip.

import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { pack as command } from '../../src/commands/pack.js'
import { WrongUsage } from '../../src/commands/command.js'
import { messageOf } from '../../src/errors.js'
import { isOver } from '../support/child.js'
import { CLI, plainNode, runCli, type CliResult } from '../support/cli.js'
import { needs } from '../support/programs.js'
import { tempFolder } from '../support/temp-folder.js'
import { until } from '../support/until.js'

process.env['GIT_CONFIG_GLOBAL'] = '/dev/null'
const git = (cwd: string, ...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.com', ...args], {
    cwd,
    encoding: 'utf8',
    stdio: 'pipe',
  }).trim()

const temp = tempFolder('plinth-pack-temp')
process.env['TMPDIR'] = temp
const run = (cwd: string, ...words: string[]): CliResult => {
  const [program, args] = plainNode(CLI, 'pack', ...words)
  const env = { ...process.env, TMPDIR: temp, PLINTH_DATA: '"no folder"' }
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, env, encoding: 'utf8' })
  return { code: status ?? 1, stdout, stderr }
}

function write(folder: string, files: Record<string, string>): string {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  return folder
}

const FILES = {
  'go.mod': 'module example.com/m\n\ngo 1.24\n',
  'm.go': 'package m\n',
  'a/b.go': 'package a\n',
}
const newFolder = (more: Record<string, string> = {}): string =>
  write(tempFolder('plinth-pack'), { ...FILES, ...more })
function newCheckout(more: Record<string, string> = {}): string {
  const top = newFolder(more)
  git(top, 'init', '-q')
  git(top, 'add', '-A')
  git(top, 'commit', '-qm', 'x')
  return top
}

t.test('the same files give the same bytes', async (t) => {
  const out = tempFolder()
  const [one, two] = [newFolder({ Z: 'z' }), newFolder({ Z: 'z' })]
  utimesSync(join(two, 'm.go'), 1e9, 1e9)
  const zip = (folder: string, name: string, env: Record<string, string>): Buffer => {
    const { code, stderr } = runCli(env, ['pack', folder, 'v1.0.0', '-o', join(out, name)])
    t.equal(code, 0, stderr)
    return readFileSync(join(out, name))
  }
  const first = zip(one, '1.zip', { TZ: 'UTC' })
  t.ok(first.equals(zip(two, '2.zip', { TZ: 'Pacific/Auckland' })), 'in another time zone, from other times')
  t.ok(first.equals(zip(one, '1.zip', {})), 'over a file that is there')
  t.same(readdirSync(out).sort(), ['1.zip', '2.zip'])
})

t.test('which commit is packed', needs('git'), async (t) => {
  const top = newCheckout({ '.gitignore': '*.out\n' })
  const head = git(top, 'rev-parse', 'HEAD')
  write(top, { 'new.go': 'package m\n', 'm.go': 'package m // changed\n' })
  const before = execFileSync('find', ['.git', '-type', 'f'], { cwd: top, encoding: 'utf8' })
  const list = (...words: string[]) => run(top, ...words, '--dry-run', '--json')
  const files = (ran: CliResult): string[] =>
    (JSON.parse(ran.stdout) as { files: { path: string }[] }).files.map(({ path }) => path)

  const untagged = runCli({ TMPDIR: temp }, ['pack', top, 'v1.0.0', '--dry-run'])
  t.match(untagged.stderr, `there is no tag v1.0.0: HEAD is packed, commit ${head.slice(0, 12)}`)
  t.match(untagged.stderr, 'what is not committed is not packed; --as-is')
  t.match(untagged.stdout, '+ m.go (10 bytes)\n')
  t.same(files(list('v1.0.0')), ['.gitignore', 'a/b.go', 'go.mod', 'm.go'])
  t.same(files(list('v1.0.0', '--as-is')), ['.gitignore', 'a/b.go', 'go.mod', 'm.go', 'new.go'])
  t.equal(
    execFileSync('find', ['.git', '-type', 'f'], { cwd: top, encoding: 'utf8' }),
    before,
    'git is left alone',
  )

  git(top, 'tag', 'v1.0.0')
  git(top, 'commit', '-qam', 'y')
  t.same((JSON.parse(list('v1.0.0').stdout) as { commit: string }).commit, head, 'that of the tag, not HEAD')
  t.not((JSON.parse(list('v1.0.0', '--rev', 'HEAD').stdout) as { commit: string }).commit, head)
  t.match(list('v1.0.0', '--rev', 'nothing').stderr, 'there is no commit "nothing" in this clone')
  t.match(list('v1.0.0', '--rev', '--help').stdout, 'usage:')

  const time = git(top, 'log', '-1', '--format=%cd', '--date=format-local:%Y%m%d%H%M%S', 'v1.0.0')
  const utc = new Date(1000 * Number(git(top, 'log', '-1', '--format=%ct', 'v1.0.0'))).toISOString()
  const digits = utc.replace(/[-:T]|\..*/g, '')
  t.ok(time)
  const pseudo = `v0.0.0-${digits}-${head.slice(0, 12)}`
  t.same((JSON.parse(list(pseudo).stdout) as { commit: string }).commit, head)
  t.match(
    list(`v0.0.0-20200101000000-${head.slice(0, 12)}`).stderr,
    `time of its commit, which go would refuse: ${digits}`,
  )
  t.match(list(`v0.0.0-${digits}-0123456789ab`).stderr, 'not in this clone')
  t.match(list(`v0.0.0-${digits}-${head.slice(0, 10)}`).stderr, 'must end in the first 12 digits')
})

t.test('a tag for the folder and the version', needs('git'), async (t) => {
  const top = newCheckout({
    'sub/go.mod': 'module example.com/m/sub\n',
    'sub/v2/go.mod': 'module example.com/m/sub/v2\n',
  })
  t.match(run(top, 'sub/v1.2.3', '--dry-run').stdout, 'packed example.com/m/sub v1.2.3')
  t.match(run(top, 'sub/v2.0.0', '--dry-run').stdout, 'packed example.com/m/sub/v2 v2.0.0')
  t.match(run(top, 'none/v2.0.0', '--dry-run').stderr, 'none is not a directory')
})

t.test('a module of the Plinth that it goes to is got by its path', needs('git'), async (t) => {
  const top = newCheckout({ 'go.mod': 'module p.example.com/team/m\n' })
  const packed = (url: string, ...words: string[]): string =>
    runCli({ TMPDIR: temp, PLINTH_URL: url, PLINTH_OWNER: 'team' }, ['pack', top, 'v1.0.0', ...words]).stdout
  const line = 'when it is published: GOPRIVATE=p.example.com go get p.example.com/team/m@v1.0.0\n'
  t.match(packed('https://p.example.com', '--dry-run'), line)
  const file = join(temp, 'got.zip')
  t.match(packed('https://p.example.com', '-o', file), `${line}${file}\n`)
  rmSync(file)
  for (const url of ['', 'nonsense', 'https://other.example.com'])
    t.notMatch(packed(url, '--dry-run'), 'when it is published', url)
})

t.test('what cannot be packed is refused in words', needs('git'), async (t) => {
  // in this process: a new one for each would take long
  const refused = async (
    folder: string,
    words: string[],
    message: string | RegExp,
    code = 1,
  ): Promise<void> => {
    const here = process.cwd()
    process.chdir(folder)
    const error = await command.run(words).then(
      () => new Error('it was packed'),
      (thrown: unknown) => thrown,
    )
    process.chdir(here)
    t.match(messageOf(error), message)
    t.equal(error instanceof WrongUsage ? 2 : 1, code, words.join(' '))
  }
  const folder = newFolder()
  await refused(folder, ['1.0.0', '-o', '/dev/null'], '("v1.0.0"?)')
  await refused(folder, ['v1.0', '-o', '/dev/null'], 'is not canonical')
  await refused(folder, ['v2.0.0'], 'should be v0 or v1, not v2')
  await refused(folder, ['v1.0.0'], 'm-v1.0.0.zip would be in the folder that is packed')
  await refused(folder, ['v1.0.0', '-o', '../no/such.zip'], 'ENOENT')
  await refused(folder, ['v1.0.0', '--rev', 'HEAD'], '--rev: . is in no git checkout')
  await refused(folder, ['v1.0.0', '--rev', 'HEAD', '--as-is'], '--as-is is without --rev', 2)
  await refused(folder, [], 'pack takes [DIR] VERSION', 2)
  await refused(folder, ['a', 'b', 'v1.0.0'], 'pack takes [DIR] VERSION', 2)
  await refused(folder, ['go.mod', 'v1.0.0'], 'go.mod is not a directory')
  await refused(folder, ['v1.0.0', '--module', 'example.com/n'], 'but the go.mod says "example.com/m"')
  await refused(tempFolder(), ['v1.0.0'], 'has no go.mod there: --module names a module without one')
  await refused(newFolder({ 'go.mod': 'go 1.20\n' }), ['v1.0.0'], 'has no module line')
  await refused(newFolder({ 'go.mod': 'module m\n' }), ['v1.0.0'], 'malformed module path "m"')
  t.match(run(folder, 'v1.0.0'), {
    code: 1,
    stdout: '',
    stderr: /^plinth: [^\n]*would be in the folder[^\n]*\n$/,
  })
  await refused(
    newFolder({ 'a:b': 'x', 'aux.go': 'x' }),
    ['v1.0.0'],
    /a:b: .*invalid char ":"\naux.go: .*"aux" disallowed/,
  )

  const link = tempFolder()
  symlinkSync(join(folder, 'go.mod'), join(link, 'go.mod'))
  await refused(link, ['v1.0.0'], 'go.mod is not a regular file')
  const bytes = newFolder()
  writeFileSync(Buffer.concat([Buffer.from(`${bytes}/a`), Buffer.from([0xff])]), 'x')
  mkdirSync(Buffer.concat([Buffer.from(`${bytes}/b`), Buffer.from([0xff])]))
  await refused(bytes, ['v1.0.0'], /malformed file path "a\ufffd": invalid char/)

  const empty = newFolder()
  git(empty, 'init', '-q')
  await refused(empty, ['v1.0.0'], 'nothing is committed in this checkout; --as-is')
  const elsewhere = newCheckout()
  write(elsewhere, { 'new/go.mod': 'module example.com/new\n' })
  await refused(elsewhere, ['new', 'v1.0.0'], /commit [0-9a-f]{12} has no folder "new"/)
  const damaged = newCheckout()
  execFileSync('find', ['.git/objects', '-type', 'f', '-delete'], { cwd: damaged })
  await refused(damaged, ['v1.0.0'], /git archive|nothing is committed|bad object|no commit/)
})

t.test('in a hook, and without git', needs('git'), async (t) => {
  const top = newCheckout({ 'sub/go.mod': 'module example.com/m/sub\n' })
  const pack = (env: NodeJS.ProcessEnv) => {
    const [program, args] = plainNode(CLI, 'pack', 'sub', 'v1.0.0', '--dry-run')
    return spawnSync(program, args, { cwd: top, env: { ...process.env, ...env }, encoding: 'utf8' })
  }
  t.match(
    pack({ GIT_DIR: '.git', GIT_INDEX_FILE: '.git/index' }).stdout,
    /v1\.0\.0 of commit [0-9a-f]{12}: 1 file/,
  )
  const bin = tempFolder()
  for (const program of ['env', 'node'])
    symlinkSync(
      execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim(),
      join(bin, program),
    )
  t.match(pack({ PATH: bin }).stderr, 'is in a git checkout, but there is no git here; --as-is')
})

t.test('a module without go.mod, a module in SHA-256, a zip on standard output', needs('git'), async (t) => {
  const old = write(tempFolder(), { 'm.go': 'package m\n' })
  t.match(
    run(old, 'v1.0.0', '--module', 'example.com/old', '--dry-run').stdout,
    'packed example.com/old v1.0.0: 1 file',
  )
  const [program, args] = plainNode(CLI, 'pack', newFolder(), 'v1.0.0', '-o', '-')
  const zip = execFileSync(program, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  t.equal(zip.subarray(0, 4).toString('latin1'), 'PK\x03\x04')
  const sha256 = newFolder()
  git(sha256, 'init', '-q', '--object-format=sha256')
  git(sha256, 'add', '-A')
  git(sha256, 'commit', '-qm', 'x')
  t.match(run(sha256, 'v1.0.0', '--dry-run').stdout, 'packed example.com/m v1.0.0 of commit')
})

t.test('Ctrl-C leaves nothing behind', async (t) => {
  const folder = newFolder({ big: 'x'.repeat(2 ** 20) })
  execFileSync('mkfifo', [join(folder, 'never')])
  for (let i = 0; i < 120; i++) write(folder, { [`big${i}`]: 'y'.repeat(2 ** 20) })
  const mine = tempFolder('plinth-pack-stopped')
  const out = tempFolder()
  const [program, args] = plainNode(CLI, 'pack', folder, 'v1.0.0', '-o', join(out, 'm.zip'))
  const has = (): boolean => {
    try {
      return readdirSync(mine).some((name) => readdirSync(join(mine, name)).length > 0)
    } catch {
      return false // it has just gone
    }
  }
  const stopped = async (): Promise<[number | null, NodeJS.Signals | null]> => {
    const child = spawn(program, args, { env: { ...process.env, TMPDIR: mine }, stdio: 'ignore' })
    const exited = once(child, 'exit')
    await until(() => has() || isOver(child), 1)
    child.kill('SIGINT')
    return (await exited) as [number | null, NodeJS.Signals | null]
  }
  let [code, signal] = await stopped()
  for (let tries = 0; code === 0 && tries < 5; tries++) {
    t.comment('it had ended before it was stopped: once more')
    rmSync(join(out, 'm.zip'))
    ;[code, signal] = await stopped()
  }
  t.same([code, signal], [null, 'SIGINT'])
  t.same([readdirSync(mine), readdirSync(out)], [[], []])
})

t.test('no temporary folder is left', async (t) =>
  t.same(
    readdirSync(temp).filter((name) => name.startsWith('.plinth-')),
    [],
  ),
)
