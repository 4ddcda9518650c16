// The nginx, Caddy and HAProxy of the manual in front of a Plinth, which they serve below a path, over TLS.

import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import t from 'tap'
import { makeCertificate } from '../support/certificate.js'
import { FRONT_HOST, FRONTS, settingsBehindProxy, startFront } from '../support/fronts.js'
import { goAtHome } from '../support/go.js'
import { ask, TOKEN, type Answer } from '../support/http.js'
import { nameHosts } from '../support/named-hosts.js'
import { startPlinth } from '../support/plinth.js'
import { freePort } from '../support/port.js'
import { needs } from '../support/programs.js'
import { tempFolder } from '../support/temp-folder.js'
import { toolchain } from '../support/toolchains.js'
import { until } from '../support/until.js'
import { simpleModule } from '../support/zips.js'

/** What clients see, with the prefix at its end. */
const PUBLIC = `https://${FRONT_HOST}/plinth`
/** A refusal that a buffering proxy would keep back comes never. A busy machine may take seconds for one. */
const REFUSAL_MS = 120_000
/** More than sockets and the buffers on the way take. */
const LARGE = 256 * 2 ** 20

/** Every address in a text that leads to a server, as a reader at `at` follows it. */
const addressesIn = (text: string, at: string): string[] => {
  const links = [...text.matchAll(/(?<=(?:href|src)=")[^#"][^"]*/g)].map(([link]) => new URL(link, at).href)
  return [...links, ...(text.match(/https?:\/\/[^\s"'<>,]+/g) ?? [])]
}

/** Begins an upload and never ends it; resolves with the status of the answer. */
const beginUpload = (port: number, path: string, ca: Buffer, localAddress: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const headers = {
      host: FRONT_HOST,
      authorization: `Basic ${Buffer.from('admin:wrong').toString('base64')}`,
      'content-length': LARGE,
    }
    const options = { host: '127.0.0.1', port, path, method: 'PUT', ca, headers, agent: false, localAddress }
    const req = request({ ...options, servername: FRONT_HOST, signal: AbortSignal.timeout(REFUSAL_MS) })
    req.on('error', reject)
    req.on('response', (res) => {
      resolve(res.statusCode ?? 0)
      req.on('error', () => {})
      req.destroy()
    })
    req.write(Buffer.alloc(65_536))
  })

t.test('behind the proxies of the manual', needs('nginx', 'openssl', 'go', 'curl'), async (t) => {
  const certificate = makeCertificate([FRONT_HOST])
  const { ca } = certificate
  const socket = join(tempFolder('plinth-socket'), 's')
  const settings = settingsBehindProxy()
  const plinth = await startPlinth({
    ...settings,
    PLINTH_LISTEN: `127.0.0.1:${await freePort()},unix:${socket}`,
    PLINTH_TRUSTED_PROXIES: `${settings['PLINTH_TRUSTED_PROXIES']},unix:`,
  })
  t.teardown(plinth.stop)
  plinth.cli('owner', 'add', 'secret', '--private')
  const token = plinth.cli('account', 'add', 'alice', '--read', 'secret').trimEnd().split('\n').at(-1) ?? ''
  for (const owner of ['secret', 'team'])
    for (const version of ['v1.0.0', 'v1.1.0']) {
      const module = `${FRONT_HOST}/plinth/${owner}/m`
      const answer = await plinth.publish(await simpleModule(module, version), owner)
      t.equal(answer.status, 201, answer.body)
      t.match(answer.body, `\nGOPRIVATE=${FRONT_HOST}/plinth go get ${module}@${version}\n`)
      t.equal(
        answer.headers.location,
        `${PUBLIC}/api/packages/${owner}/go/${module}/@v/${version}.info`,
        'the whole address, whoever asks',
      )
    }
  await plinth.viewsFollowed()
  const refusals = (): string => readFileSync(join(plinth.data, 'state/nginx/refused.log'), 'utf8')
  /** The client's address in the line that a log gets of this path. */
  const addressOf = async (log: () => string, path: string): Promise<string | undefined> => {
    const line = (): string | undefined =>
      log()
        .split('\n')
        .slice(0, -1) // whole lines
        .find((each) => each.includes(`"${path}"`))
    await until(() => line() !== undefined)
    return /"address":"([^"]*)"/.exec(line() ?? '')?.[1]
  }

  for (const kind of FRONTS)
    await t.test(`${kind} in front`, needs(kind), async (t) => {
      const front = await startFront(t, kind, certificate, plinth)
      const through = (
        method: string,
        path: string,
        asking: Parameters<typeof ask>[3] = {},
      ): Promise<Answer> =>
        ask(front, method, `/plinth${path}`, {
          ca,
          ...asking,
          headers: { host: FRONT_HOST, ...asking.headers },
          via: { servername: FRONT_HOST, ...asking.via },
        })

      await t.test('go gets a private module by its path alone', async (t) => {
        const hosts = await nameHosts({ [FRONT_HOST]: front })
        t.teardown(hosts.stop)
        const module = `${FRONT_HOST}/plinth/secret/m`
        const get = async (netrc: string) => {
          const go = goAtHome(toolchain('local').bin, netrc, {
            SSL_CERT_FILE: certificate.path,
            ...hosts.env,
          })
          await go.run(['env', '-w', `GOPRIVATE=${FRONT_HOST}/plinth`])
          return go.run(['get', `${module}@latest`], go.newModule())
        }
        const got = await get(`machine ${FRONT_HOST} login alice password ${token}\n`)
        t.match(got, { code: 0 }, got.stderr)
        t.match(got.stderr, `go: added ${module} v1.1.0`)
        t.match((await get('')).stderr, /401 Unauthorized/)
      })

      await t.test('curl uploads some MiB, with and without asking first', async (t) => {
        const file = join(tempFolder(), 'file')
        writeFileSync(file, Buffer.alloc(5 * 2 ** 20, kind))
        for (const [http, expect] of [
          ['--http1.1', 'Expect: 100-continue'],
          ['--http1.1', 'Expect:'],
          ['--http2', 'Expect:'],
        ] as const) {
          const path = `/api/packages/team/generic/up/1/${kind}${http}-${expect.length}`
          const host = ['--cacert', certificate.path, '--resolve', `${FRONT_HOST}:${front}:127.0.0.1`]
          const auth = ['--user', `admin:${TOKEN}`, '-H', expect, '--upload-file', file]
          const url = `https://${FRONT_HOST}:${front}/plinth${path}`
          const { stdout } = spawnSync('curl', ['-si', http, ...host, ...auth, url], { encoding: 'utf8' })
          t.match(stdout, /^HTTP\/[12.]+ 201/m, stdout)
          t.match(stdout.toLowerCase(), `\r\nlocation: ${PUBLIC}${path}\r\n`)
          t.match(stdout, `\n${PUBLIC}${path}\nsha256 `)
          t.equal((await through('GET', path)).bytes.length, 5 * 2 ** 20)
        }
      })

      await t.test('a refusal comes before the body ends, and logs name the client', async (t) => {
        const path = `/api/packages/team/generic/${kind}/1/large`
        t.equal(await beginUpload(front, `/plinth${path}`, ca, '127.0.0.2'), 401)
        t.equal(await addressOf(plinth.log, path), '127.0.0.2')
      })

      await t.test('a client that names itself another one changes nothing', async (t) => {
        const path = `/api/packages/secret/go/${kind}`
        const forged = {
          'x-forwarded-for': '203.0.113.9',
          'x-forwarded-proto': 'http',
          'x-real-ip': '203.0.113.9',
          forwarded: 'for=203.0.113.9;proto=http',
        }
        const asking = { auth: `Basic ${Buffer.from('alice:wrong').toString('base64')}`, headers: forged }
        const refused = await through('GET', path, { ...asking, via: { localAddress: '127.0.0.2' } })
        t.equal(refused.status, 401)
        t.equal(await addressOf(refusals, path), '127.0.0.2', 'through the proxy')
        t.equal(
          (await ask(plinth.port, 'GET', `${path}-x`, { ...asking, via: { localAddress: '127.0.0.3' } }))
            .status,
          401,
        )
        t.equal(await addressOf(refusals, `${path}-x`), '127.0.0.3', 'directly')
        t.notMatch(refusals() + plinth.log(), '203.0.113.9')
      })

      await t.test('a socket in the place of the port', async (t) => {
        const other = await startFront(t, kind, certificate, { socket })
        const path = `/api/packages/secret/go/${kind}-socket`
        const refused = await ask(other, 'GET', `/plinth${path}`, {
          ca,
          auth: `Basic ${Buffer.from('alice:wrong').toString('base64')}`,
          headers: { host: FRONT_HOST },
          via: { servername: FRONT_HOST, localAddress: '127.0.0.2' },
        })
        t.equal(refused.status, 401)
        t.equal(await addressOf(refusals, path), '127.0.0.2')
      })

      await t.test('names pass as they are written', async (t) => {
        const file = `/api/packages/team/generic/a/1/${kind}%20c%25%2B`
        const uploaded = await through('PUT', file, { body: 'x' })
        t.match(uploaded, { status: 201, headers: { location: `${PUBLIC}${file}` } })
        t.equal((await plinth.get(file)).body, 'x')
        const module = encodeURIComponent(`${FRONT_HOST}/plinth/team/m`)
        const answer = await through('GET', `/api/v1/packages/team/go/${module}/v1.0.0`)
        t.equal(answer.status, 200, answer.body)
        t.equal(
          (JSON.parse(answer.body) as { html_url: string }).html_url,
          `${PUBLIC}/team/go/${FRONT_HOST}/plinth/team/m@v1.0.0`,
        )
      })

      await t.test('all that is printed is below the prefix', async (t) => {
        const module = `team/go/${FRONT_HOST}/plinth/team/m`
        const list = await through('GET', '/api/v1/packages/team?type=go&limit=1')
        t.match(list.headers.link, `<${PUBLIC}/api/v1/packages/team?type=go&page=2&limit=1>; rel="next"`)
        const pages = ['/', '/team/', '/team/all', `/${module}`, `/${module}@v1.0.0`, '/secret/m?go-get=1']
        for (const path of [...pages, '/api/packages/team/-/feed.atom', '/api/v1/packages/team?limit=50']) {
          const answer = await through('GET', path)
          t.equal(answer.status, 200, path)
          const addresses = addressesIn(answer.body, `${PUBLIC}${path}`).filter(
            (address) => !address.includes('www.w3.org'),
          )
          t.not(addresses.length, 0, path)
          for (const address of addresses) t.match(address, new RegExp(`^${PUBLIC}(?:/|$)`), `in ${path}`)
        }
        for (const [path, to] of [
          ['/team', '/team/'],
          ['/team/go/example.com/Azure/x', '/team/go/example.com/!azure/x'],
          ['/team/-/packages/generic/a/1', '/team/generic/a/1'],
        ] as const)
          t.equal((await through('GET', path)).headers.location, `/plinth${to}`, path)
      })
    })
})
