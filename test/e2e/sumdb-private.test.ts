// The checksum database of a private owner over TLS: the go that may read the packages reads the database, in every way
// in which it sends credentials, and nobody else reads anything of it. And who may write there: nobody.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { makeCertificate } from '../support/certificate.js'
import { block, MANUAL } from '../support/documents.js'
import { goAtHome } from '../support/go.js'
import { ask } from '../support/http.js'
import { nameHosts } from '../support/named-hosts.js'
import { startPlinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { askedOfDatabase, enableDatabase, oldAndNewGo } from '../support/sumdb.js'
import { tempFolder } from '../support/temp-folder.js'
import { simpleModule } from '../support/zips.js'

const HOST = 'plinth.example.com'
const NAME = 'sum.corp.example/secret'
const LOOKUP = 'lookup/corp.example/s@v1.0.0'

const tokenOf = (output: string): string => output.trimEnd().split('\n').at(-1) ?? ''
const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`

t.test('the database of a private owner', needs('nginx', 'openssl', 'go'), async (t) => {
  const certificate = makeCertificate([HOST])
  const plinth = await startPlinth({ ...certificate.env, PLINTH_PUBLIC_URL: `https://${HOST}` })
  t.teardown(plinth.stop)
  const hosts = await nameHosts({ [HOST]: plinth.port })
  t.teardown(hosts.stop)
  const { ca } = certificate
  const { cli, port } = plinth
  const publish = (owner: string, body: Buffer) =>
    ask(port, 'PUT', `/api/packages/${owner}/go/upload`, { body, ca })
  for (const owner of ['secret', 'beside']) cli('owner', 'add', owner, '--private')
  const [alice, bob] = [
    tokenOf(cli('account', 'add', 'alice', '--read', 'secret')),
    tokenOf(cli('account', 'add', 'bob', '--read', 'beside')),
  ]
  const writer = tokenOf(cli('account', 'add', 'writer', '--write', 'secret'))
  t.equal((await publish('secret', await simpleModule('corp.example/s', 'v1.0.0'))).status, 201)
  t.equal((await publish('beside', await simpleModule('corp.example/beside', 'v1.0.0'))).status, 201)
  const { gosumdb, goproxy } = enableDatabase(plinth, 'secret', NAME)
  t.equal(goproxy, `https://${HOST}/api/packages/secret/go`)
  const beside = `https://${HOST}/api/packages/beside/go`

  for (const { version, bin, skip } of oldAndNewGo())
    await t.test(version, { skip }, async (t) => {
      const netrc = (login: string, token: string): string =>
        `machine ${HOST} login ${login} password ${token}\n`
      const download = async (home: string, env: Record<string, string>) => {
        const go = goAtHome(bin, home, {
          GOFLAGS: '-modcacherw',
          SSL_CERT_FILE: certificate.path,
          ...hosts.env,
          GOPROXY: goproxy,
          GOSUMDB: gosumdb,
          ...env,
        })
        const got = await go.run(['mod', 'download', '-x', 'corp.example/s@v1.0.0'])
        return { ...got, asked: askedOfDatabase(got.stderr).filter((line) => !line.startsWith('tile/')) }
      }
      const reads = netrc('alice', alice)
      const url = `${gosumdb} ${goproxy}/sumdb/${NAME}`
      const withToken = goproxy.replace('https://', `https://alice:${alice}@`)
      const rows: [title: string, home: string, env: Record<string, string>, asked: string[]][] = [
        ['.netrc', reads, {}, ['supported 200', `${LOOKUP} 200`]],
        ['.netrc and a URL in GOSUMDB', reads, { GOSUMDB: url }, [`${LOOKUP} 200`]],
        ['credentials in GOPROXY', '', { GOPROXY: withToken }, ['supported 200', `${LOOKUP} 200`]],
      ]
      if (Number(version.split('.')[1]) >= 24) {
        const home = tempFolder('plinth-goauth')
        const lines = block(MANUAL, 'Reading private packages', 1)
          .replace('packages/team/go ci:TOKEN', `packages/beside/go bob:${bob}`)
          .replace('alice:TOKEN', `alice:${alice}`)
        execFileSync('sh', ['-euc', lines], { env: { PATH: process.env['PATH'], HOME: home } })
        const env = { PATH: `${bin}:${process.env['PATH']}`, GOAUTH: join(home, '.plinth-goauth') }
        rows.push(['GOAUTH', '', env, ['supported 200', `${LOOKUP} 200`]])
        const both = { ...env, GOPROXY: `${beside},${goproxy}` }
        rows.push(['GOAUTH for two owners', '', both, ['supported 404', 'supported 200', `${LOOKUP} 200`]])
      } else t.comment(`${version} has no GOAUTH (1.24)`)
      for (const [title, home, env, asked] of rows) {
        const got = await download(home, env)
        t.equal(got.code, 0, got.code === 0 ? title : `${title}: ${got.stderr}`)
        t.same(got.asked, asked, title)
        t.notMatch(got.stderr, alice, 'the token is in no output')
      }
      // The modules come from elsewhere: what is refused is the database.
      const files = `file://${plinth.data}/tree/api/packages/secret/go`
      for (const home of ['', netrc('bob', bob), netrc('alice', 'plinth_wrong')]) {
        const refused = await download(home, { GOPROXY: files, GOSUMDB: url })
        t.not(refused.code, 0)
        t.match(refused.stderr, /lookup\/corp\.example\/s@v1\.0\.0: 401 Unauthorized/)
      }
      const first = await download(netrc('alice', alice), { GOPROXY: `${beside},${goproxy}` })
      t.not(first.code, 0, 'a first owner that answers 401 ends it')
      t.match(first.stderr, /401 Unauthorized/)
    })

  await t.test('who may read it', async (t) => {
    const root = '/api/packages/secret/go/sumdb'
    const paths = ['supported', 'latest', LOOKUP, 'tile/8/0/000.p/1', 'tile/8/data/000.p/1', 'no/such']
      .map((path) => `${root}/${NAME}/${path}`)
      .concat([
        `${root}/${NAME}`,
        `${root}/${NAME}/`,
        root,
        `${root}/`,
        `/api/packages/secret//go/sumdb/${NAME}/latest`,
        `/api/packages/secret/go/x/../sumdb/${NAME}/latest`,
        `/api/packages/secret/go/./sumdb//${NAME}/latest`,
        `/api/packages/team/../secret/go/sumdb/${NAME}/latest`,
        `/api/packages/team/%2e%2e/secret/go/sumdb/${NAME}/latest`,
        `/api/packages/secret/go/%73umdb/${NAME}/latest`,
        `/api/packages/%73ecret/go/sumdb/${NAME}/latest`,
        `/api/packages/secret/go/sumdb/${NAME.replace('/', '%2f')}/latest`,
        `${root}/${NAME}/latest?x=1`,
        `${root}/${NAME}/tile/8/0/000.p/../../0/000.p/1`,
        // one that there is not, of an owner that there is not
        `/api/packages/nobody/go/sumdb/${NAME}/latest`,
      ])
    const answers = new Set<string>()
    for (const path of paths)
      for (const method of ['GET', 'HEAD'])
        for (const auth of [false, basic(`bob:${bob}`), basic('alice:plinth_wrong'), 'Bearer x'] as const) {
          const answer = await ask(port, method, path, { auth, ca })
          t.equal(answer.status, 401, `${method} ${path} ${auth || 'without'}: ${answer.status}`)
          if (method === 'GET') answers.add(answer.body)
        }
    t.equal(answers.size, 1, 'nothing tells what is there')
    const types = {
      supported: '',
      latest: 'go.sum database tree\n1\n',
      [LOOKUP]: '0\ncorp.example/s v1.0.0 h1:',
    }
    for (const auth of [basic(`alice:${alice}`), basic(`writer:${writer}`), basic(`admin:${alice}`)])
      for (const [path, start] of Object.entries(types)) {
        const answer = await ask(port, 'GET', `${root}/${NAME}/${path}`, { auth, ca })
        if (auth === basic(`admin:${alice}`)) t.equal(answer.status, 401, 'another name with this token')
        else {
          t.equal(answer.status, 200, path)
          t.ok(answer.body.startsWith(start), path)
        }
      }
    const head = await ask(port, 'HEAD', `${root}/${NAME}/latest`, { auth: basic(`alice:${alice}`), ca })
    t.equal(head.status, 200)
    t.equal(head.headers['etag'], undefined, 'two heads of one second may have the same size')
    t.match(head.headers, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-cache' })
    const tile = await ask(port, 'GET', `${root}/${NAME}/tile/8/0/000.p/1`, {
      auth: basic(`alice:${alice}`),
      ca,
    })
    t.equal(tile.bytes.length, 32)
    const key = readFileSync(join(plinth.data, 'state/sumdb/secret/key'), 'utf8')
    t.match(key, /^PRIVATE\+KEY\+/)
    for (const path of [
      '/state/sumdb/secret/key',
      '/api/packages/secret/go/../../../../state/sumdb/secret/key',
    ])
      t.not((await ask(port, 'GET', path, { auth: basic(`alice:${alice}`), ca })).status, 200)
  })

  await t.test('who may write there', async (t) => {
    const root = `/api/packages/secret/go/sumdb/${NAME}`
    const before = readFileSync(join(plinth.data, 'tree', root, 'latest'), 'utf8')
    for (const method of ['PUT', 'POST', 'DELETE', 'PATCH', 'MOVE'])
      for (const path of ['supported', 'latest', LOOKUP, 'tile/8/0/000.p/1', 'upload', '@v/v1.0.0'])
        for (const auth of [undefined, basic(`writer:${writer}`)]) {
          const asking = { ...(auth !== undefined && { auth }), body: 'x', ca }
          const answer = await ask(port, method, `${root}/${path}`, asking)
          t.ok([404, 405].includes(answer.status), `${method} ${path}: ${answer.status} ${answer.body}`)
        }
    const gitea = `/api/v1/packages/secret/go/${encodeURIComponent(`sumdb/${NAME}`)}/v1.0.0`
    t.equal((await ask(port, 'DELETE', gitea, { ca })).status, 404)
    for (const module of ['sumdb', `sumdb/${NAME}`, 'sumdb/sum.golang.org']) {
      const answer = await publish('secret', await simpleModule(module, 'v1.0.0'))
      t.equal(answer.status, 400, `${module}: ${answer.body}`)
    }
    t.equal(readFileSync(join(plinth.data, 'tree', root, 'latest'), 'utf8'), before)
    const listed = await ask(port, 'GET', '/api/v1/packages/secret', { ca, auth: basic(`alice:${alice}`) })
    t.notMatch(listed.body, 'sumdb', 'it is no package')
  })
})
