// `plinth publish` and scripts/publish-module.sh against a real Plinth, and what the real go gets then.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { simpleModule } from '../support/zips.js'
import { makeCertificate } from '../support/certificate.js'
import { type CliResult } from '../support/cli.js'
import { makeGo } from '../support/go.js'
import { TOKEN } from '../support/http.js'
import { startPlinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { tempFolder } from '../support/temp-folder.js'
import { moduleFolder, publishTemp, runAtHome, runPublish } from '../support/publish-command.js'

const SCRIPT = fileURLToPath(new URL('../../../scripts/publish-module.sh', import.meta.url))
const SHELL = existsSync('/bin/dash') ? '/bin/dash' : '/bin/sh'

t.test('from a checkout to go get', needs('nginx', 'go', 'git', 'openssl'), async (t) => {
  const certificate = makeCertificate()
  const plinth = await startPlinth(certificate.env)
  t.teardown(plinth.stop)
  plinth.cli('owner', 'add', 'secret', '--private')
  const env = {
    PLINTH_URL: plinth.url,
    PLINTH_OWNER: 'team',
    PLINTH_TOKEN: TOKEN,
    SSL_CERT_FILE: certificate.path,
  }
  const top = moduleFolder()
  mkdirSync(join(top, 'vendor/x'), { recursive: true })
  writeFileSync(join(top, 'vendor/x/x.go'), 'package x\n')
  const git = (...args: string[]): void =>
    void execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@x', ...args], { cwd: top })
  git('init', '-q')
  git('add', '.')
  git('commit', '-qm', 'x')
  git('tag', 'v1.0.0')

  const dry = await runPublish(top, {}, 'v1.0.0', '--dry-run')
  t.equal(dry.code, 0, dry.stderr)
  t.match(dry.stdout, '- vendor/x/x.go: a vendored package')
  t.equal((await plinth.ask('GET', '/', { ca: certificate.ca })).status, 200, 'it is up')

  const published = await runPublish(top, env, 'v1.0.0')
  t.equal(published.code, 0, published.stderr)
  t.equal(published.stderr, '', 'nothing is said on standard error')
  const get = `GOPROXY=${plinth.url}/api/packages/team/go GONOSUMDB=example.com/m go get example.com/m@v1.0.0`
  t.match(published.stdout, `published example.com/m v1.0.0\n${get}\n`)
  const go = makeGo(`${plinth.url}/api/packages/team/go`, { SSL_CERT_FILE: certificate.path })
  const main = go.newModule()
  const got = await go.run(['get', 'example.com/m@v1.0.0'], main)
  t.equal(got.code, 0, got.stderr)
  t.match((await go.run(['mod', 'verify'], main)).stdout, 'all modules verified')
  const sums = execFileSync('cat', ['go.sum'], { cwd: main, encoding: 'utf8' })
  for (const line of sums.trim().split('\n')) t.match(published.stdout, line, 'the lines of go.sum were told')

  await t.test('again', async (t) => {
    const again = await runPublish(top, env, 'v1.0.0')
    t.equal(again.code, 0, again.stderr)
    t.match(again.stdout, `already published, identical: example.com/m v1.0.0\n${get}\n`)
    const other = await runPublish(moduleFolder('example.com/m', 'package m // other\n'), env, 'v1.0.0')
    t.equal(other.code, 1)
    t.match(other.stderr, 'example.com/m v1.0.0 is published already, with another content')
  })

  await t.test('a private owner: a token alone is enough', async (t) => {
    const secret = { ...env, PLINTH_OWNER: 'secret' }
    const first = await runPublish(top, secret, 'v1.0.0')
    t.equal(first.code, 0, first.stderr)
    t.equal(first.stderr, '')
    const alone = await runPublish(top, secret, 'v1.0.0')
    t.equal(alone.code, 0)
    t.match(alone.stdout, 'already published, identical: example.com/m v1.0.0')
    const named = await runPublish(top, { ...secret, PLINTH_ACCOUNT: 'admin' }, 'v1.0.0', '--json')
    t.match(JSON.parse(named.stdout), { result: 'identical', module: 'example.com/m', zipHash: /^h1:/ })
  })

  await t.test('a zip, with the token in a .netrc', async (t) => {
    const folder = tempFolder()
    writeFileSync(join(folder, 'm.zip'), await simpleModule('example.com/z', 'v1.1.0'))
    writeFileSync(
      join(folder, 'bad.zip'),
      await simpleModule('example.com/z', 'v1.2.0', { 'sub/go.mod': 'x' }),
    )
    writeFileSync(join(folder, 'netrc'), `machine 127.0.0.1:${plinth.port} login admin password ${TOKEN}\n`)
    const netrc = { ...env, PLINTH_TOKEN: '', NETRC: join(folder, 'netrc') }
    const zip = await runPublish(folder, netrc, 'm.zip', '--owner', 'admin')
    t.equal(zip.code, 0, zip.stderr)
    t.match(zip.stdout, 'published example.com/z v1.1.0')
    t.match(
      (await runPublish(folder, netrc, 'm.zip', 'v1.1.1')).stderr,
      'm.zip is example.com/z v1.1.0, not v1.1.1',
    )
    t.match((await runPublish(folder, netrc, 'bad.zip')).stderr, 'sub/go.mod: go.mod outside the module root')
    t.match(
      (await runPublish(folder, { ...netrc, NETRC: 'no' }, 'm.zip')).stderr,
      'NETRC=no cannot be read: ENOENT',
    )
    t.match(
      (await runPublish(folder, { ...netrc, NETRC: '' }, 'm.zip')).stderr,
      'there is no token: set PLINTH_TOKEN',
    )
  })

  await t.test('the script, for machines without Node', needs('curl', 'tar', 'awk'), async (t) => {
    const bin = tempFolder('plinth-bin')
    const said = join(bin, 'said')
    const curl = execFileSync('sh', ['-c', 'command -v curl'], { encoding: 'utf8' }).trim()
    writeFileSync(join(bin, 'curl'), `#!/bin/sh\nps -eo args >> ${said}\nexec ${curl} "$@"\n`, {
      mode: 0o755,
    })
    const script = (more: Record<string, string>, ...words: string[]): Promise<CliResult> => {
      const path = `${bin}:${process.env['PATH']}`
      return runAtHome(SHELL, [SCRIPT, ...words], top, { ...env, PATH: path, ...more })
    }
    git('tag', 'v1.1.0')
    const first = await script({}, 'v1.1.0')
    t.equal(first.code, 0, first.stderr)
    t.match(first.stdout, 'published example.com/m v1.1.0\nGOPROXY=')
    t.match(first.stderr, '- vendor/x/x.go: a vendored package')
    t.match(readFileSync(said, 'utf8'), '/curl --config - ', 'the list of processes was looked at')
    t.notMatch(readFileSync(said, 'utf8'), TOKEN, 'the token is not in it')
    t.match(await script({}, '.', 'v1.1.0'), {
      code: 0,
      stdout: 'already published, identical: example.com/m v1.1.0\n',
    })
    t.match(
      (await runPublish(top, env, 'v1.1.0')).stdout,
      'already published, identical',
      'for the command, too',
    )
    const tidy = await go.run(['get', 'example.com/m@v1.1.0'], main)
    t.equal(tidy.code, 0, tidy.stderr)
    t.match((await go.run(['mod', 'verify'], main)).stdout, 'all modules verified')

    const refused = async (
      more: Record<string, string>,
      words: string[],
      message: string | RegExp,
      code = 1,
    ) => {
      const ran = await script(more, ...words)
      t.equal(ran.code, code, words.join(' '))
      t.match(ran.stderr, message)
      t.notMatch(ran.stdout + ran.stderr, TOKEN)
    }
    await refused(
      { PLINTH_ACCOUNT: 'admin', PLINTH_TOKEN: 'wrong_wrong_wrong_wrong' },
      ['v1.1.0'],
      'refused it with 401',
    )
    await refused({ SSL_CERT_FILE: '' }, ['v1.1.0'], /certificate[^]*cannot be asked/)
    await refused({}, ['v1.0.0', '-c', 'HEAD'], 'a version is wanted', 2)
    await refused({}, [], 'a version is wanted', 2)
    await refused({}, ['1.1.0'], "'1.1.0' is no version")
    await refused({}, ['v0.0.0-20200101000000-0123456789ab'], 'is a pseudo-version')
    await refused({}, ['-c', 'nothing', 'v1.1.0'], "there is no commit 'nothing'")
    await refused({ PLINTH_URL: 'http://plinth.example.com' }, ['v1.1.0'], 'over plain http')
    await refused({ PLINTH_URL: 'http://127.0.0.1.example.com/' }, ['v1.1.0'], 'over plain http')
    await refused({ PLINTH_URL: 'https://a:b@plinth.example.com' }, ['v1.1.0'], 'has a password in it')
    await refused({ PLINTH_TOKEN: 'a"b' }, ['v1.1.0'], 'has characters that none has')
    await refused({ PLINTH_TOKEN: '' }, ['v1.1.0'], 'there is no token: set PLINTH_TOKEN')
    await refused({ PLINTH_OWNER: '../x' }, ['v1.1.0'], 'is no owner')
    const netrc = join(tempFolder(), 'netrc')
    writeFileSync(netrc, `machine 127.0.0.1 login admin password ${TOKEN}\n`)
    const named = await script({ PLINTH_TOKEN: '', NETRC: netrc }, '-c', 'v1.1.0', 'v1.1.1')
    t.equal(named.code, 0, named.stderr)
    t.match(await script({}, '--help'), { code: 0, stdout: /^usage: publish-module/ })
  })

  await t.test('refusals', async (t) => {
    const wrong = await runPublish(top, { ...env, PLINTH_TOKEN: 'plinth_wrong_wrong_wrong' }, 'v1.0.0')
    t.equal(wrong.code, 1)
    t.match(wrong.stderr, 'refused it with 401: the credentials are wrong')
    t.notMatch(wrong.stdout + wrong.stderr, 'plinth_wrong')
    const untrusted = await runPublish(top, { ...env, SSL_CERT_FILE: '' }, 'v1.0.0')
    t.equal(untrusted.code, 1)
    t.match(untrusted.stderr, /self-signed certificate.*SSL_CERT_FILE names a file/)
    const extra = await runPublish(
      top,
      { ...env, SSL_CERT_FILE: '', NODE_EXTRA_CA_CERTS: certificate.path },
      'v1.0.0',
    )
    t.equal(extra.code, 0, extra.stderr)
    await plinth.stopShim()
    const down = await runPublish(top, env, 'v1.0.0')
    t.equal(down.code, 1)
    t.match(down.stderr, 'refused it with 503: the server takes no uploads at the moment')
  })
})

t.test('no temporary folder is left', async (t) => t.same(readdirSync(publishTemp), []))
