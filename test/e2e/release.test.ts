// A release: the same bytes for the same tree, runs without a compiler, and follows the link that an upgrade changes.

import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { plainNode } from '../support/cli.js'
import { block, MANUAL, ROOT } from '../support/documents.js'
import { ask, AUTH, TOKEN } from '../support/http.js'
import { freePort } from '../support/port.js'
import { needs } from '../support/programs.js'
import { makeRelease } from '../support/release.js'
import { start } from '../support/start.js'
import { tempFolder } from '../support/temp-folder.js'
import { until } from '../support/until.js'

const [OLD, NEW] = ['0.0.1-old', '0.0.2-new']
const NPM = ['ci', '--omit=dev', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error']

const unpack = (archive: string, folder: string): void =>
  void execFileSync('tar', ['-xzf', archive, '-C', folder], { stdio: 'pipe' })

const run = (program: string, words: string[], cwd: string) =>
  spawnSync('env', ['-u', 'NODE_OPTIONS', program, ...words], { cwd, encoding: 'utf8' })

/** Installs a release as the manual says; `undefined` and a loud skip where npm reaches no registry. */
function install(t: Test, archive: string, opt: string): string | undefined {
  unpack(archive, opt)
  const top = join(opt, `plinth-${OLD}`)
  const { status, stderr } = run('npm', NPM, top)
  if (status === 0) return top
  if (!/ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|network/i.test(stderr)) throw new Error(stderr)
  t.pass('skipped', { skip: 'NOT TESTED: npm cannot get what a release depends on' })
  return undefined
}

t.test('what is in a release', needs('git', 'tar', 'gzip'), async (t) => {
  const [first, second] = [tempFolder(), tempFolder()]
  const made = makeRelease(first, NEW)
  execFileSync('chmod', ['-R', 'go-w', first])
  // another folder, another umask
  const again = run(
    'sh',
    ['-c', `umask 077; exec sh '${ROOT}scripts/release' --dirty --built --output . --version ${NEW}`],
    second,
  )
  t.equal(again.status, 0, again.stderr)
  t.ok(readFileSync(made).equals(readFileSync(join(second, `plinth-${NEW}.tgz`))), 'the same bytes')

  const listed = execFileSync('tar', ['-tvzf', made], { encoding: 'utf8' }).trim().split('\n')
  t.same(
    listed.filter((line) => !/^(?:d|-)rw[x-]r-[x-]r-[x-] 0\/0 /.test(line)),
    [],
    'all of it is of root, and can be read by everybody',
  )
  const names = listed.map((line) => line.replace(/^.* plinth-[^/]*\//, ''))
  for (const name of ['RELEASE', 'package-lock.json', 'nginx.conf', 'build/src/main.js', 'scripts/plinth'])
    t.ok(names.includes(name), name)
  for (const name of ['scripts/deploy/systemd/plinth.service', 'scripts/deploy/nginx/server.conf'])
    t.ok(names.includes(name), name)
  t.same(
    names.filter((name) => /\.ts$|\.map$|^(?:test|src|build\/(?:test|scripts)|node_modules)\//.test(name)),
    [],
    'neither sources nor tests',
  )
})

t.test('a release is of a commit', needs('git'), async (t) => {
  const clone = join(tempFolder(), 'clone')
  mkdirSync(join(clone, 'scripts'), { recursive: true })
  copyFileSync(join(ROOT, 'scripts/release'), join(clone, 'scripts/release'))
  writeFileSync(join(clone, 'package.json'), '{"version":"1.0.0"}\n')
  const release = (...words: string[]) => run('sh', ['scripts/release', ...words], clone)
  t.match(release().stderr, 'a release is made in a git clone')
  const git = (...words: string[]): void => void execFileSync('git', words, { cwd: clone, stdio: 'pipe' })
  git('init', '-q')
  git('-c', 'user.name=x', '-c', 'user.email=x@example.com', 'commit', '-q', '--allow-empty', '-m', 'x')
  t.match(release().stderr, 'files differ from the commit')
  t.match(release('--version', '../x').stderr, 'is not a version')
  t.match(release('--output', '/nonexistent').stderr, 'there is no folder /nonexistent')
  for (const words of [['--versoin'], ['--version']]) {
    t.equal(release(...words).status, 2)
    t.match(release(...words).stderr, 'usage: npm run release')
  }
  t.match(release('--help').stdout, '--with-modules')
})

t.test('the line of the manual makes the same archive of the same commit', needs('git', 'npm'), async (t) => {
  const clone = join(tempFolder(), 'clone')
  execFileSync('git', ['clone', '-q', ROOT, clone], { stdio: 'pipe' })
  symlinkSync(join(ROOT, 'build'), join(clone, 'build'))
  // nothing is built in the folder of the tests, which are running
  writeFileSync(join(clone, 'scripts/setup'), '#!/bin/sh\ntest "$*" = build\n')
  execFileSync('git', ['update-index', '--assume-unchanged', 'scripts/setup'], { cwd: clone })
  const sums = [1, 2].map(() => {
    execFileSync('sh', ['-euc', block(MANUAL, 'A release')], {
      cwd: clone,
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: 'pipe',
    })
    const [archive = '', ...more] = readdirSync(clone).filter((name) => name.endsWith('.tgz'))
    t.match(archive, /^plinth-\d+\.\d+\.\d+\.tgz$/)
    t.same(more, [])
    return createHash('sha256')
      .update(readFileSync(join(clone, archive)))
      .digest('hex')
  })
  t.equal(sums[0], sums[1])
})

t.test('a release without its npm packages says what is missing', needs('git'), async (t) => {
  const folder = tempFolder()
  unpack(makeRelease(folder, NEW), folder)
  const top = join(folder, `plinth-${NEW}`)
  const command = run(join(top, 'scripts/plinth'), ['--version'], folder)
  t.equal(command.status, 1)
  t.match(command.stderr, `plinth: npm packages are missing: in ${top} type npm ci --omit=dev`)
  t.match(
    run('sh', ['scripts/setup', 'test'], top).stderr,
    `this is a release (plinth ${NEW}): it is built already`,
  )
})

t.test('upgrade and rollback', needs('nginx', 'npm', 'pgrep'), async (t) => {
  const [opt, archives] = [tempFolder('plinth-opt'), tempFolder()]
  const old = install(t, makeRelease(archives, OLD), opt)
  if (old === undefined) return
  t.notOk(existsSync(join(old, 'node_modules/typescript')))
  t.equal(run('sh', ['scripts/setup', 'start'], old).stdout, '', 'npm start has nothing to set up')
  unpack(makeRelease(archives, NEW), opt)
  const upgraded = join(opt, `plinth-${NEW}`)
  cpSync(join(old, 'node_modules'), join(upgraded, 'node_modules'), { recursive: true })
  appendFileSync(join(upgraded, 'scripts/deploy/nginx/server.conf'), 'server_tokens on;\n')
  const connections = join(upgraded, 'scripts/deploy/nginx/connections.conf')
  writeFileSync(connections, readFileSync(connections, 'utf8').replace(/^server_tokens.*\n/m, ''))
  const broken = join(opt, 'plinth-broken')
  cpSync(upgraded, broken, { recursive: true })
  writeFileSync(join(broken, 'build/src/main.js'), 'throw new Error("this release is broken")\n')
  const current = join(opt, 'current')
  const switchTo = (top: string): void => {
    symlinkSync(top, `${current}.next`)
    renameSync(`${current}.next`, current)
  }

  switchTo(old)
  const port = await freePort()
  const data = join(tempFolder(), 'data')
  const env = { PLINTH_DATA: data, PLINTH_LISTEN: `127.0.0.1:${port}`, PLINTH_ADMIN_TOKEN: TOKEN }
  const plinth = start(env, undefined, join(current, 'build/src/start.js'))
  await plinth.until(/plinth: serving/)
  const file = (name: string): string => `/api/packages/admin/generic/tool/1/${name}`
  // nginx that loads its rules again may close a connection that has asked nothing yet, and never a second one
  const twice = (...asked: Parameters<typeof ask>) => ask(...asked).catch(() => ask(...asked))
  const put = async (name: string): Promise<number> =>
    (await twice(port, 'PUT', file(name), { body: name, auth: AUTH })).status
  const read = async (name: string): Promise<string> => (await twice(port, 'GET', file(name))).body
  const serverIs = async (pattern: RegExp): Promise<boolean> =>
    pattern.test(String((await twice(port, 'GET', '/')).headers['server']))
  t.equal(await put('old'), 201)

  const clock = { going: true }
  const wrong: string[] = []
  let reads = 0
  const reader = (async () => {
    while (clock.going) {
      const body = await read('old').catch((error: Error) => error.message)
      if (body !== 'old') wrong.push(body)
      reads++
    }
  })()
  const upgrade = async (top: string, times: number): Promise<void> => {
    switchTo(top)
    process.kill(Number(readFileSync(join(data, 'state/start.pid'), 'utf8')), 'SIGUSR2')
    await plinth.untilTimes('the service runs again', times)
  }
  const versionThere = (): string => {
    const [program, args] = plainNode(join(current, 'build/src/cli.js'), '--version')
    return execFileSync(program, args, { encoding: 'utf8' }).trim()
  }

  await upgrade(upgraded, 1)
  t.equal(versionThere(), NEW)
  await until(() => serverIs(/^nginx\//))
  t.equal(await put('new'), 201, 'nginx has the rules of the new release, and the service writes')

  switchTo(broken)
  plinth.kill('SIGUSR2')
  await plinth.until(/this release is broken/)
  t.equal(await put('broken'), 503)
  // The broken one is tried again and again: where a try finds the link changed, the signal asks for one more restart.
  const writes = (name: string): Promise<void> => until(async () => (await put(name)) === 201)
  await upgrade(upgraded, 2)
  await writes('mended')

  await upgrade(old, 3)
  t.equal(versionThere(), OLD)
  await until(() => serverIs(/^nginx$/))
  await writes('again')
  for (const name of ['old', 'new', 'mended', 'again']) t.equal(await read(name), name)
  clock.going = false
  await reader
  t.same(wrong, [], `${reads} reads went on`)
  const [program, args] = plainNode(join(current, 'build/src/cli.js'), 'verify')
  t.equal(spawnSync(program, args, { env: { ...process.env, ...env } }).status, 0)
  plinth.kill('SIGTERM')
  t.same(await plinth.ended, { code: 0, signal: null })
})
