// Private modules over TLS, with the real go: the only way in which go sends credentials.

import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import t, { type Test } from 'tap'
import { simpleModule } from '../support/zips.js'
import { makeCertificate } from '../support/certificate.js'
import { makeGo } from '../support/go.js'
import { ask, TOKEN, type Answer } from '../support/http.js'
import { startPlinth } from '../support/plinth.js'
import { freePort } from '../support/port.js'
import { needs } from '../support/programs.js'
import { tempFolder } from '../support/temp-folder.js'

const goMinor = (): number => {
  try {
    return Number(/go1\.(\d+)/.exec(execFileSync('go', ['version'], { encoding: 'utf8' }))?.[1] ?? 0)
  } catch {
    return 0
  }
}

t.test('over TLS', needs('nginx', 'openssl', 'go'), async (t) => {
  const certificate = makeCertificate()
  const httpPort = await freePort()
  const plinth = await startPlinth({
    ...certificate.env,
    PLINTH_HTTP_LISTEN: `127.0.0.1:${httpPort}`,
    PLINTH_HSTS: '3600',
  })
  t.teardown(plinth.stop)
  const { ca } = certificate
  const { cli, port, url } = plinth
  const api = (owner: string): string => `${url}/api/packages/${owner}/go`
  const tokenOf = (output: string): string => output.trimEnd().split('\n').at(-1) ?? ''
  const token: Record<string, string> = {}
  for (const owner of ['alpha', 'beta']) {
    cli('owner', 'add', owner, '--private')
    token[owner] = tokenOf(cli('account', 'add', owner, '--read', owner))
    const zip = await simpleModule(`example.com/${owner}`, 'v1.0.0')
    const answer = await ask(port, 'PUT', `/api/packages/${owner}/go/upload`, { body: zip, ca })
    t.equal(answer.status, 201, answer.body)
    t.match(answer.body, `GOPROXY=${api(owner)}`, 'the lines to copy say https')
  }

  /** go with a netrc that has these credentials, or none. */
  const goAs = (proxies: string, account?: string, secret?: string, env: Record<string, string> = {}) => {
    const home = tempFolder('plinth-home')
    if (account !== undefined) {
      const netrc = join(home, '.netrc')
      // from 1.24 on go wants the port in it, before 1.24 it wants none
      const hosts = [`127.0.0.1:${port}`, '127.0.0.1']
      writeFileSync(
        netrc,
        hosts.map((host) => `machine ${host} login ${account} password ${secret}\n`).join(''),
      )
      chmodSync(netrc, 0o600)
    }
    return makeGo(proxies, { HOME: home, SSL_CERT_FILE: certificate.path, ...env })
  }
  const downloads = async (t: Test, go: ReturnType<typeof makeGo>, module: string): Promise<void> => {
    const main = go.newModule()
    const got = await go.run(['get', `${module}@v1.0.0`], main)
    t.equal(got.code, 0, got.stderr)
    t.match((await go.run(['mod', 'verify'], main)).stdout, 'all modules verified')
  }
  const refused = async (t: Test, go: ReturnType<typeof makeGo>, modules: string[]): Promise<void> => {
    for (const module of modules) {
      const got = await go.run(['list', '-m', `${module}@v1.0.0`])
      t.not(got.code, 0)
      t.match(got.stderr, /401 Unauthorized/, module)
    }
  }
  const there = ['example.com/alpha', 'example.com/missing']

  await t.test('a reader with a netrc downloads', async (t) => {
    await downloads(t, goAs(api('alpha'), 'alpha', token['alpha']), 'example.com/alpha')
    const missing = await goAs(api('alpha'), 'alpha', token['alpha']).run([
      'list',
      '-m',
      'example.com/no@v1.0.0',
    ])
    t.match(missing.stderr, /404 Not Found/)
    await downloads(t, goAs(api('alpha'), 'oauth2', token['alpha']), 'example.com/alpha')
  })

  await t.test('anyone else gets 401, and go asks no other proxy', async (t) => {
    const next = `${api('alpha')},${api('team')}`
    t.equal(
      (
        await ask(port, 'PUT', '/api/packages/team/go/upload', {
          body: await simpleModule('example.com/alpha', 'v1.0.0'),
          ca,
        })
      ).status,
      201,
      'a public module of the same name stands in wait',
    )
    await refused(t, goAs(next), there)
    await refused(t, goAs(next, 'alpha', 'plinth_wrong'), there)
    await refused(t, goAs(next, 'beta', token['beta']), there)
    await refused(t, goAs(next, 'beta', token['alpha']), there)
    await refused(t, goAs(`${api('undeclared')},${api('team')}`, 'alpha', token['alpha']), there)
  })

  await t.test('a token of its own for each owner, through GOAUTH', async (t) => {
    if (goMinor() < 24) {
      t.comment('NOT TESTED: this go has no GOAUTH (1.24)')
      return
    }
    const script = join(tempFolder('plinth-goauth'), 'goauth')
    const lines = ['alpha', 'beta'].map(
      (owner) =>
        `${api(owner)}\n\nAuthorization: Basic ${Buffer.from(`${owner}:${token[owner]}`).toString('base64')}\n\n`,
    )
    writeFileSync(script, `#!/bin/sh\ncat <<'END'\n${lines.join('')}END\n`)
    chmodSync(script, 0o755)
    const go = goAs(`${api('alpha')}|${api('beta')}`, undefined, undefined, { GOAUTH: script })
    await downloads(t, go, 'example.com/alpha')
    await downloads(t, go, 'example.com/beta')
  })

  await t.test('a rotated and an expired token are refused', async (t) => {
    const old = token['alpha'] ?? ''
    token['alpha'] = tokenOf(cli('account', 'rotate', 'alpha'))
    await refused(t, goAs(api('alpha'), 'alpha', old), there)
    await downloads(t, goAs(api('alpha'), 'alpha', token['alpha']), 'example.com/alpha')
    const file = join(plinth.data, 'access/accounts/alpha.json')
    const stored = JSON.parse(readFileSync(file, 'utf8')) as object
    writeFileSync(file, JSON.stringify({ ...stored, expires: '2020-01-01T00:00:00Z' }))
    cli('access', 'rebuild')
    await refused(t, goAs(api('alpha'), 'alpha', token['alpha']), there)
    t.throws(() => cli('account', 'rotate', 'alpha'), {
      message: /expired on .*: give a new time with --expires/,
    })
    token['alpha'] = tokenOf(cli('account', 'rotate', 'alpha', '--expires', '90d'))
    await downloads(t, goAs(api('alpha'), 'alpha', token['alpha']), 'example.com/alpha')
  })

  await t.test('HTTP/2, HSTS, and nothing older than TLS 1.2', async (t) => {
    const protocol = await new Promise<string | false | null>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, ca, ALPNProtocols: ['h2', 'http/1.1'] }, () => {
        resolve(socket.alpnProtocol)
        socket.destroy()
      })
      socket.once('error', reject)
    })
    t.equal(protocol, 'h2')
    const with12 = (ciphers: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const range = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const
        const socket = connect({ host: '127.0.0.1', port, ca, ciphers, ...range }, () => {
          resolve(socket.getCipher().name)
          socket.destroy()
        })
        socket.on('error', reject)
      })
    t.equal(await with12('ECDHE-ECDSA-AES128-GCM-SHA256'), 'ECDHE-ECDSA-AES128-GCM-SHA256')
    t.equal(await with12('ECDHE-ECDSA-CHACHA20-POLY1305'), 'ECDHE-ECDSA-CHACHA20-POLY1305')
    for (const cbc of ['ECDHE-ECDSA-AES128-SHA256', 'ECDHE-ECDSA-AES256-SHA', 'ECDHE-ECDSA-AES128-CCM'])
      await t.rejects(with12(cbc), /handshake failure/, `${cbc} is not spoken`)
    await t.rejects(
      new Promise((resolve, reject) => {
        const socket = connect(
          { host: '127.0.0.1', port, ca, maxVersion: 'TLSv1.1', minVersion: 'TLSv1' },
          () => {
            socket.destroy()
            resolve(undefined)
          },
        )
        socket.once('error', reject)
      }),
    )
    const written = await ask(port, 'PUT', '/api/packages/team/generic/p/1/file', { body: 'x', ca })
    t.match(written, { status: 201, headers: { 'strict-transport-security': 'max-age=3600' } })
    for (const path of [
      '/api/packages/team/go/example.com/alpha/@v/list',
      '/api/packages/alpha/x',
      '/none',
    ]) {
      const answer = await ask(port, 'GET', path, { ca })
      t.equal(answer.headers['strict-transport-security'], 'max-age=3600', `${path}: ${answer.status}`)
      t.equal(answer.headers['x-content-type-options'], 'nosniff')
    }
  })

  await t.test('as curl sends it over HTTP/2', needs('curl'), async (t) => {
    // Its exit code is not looked at: a refusal may end the stream that it still sends on.
    const curl = (...args: string[]): string =>
      spawnSync('curl', ['-s', '--http2', '--cacert', certificate.path, '-w', '%{http_code}', ...args], {
        encoding: 'utf8',
      }).stdout
    const file = `${url}/api/packages/alpha/generic/p/1/file`
    const large = join(tempFolder(), 'large')
    writeFileSync(large, Buffer.alloc(5_000_000, 'x'))
    t.match(curl('--user', `admin:${TOKEN}`, '--upload-file', large, file), /201$/)
    t.match(curl('--user', 'admin:wrong', '--upload-file', large, `${file}2`), /401$/)
    t.match(curl('--user', `alpha:${token['alpha']}`, '--upload-file', large, `${file}2`), /401$/)
    t.equal(curl('--user', `alpha:${token['alpha']}`, '-o', '/dev/null', file), '200')
    t.match(curl('-X', 'DELETE', '--user', `admin:${TOKEN}`, file), /204$/)
  })

  await t.test('plain http is led to https', async (t) => {
    const answer = await ask(httpPort, 'GET', '/api/packages/team/go/a?b=%20c', {})
    t.equal(answer.status, 308)
    t.equal(answer.headers.location, `https://127.0.0.1:${port}/api/packages/team/go/a?b=%20c`)
    t.equal((await ask(port, 'GET', '/', {})).status, 400, 'plain http at the port of https')
  })

  await t.test('a renewed certificate is taken without a restart', async (t) => {
    const renewed = makeCertificate()
    for (const name of ['PLINTH_TLS_CERT', 'PLINTH_TLS_KEY'])
      writeFileSync(certificate.env[name] ?? '', readFileSync(renewed.env[name] ?? ''))
    process.kill(Number(readFileSync(join(plinth.data, 'state/nginx/nginx.pid'), 'utf8')), 'SIGHUP')
    let answer: Answer | undefined
    while (!(answer = await ask(port, 'GET', '/', { ca: renewed.ca }).catch(() => undefined)))
      await new Promise((resolve) => setTimeout(resolve, 20))
    t.equal(answer.status, 200)
  })
})
