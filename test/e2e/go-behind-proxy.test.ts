// Import paths that do not begin with the name of the server: a domain of a team's own, and a proxy in front that does
// TLS and adds a path prefix. By the real go, with GOPRIVATE alone.

import t from 'tap'
import { makeCertificate } from '../support/certificate.js'
import { startFront } from '../support/fronts.js'
import { goAtHome } from '../support/go.js'
import { ask } from '../support/http.js'
import { nameHosts } from '../support/named-hosts.js'
import { startPlinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { toolchain } from '../support/toolchains.js'
import { simpleModule } from '../support/zips.js'

type Certificate = ReturnType<typeof makeCertificate>

/** Another server of the nginx in front passes all of other hosts. */
const OTHER_HOSTS = (certificate: Certificate, port: number): string => `
ssl_certificate ${certificate.env['PLINTH_TLS_CERT']}; ssl_certificate_key ${certificate.env['PLINTH_TLS_KEY']};
server { listen LISTEN ssl default_server; location / {
  proxy_pass http://127.0.0.1:${port}; proxy_set_header Host $host;
} }`

t.test('paths that begin with another name', needs('nginx', 'openssl', 'go'), async (t) => {
  const certificate = makeCertificate(['corp.example.com', 'go.corp.example.com', 'go.team.example.com'])
  const { bin } = toolchain('local')

  /** Gets the modules in a new home, in which GOPRIVATE alone is set. */
  const get = async (
    hosts: Awaited<ReturnType<typeof nameHosts>>,
    privates: string,
    netrc: string,
    queries: string[],
  ) => {
    const go = goAtHome(bin, netrc, { SSL_CERT_FILE: certificate.path, ...hosts.env })
    await go.run(['env', '-w', `GOPRIVATE=${privates}`])
    const main = go.newModule()
    const got = await go.run(['get', ...queries], main)
    const { stdout } = await go.run(['list', '-m', '-f', '{{.Path}}@{{.Version}}', 'all'], main)
    return { ...got, modules: stdout.trim().split('\n').slice(1), asked: hosts.askedFor() }
  }
  const tokenOf = (output: string): string => output.trimEnd().split('\n').at(-1) ?? ''

  await t.test('a domain of its own, beside the name of the server', async (t) => {
    const plinth = await startPlinth({
      ...certificate.env,
      PLINTH_IMPORT_PREFIXES: 'go.team.example.com=team,go.corp.example.com/x=secret',
    })
    t.teardown(plinth.stop)
    const ports = { 'go.team.example.com': plinth.port, 'go.corp.example.com': plinth.port }
    const hosts = await nameHosts(ports)
    t.teardown(hosts.stop)
    plinth.cli('owner', 'add', 'secret', '--private')
    const token = tokenOf(plinth.cli('account', 'add', 'alice', '--read', 'secret'))
    const { ca } = certificate
    for (const [owner, module] of [
      ['team', 'go.team.example.com/m'],
      ['team', 'go.team.example.com/m/sub'],
      ['secret', 'go.corp.example.com/x/m'],
    ]) {
      const body = await simpleModule(`${module}`, 'v1.0.0')
      const answer = await plinth.ask('PUT', `/api/packages/${owner}/go/upload`, { body, ca })
      t.equal(answer.status, 201, answer.body)
      const root = owner === 'team' ? 'go.team.example.com' : 'go.corp.example.com/x'
      t.match(answer.body, `\nGOPRIVATE=${root} go get ${module}@v1.0.0\n`)
    }
    const privates = 'go.team.example.com,go.corp.example.com'
    const netrc = `machine go.corp.example.com login alice password ${token}\n`
    const modules = [
      'go.corp.example.com/x/m@v1.0.0',
      'go.team.example.com/m@v1.0.0',
      'go.team.example.com/m/sub@v1.0.0',
    ]
    const got = await get(hosts, privates, netrc, modules)
    t.match(
      got,
      { code: 0, modules, asked: ['go.corp.example.com:443', 'go.team.example.com:443'] },
      got.stderr,
    )
    const refused = await get(hosts, privates, '', ['go.corp.example.com/x/m@latest'])
    t.match(refused.stderr, /401 Unauthorized/)
  })

  await t.test('a proxy in front that does TLS and adds a prefix', async (t) => {
    const plinth = await startPlinth({
      PLINTH_PUBLIC_URL: 'https://corp.example.com/plinth',
      PLINTH_IMPORT_PREFIXES: 'go.team.example.com=team',
    })
    t.teardown(plinth.stop)
    const front = await startFront(t, 'nginx', certificate, plinth, OTHER_HOSTS(certificate, plinth.port))
    const hosts = await nameHosts({ 'corp.example.com': front, 'go.team.example.com': front })
    t.teardown(hosts.stop)
    plinth.cli('owner', 'add', 'secret', '--private')
    const token = tokenOf(plinth.cli('account', 'add', 'alice', '--read', 'secret'))
    for (const [owner, module] of [
      ['team', 'corp.example.com/plinth/team/m'],
      ['secret', 'corp.example.com/plinth/secret/m'],
      ['team', 'go.team.example.com/m/v2'],
    ]) {
      const version = module?.endsWith('/v2') ? 'v2.0.0' : 'v1.0.0'
      const answer = await plinth.publish(await simpleModule(`${module}`, version), owner)
      t.equal(answer.status, 201, answer.body)
      const root = version === 'v2.0.0' ? 'go.team.example.com' : 'corp.example.com/plinth'
      t.match(answer.body, `\nGOPRIVATE=${root} go get ${module}@${version}\n`)
    }
    const privates = 'corp.example.com/plinth,go.team.example.com'
    const netrc = `machine corp.example.com login alice password ${token}\n`
    const modules = [
      'corp.example.com/plinth/secret/m@v1.0.0',
      'corp.example.com/plinth/team/m@v1.0.0',
      'go.team.example.com/m/v2@v2.0.0',
    ]
    const got = await get(hosts, privates, netrc, modules)
    t.match(got, { code: 0, modules, asked: ['corp.example.com:443', 'go.team.example.com:443'] }, got.stderr)
    const file = '/api/packages/team/generic/a/1/b%20c%25%2B'
    const through = { ca: certificate.ca, headers: { host: 'corp.example.com' } }
    const uploaded = await ask(front, 'PUT', `/plinth${file}`, { body: 'x', ...through })
    t.equal(uploaded.status, 201)
    t.equal(uploaded.headers.location, `https://corp.example.com/plinth${file}`)
    t.equal((await plinth.get(file)).body, 'x', 'names pass as they are')
    const refused = await get(hosts, privates, '', ['corp.example.com/plinth/secret/m@latest'])
    t.match(refused.stderr, /401 Unauthorized/)
  })
})
