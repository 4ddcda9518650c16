// `npx plinth publish` against a real Plinth, and against servers that answer what no Plinth should.

import { execFileSync, spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { publish } from '../../src/client/publish.js'
import { serverOf } from '../../src/client/server.js'
import { messageOf } from '../../src/errors.js'
import { pack } from '../../src/pack/pack.js'
import { simpleModule } from '../zips.js'
import {
  CLI,
  makeCertificate,
  makeGo,
  needs,
  plainNode,
  startPlinth,
  tempFolder,
  TOKEN,
  type CliResult,
} from './harness.js'

process.env['GIT_CONFIG_GLOBAL'] = '/dev/null'
const SCRIPT = fileURLToPath(new URL('../../../scripts/publish-module.sh', import.meta.url))
const SHELL = existsSync('/bin/dash') ? '/bin/dash' : '/bin/sh'
const temp = tempFolder('plinth-publish-temp')
const home = tempFolder('plinth-publish-home')

/** Runs it in the background, so that servers in this process can answer. */
async function run(cwd: string, env: Record<string, string>, ...words: string[]): Promise<CliResult> {
  const [program, args] = plainNode(CLI, 'publish', ...words)
  const child = spawn(program, args, {
    cwd,
    env: { PATH: process.env['PATH'], HOME: home, TMPDIR: temp, GIT_CONFIG_GLOBAL: '/dev/null', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return outcome(child)
}

async function outcome(child: ChildProcessByStdio<null, Readable, Readable>): Promise<CliResult> {
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (text: Buffer) => (stdout += text.toString()))
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code: code ?? 1, stdout, stderr }
}

function newModule(path = 'example.com/m', source = 'package m\n'): string {
  const folder = tempFolder('plinth-publish')
  writeFileSync(join(folder, 'go.mod'), `module ${path}\n\ngo 1.19\n`)
  writeFileSync(join(folder, 'm.go'), source)
  return folder
}

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
  const top = newModule()
  mkdirSync(join(top, 'vendor/x'), { recursive: true })
  writeFileSync(join(top, 'vendor/x/x.go'), 'package x\n')
  const git = (...args: string[]): void =>
    void execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@x', ...args], { cwd: top })
  git('init', '-q')
  git('add', '.')
  git('commit', '-qm', 'x')
  git('tag', 'v1.0.0')

  const dry = await run(top, {}, 'v1.0.0', '--dry-run')
  t.equal(dry.code, 0, dry.stderr)
  t.match(dry.stdout, '- vendor/x/x.go: a vendored package')
  t.equal((await plinth.ask('GET', '/', { ca: certificate.ca })).status, 404, 'it is up, and empty')

  const published = await run(top, env, 'v1.0.0')
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
    const again = await run(top, env, 'v1.0.0')
    t.equal(again.code, 0, again.stderr)
    t.match(again.stdout, `already published, identical: example.com/m v1.0.0\n${get}\n`)
    const other = await run(newModule('example.com/m', 'package m // other\n'), env, 'v1.0.0')
    t.equal(other.code, 1)
    t.match(other.stderr, 'example.com/m v1.0.0 is published already, with another content')
  })

  await t.test('a private owner: a token alone cannot read', async (t) => {
    const secret = { ...env, PLINTH_OWNER: 'secret' }
    const first = await run(top, secret, 'v1.0.0')
    t.equal(first.code, 0, first.stderr)
    t.equal(first.stderr, '')
    const alone = await run(top, secret, 'v1.0.0')
    t.equal(alone.code, 1)
    t.match(alone.stderr, 'whether with this content cannot be read (PLINTH_ACCOUNT names the account')
    const named = await run(top, { ...secret, PLINTH_ACCOUNT: 'admin' }, 'v1.0.0', '--json')
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
    const zip = await run(folder, netrc, 'm.zip', '--owner', 'admin')
    t.equal(zip.code, 0, zip.stderr)
    t.match(zip.stdout, 'published example.com/z v1.1.0')
    t.match((await run(folder, netrc, 'm.zip', 'v1.1.1')).stderr, 'm.zip is example.com/z v1.1.0, not v1.1.1')
    t.match((await run(folder, netrc, 'bad.zip')).stderr, 'sub/go.mod: go.mod outside the module root')
    t.match((await run(folder, { ...netrc, NETRC: 'no' }, 'm.zip')).stderr, 'NETRC=no cannot be read: ENOENT')
    t.match(
      (await run(folder, { ...netrc, NETRC: '' }, 'm.zip')).stderr,
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
    const script = async (more: Record<string, string>, ...words: string[]): Promise<CliResult> => {
      const path = `${bin}:${process.env['PATH']}`
      const child = spawn(SHELL, [SCRIPT, ...words], {
        cwd: top,
        env: { HOME: home, TMPDIR: temp, ...env, PATH: path, ...more },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      return outcome(child)
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
    t.match((await run(top, env, 'v1.1.0')).stdout, 'already published, identical', 'for the command, too')
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
    const wrong = await run(top, { ...env, PLINTH_TOKEN: 'plinth_wrong_wrong_wrong' }, 'v1.0.0')
    t.equal(wrong.code, 1)
    t.match(wrong.stderr, 'refused it with 401: the credentials are wrong')
    t.notMatch(wrong.stdout + wrong.stderr, 'plinth_wrong')
    const untrusted = await run(top, { ...env, SSL_CERT_FILE: '' }, 'v1.0.0')
    t.equal(untrusted.code, 1)
    t.match(untrusted.stderr, /self-signed certificate.*SSL_CERT_FILE names a file/)
    const extra = await run(
      top,
      { ...env, SSL_CERT_FILE: '', NODE_EXTRA_CA_CERTS: certificate.path },
      'v1.0.0',
    )
    t.equal(extra.code, 0, extra.stderr)
    await plinth.stopShim()
    const down = await run(top, env, 'v1.0.0')
    t.equal(down.code, 1)
    t.match(down.stderr, 'refused it with 503: the server takes no uploads at the moment')
  })
})

type Handler = (req: IncomingMessage, res: ServerResponse) => void

t.test('servers that answer what no Plinth should', async (t) => {
  let handle: Handler = () => {}
  const seen: { method: string | undefined; url: string | undefined; authorization: string | undefined }[] =
    []
  const server = createServer((req, res) => {
    seen.push({ method: req.method, url: req.url, authorization: req.headers.authorization })
    handle(req, res)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const env = { PLINTH_URL: `http://127.0.0.1:${port}`, PLINTH_OWNER: 'team', PLINTH_TOKEN: 'a-secret' }
  const folder = newModule()
  writeFileSync(join(folder, 'big'), Buffer.from(Array.from({ length: 3e6 }, (_, i) => (i * i * 7919) % 251)))
  const answer =
    (status: number, body = '', headers: Record<string, string> = {}): Handler =>
    (req, res) => {
      req.resume()
      req.on('end', () => res.writeHead(status, headers).end(body))
    }
  // in this process: a new one for each would take long
  const work = tempFolder('plinth-publish-work')
  const zip = await pack({ folder, version: 'v1.0.0', temp: work }, join(work, 'm.zip'))
  const target = serverOf({ url: env.PLINTH_URL, owner: 'team', token: 'a-secret', netrc: '' }, false)
  const refusedWith = async (handler: Handler, message: string | RegExp): Promise<void> => {
    handle = handler
    seen.length = 0
    const error = await publish(target, zip, tempFolder(), () => {}).then(
      () => new Error('it was published'),
      (thrown: unknown) => thrown,
    )
    t.match(messageOf(error), message)
    t.notMatch(messageOf(error), /a-secret|\u001b/)
    t.equal(seen.filter(({ method }) => method === 'PUT').length, 1, 'asked once, never again')
  }
  await refusedWith(
    answer(307, '', { location: 'http://127.0.0.1:1/elsewhere' }),
    'sends us to http://127.0.0.1:1/elsewhere, which is not followed',
  )
  await refusedWith(
    answer(413, '<html>', { 'content-type': 'text/html' }),
    /413: the zip is too large for this server$/,
  )
  await refusedWith(
    answer(507, 'no room\u001b[2J', { 'retry-after': '5' }),
    /507: the server has no room left; try again in 5 seconds\nno room \[2J/,
  )
  await refusedWith(answer(400, 'this is wrong\nand this'), 'refused it with 400\nthis is wrong\nand this')
  await refusedWith(answer(418, 'x'.repeat(500_000)), /refused it with 418\nx{1000}/)
  await refusedWith(answer(200, 'welcome'), 'refused it with 200')
  await refusedWith(
    (req) => void req.once('data', () => req.destroy()),
    /cannot be asked \(\d+ of \d+ bytes were sent\)/,
  )
  await refusedWith((req, res) => void (req.resume(), res.writeHead(401).end('no')), '401')
  await refusedWith((_req, res) => void res.socket?.end('HTTP/9 nonsense\r\n\r\n'), 'cannot be asked')
  await refusedWith(
    answer(201, 'example.com/m v1.0.0 h1:other'),
    'published it with another content: h1:other',
  )
  const conflict =
    (then: Handler): Handler =>
    (req, res) =>
      (req.method === 'PUT' ? answer(409) : then)(req, res)
  await refusedWith(conflict(answer(200, 'no zip')), 'is published already, with another content')
  await refusedWith(conflict(answer(404)), 'whether with this content cannot be read')
  await refusedWith(
    conflict(
      (_req, res) => void res.writeHead(200, { 'content-length': '100' }).write('short', () => res.destroy()),
    ),
    /cannot be asked|cannot be read/,
  )

  let stated: IncomingMessage['headers'] = {}
  handle = (req, res) => {
    if (req.method === 'PUT') stated = req.headers
    ;(req.method === 'PUT' ? answer(201) : answer(500))(req, res)
  }
  seen.length = 0
  const odd = await run(folder, env, 'v1.0.0')
  t.equal(odd.code, 0)
  t.equal(stated['x-checksum-sha256'], zip.sha256)
  t.equal(stated['content-length'], String(zip.bytes))
  t.match(odd.stderr, /warning: it was published, but reading it back from .* is answered with 500/)
  t.same(seen[1], {
    method: 'GET',
    url: '/api/packages/team/go/example.com/m/@v/v1.0.0.info',
    authorization: undefined,
  })

  const refusedHere = await run(folder, { ...env, PLINTH_URL: 'http://plinth.example.com' }, 'v1.0.0')
  t.match(refusedHere.stderr, 'over plain http')
  t.match((await run(folder, { ...env, PLINTH_URL: 'http://127.0.0.1:1' }, 'v1.0.0')).stderr, 'ECONNREFUSED')
  t.equal((await run(folder, env)).code, 2)
  t.equal((await run(folder, env, 'v1.0.0', '--token', 'x')).code, 2, 'there is no flag for the token')

  await t.test('Ctrl-C in the middle of an upload', async (t) => {
    const [program, args] = plainNode(CLI, 'publish', 'v1.0.0')
    const child = spawn(program, args, {
      cwd: folder,
      env: { PATH: process.env['PATH'], HOME: home, TMPDIR: temp, ...env },
      stdio: 'ignore',
    })
    const gone = new Promise<void>((resolve) => {
      handle = (req) => {
        req.once('data', () => child.kill('SIGINT'))
        req.on('error', () => {})
        req.once('close', () => resolve())
        req.resume()
      }
    })
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
    t.same([code, signal], [null, 'SIGINT'])
    await gone
  })
  t.same(readdirSync(temp), [], 'no temporary folder is left')
})
