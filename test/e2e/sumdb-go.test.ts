// The checksum database of a public owner and the real go, the oldest with toolchains and the installed one: how go
// finds it, what it asks, and what it says of bytes that were changed.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { escapePath } from '../../src/gomod/module-path.js'
import { goAtHome } from '../support/go.js'
import { nameHosts } from '../support/named-hosts.js'
import { startPlinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import {
  askedOfDatabase,
  databaseOf,
  downloadedIn,
  enableDatabase,
  inDatabase,
  oldAndNewGo,
  tamper,
} from '../support/sumdb.js'
import { moduleZip, simpleModule } from '../support/zips.js'

const NAME = 'sum.corp.example/team'
const PSEUDO = 'v0.0.0-20191109021931-daa7c04131f5'
const flipped = (bytes: Buffer, at: number): Buffer => bytes.fill((bytes[at] ?? 0) ^ 1, at, at + 1)
const GO_FILE = 'package m\n\nconst Version = "0"\n'

/** Modules of every kind: [module, version, zip of a version without go.mod]. */
const MODULES: [module: string, version: string, bare?: true][] = [
  ['corp.example/plain', 'v1.0.0'],
  ['corp.example/BurntSushi/Toml', 'v1.2.0-RC1'],
  ['corp.example/old', 'v2.0.0+incompatible', true],
  ['corp.example/pseudo', PSEUDO],
  ['corp.example/pre', 'v1.0.0-rc.10'],
  ['corp.example/bare', 'v1.0.0', true],
  ['corp.example/major/v2', 'v2.3.0'],
  ['corp.example/retracted', 'v1.0.0'],
]
/** The answer to a lookup of go. */
const lookupOf = (module: string, version: string): string =>
  `lookup/${escapePath(module)}@${escapePath(version)} 200`
const ALL = MODULES.map(([module, version]) => `${module}@${version}`)

t.test('go and a checksum database', needs('nginx', 'go'), async (t) => {
  const plinth = await startPlinth()
  t.teardown(plinth.stop)
  const nobody = await nameHosts({})
  t.teardown(nobody.stop)
  const { cli, data, url } = plinth
  const proxyOf = (owner: string): string => `${url}/api/packages/${owner}/go`
  const publish = async (owner: string, body: Buffer): Promise<void> => {
    const answer = await plinth.publish(body, owner)
    t.equal(answer.status, 201, answer.body)
  }
  // half of them are there before, the others come after
  const put = async ([module, version, bare]: (typeof MODULES)[number]): Promise<void> =>
    publish(
      'team',
      await (bare ? moduleZip(module, version, { 'm.go': GO_FILE }) : simpleModule(module, version)),
    )
  cli('owner', 'add', 'first')
  for (const module of MODULES.slice(0, 4)) await put(module)
  const { gosumdb, goproxy } = enableDatabase(plinth, 'team', NAME)
  for (const module of MODULES.slice(4)) await put(module)
  const retracting = 'module corp.example/retracted\n\ngo 1.19\n\nretract v1.0.0 // wrong\n'
  await publish('team', await simpleModule('corp.example/retracted', 'v1.1.0', { 'go.mod': retracting }))
  await publish('team', await simpleModule('corp.example/used', 'v1.0.0'))
  await publish('first', await simpleModule('example.com/public', 'v1.0.0'))
  t.equal(goproxy, proxyOf('team'))
  t.equal(databaseOf(plinth, 'team').size, MODULES.length + 2)

  for (const { version, bin, skip } of oldAndNewGo())
    await t.test(version, { skip }, async (t) => {
      /** go with nothing of before; other hosts than 127.0.0.1 refuse it. */
      const goWith = (env: Record<string, string>) =>
        goAtHome(bin, '', { GOFLAGS: '-modcacherw', ...nobody.env, NO_PROXY: '127.0.0.1', ...env })
      const ours = { GOPROXY: goproxy, GOSUMDB: gosumdb }
      /** Downloads versions outside of a module; the answers of databases, and what is told of each version. */
      const download = async (env: Record<string, string>, ...wanted: string[]) => {
        const got = await goWith(env).run(['mod', 'download', '-x', '-json', ...wanted])
        return { ...got, asked: askedOfDatabase(got.stderr), versions: downloadedIn(got.stdout) }
      }

      await t.test('go.sum is what go computes by itself, for modules of every kind', async (t) => {
        const sumOf = async (env: Record<string, string>): Promise<string> => {
          const go = goWith(env)
          const main = go.newModule()
          const got = await go.run(['get', '-x', ...ALL], main)
          t.equal(got.code, 0, got.code ? got.stderr : 'done')
          const asked = askedOfDatabase(got.stderr)
          const missing = MODULES.filter(([module, at]) => !asked.includes(lookupOf(module, at)))
          if (env['GOSUMDB'] === 'off') t.same(asked, [])
          else t.same(missing, [], 'a lookup for each module')
          t.ok(asked.every((line) => line.endsWith(' 200')))
          return readFileSync(join(main, 'go.sum'), 'utf8')
        }
        const computed = await sumOf({ GOPROXY: goproxy, GOSUMDB: 'off' })
        t.equal(computed.trim().split('\n').length, 2 * ALL.length)
        t.equal(await sumOf(ours), computed)
      })

      await t.test('how go finds it', async (t) => {
        const rows: [title: string, env: Record<string, string>, asked: string[]][] = [
          ['through GOPROXY', ours, ['supported 200', 'lookup/corp.example/plain@v1.0.0 200']],
          [
            'the second owner of GOPROXY has it',
            { ...ours, GOPROXY: `${proxyOf('first')},${goproxy}` },
            ['supported 404', 'supported 200', 'lookup/corp.example/plain@v1.0.0 200'],
          ],
          [
            'at a URL in GOSUMDB',
            { ...ours, GOSUMDB: `${gosumdb} ${goproxy}/sumdb/${NAME}` },
            ['lookup/corp.example/plain@v1.0.0 200'],
          ],
        ]
        for (const [title, env, asked] of rows) {
          const got = await download(env, ALL[0] ?? '')
          t.equal(got.code, 0, got.code ? got.stderr : title)
          t.same(
            got.asked.filter((line) => !line.startsWith('tile/')),
            asked,
            title,
          )
        }
        const files = `file://${data}/tree/api/packages/team/go`
        for (const env of [
          { GOPROXY: files, GOSUMDB: gosumdb },
          { GOPROXY: files, GOSUMDB: `${gosumdb} ${files}/sumdb/${NAME}` },
        ]) {
          const got = await download(env, ...ALL)
          t.equal(got.code, 0, got.code ? got.stderr : 'files')
          t.notMatch(got.stderr, /# get http/, 'without any server')
        }
        t.same(nobody.askedFor(), [], 'nobody else is asked')
      })

      await t.test('who is not checked, and who is all the same', async (t) => {
        const module = ALL[0] ?? ''
        for (const env of [
          { ...ours, GONOSUMDB: 'corp.example' },
          { ...ours, GOPRIVATE: 'corp.example', GONOPROXY: 'none' },
          { ...ours, GOSUMDB: 'off' },
        ]) {
          const got = await download(env, module)
          t.equal(got.code, 0, got.code ? got.stderr : 'done')
          t.same(got.asked, [], JSON.stringify(env))
        }
        for (const env of [
          { ...ours, GOPRIVATE: 'corp.example', GONOSUMDB: 'none', GONOPROXY: 'none' },
          { ...ours, GOINSECURE: 'corp.example', GONOSUMCHECK: '1' },
        ]) {
          const got = await download(env, module)
          t.equal(got.code, 0, got.code ? got.stderr : 'done')
          t.match(got.asked, ['supported 200', `lookup/${module} 200`], JSON.stringify(env))
        }
        const go = goWith(ours)
        const main = go.newModule()
        t.equal((await go.run(['get', module], main)).code, 0)
        t.equal((await go.run(['clean', '-modcache'])).code, 0)
        const again = await go.run(['mod', 'download', '-x'], main)
        t.equal(again.code, 0, again.stderr)
        t.same(askedOfDatabase(again.stderr), [], 'go.sum has the line: no database is asked')
      })

      await t.test('what is not recorded, and a database of others', async (t) => {
        const both = { ...ours, GOPROXY: `${goproxy},${proxyOf('first')}` }
        const unknown = await download(both, 'example.com/public@v1.0.0')
        t.not(unknown.code, 0)
        t.match(unknown.asked, ['supported 200', 'lookup/example.com/public@v1.0.0 404'])
        t.match(
          unknown.versions[0]?.Error,
          /verifying .*lookup\/example\.com\/public@v1\.0\.0: 404 Not Found/,
        )
        nobody.askedFor()
        const others = await download({ GOPROXY: goproxy, GOSUMDB: 'sum.golang.org' }, ALL[0] ?? '')
        t.not(others.code, 0)
        t.same(others.asked.slice(0, 1), ['supported 404'])
        t.same(nobody.askedFor(), ['sum.golang.org:443'], 'go turns to the database itself')
        const wrongKey = gosumdb.replace(/[^+]*$/, (key) =>
          key.replace(/.$/, (end) => (end === 'A' ? 'B' : 'A')),
        )
        t.not((await download({ ...ours, GOSUMDB: wrongKey }, ALL[0] ?? '')).code, 0, 'another key')
      })

      await t.test('bytes that were changed', async (t) => {
        const [module = '', at = ''] = ['corp.example/plain', 'v1.0.0']
        const zip = join(data, `tree/api/packages/team/go/${module}/@v/${at}.zip`)
        const good = goWith(ours)
        const main = good.newModule()
        t.equal((await good.run(['get', `${module}@${at}`], main)).code, 0)
        // a whole zip of the same size, which says "V9" where the other says "v1"
        const other = await simpleModule(module, at, { 'm.go': 'package m\n\nconst Version = "v9.0.0"\n' })
        const putBack = tamper(zip, () => other)
        t.teardown(putBack)
        const got = await download(ours, `${module}@${at}`)
        t.not(got.code, 0)
        t.match(got.versions[0]?.Error, /checksum mismatch[^]*SECURITY ERROR/)
        // a go that checks nothing takes it, and go.sum tells on it
        const careless = await good.run(['clean', '-modcache'])
        t.equal(careless.code, 0)
        const off = { GOSUMDB: 'off', GONOSUMDB: '*' }
        t.equal((await good.run(['mod', 'download', `${module}@${at}`], undefined, off)).code, 0)
        const told = await good.run(['mod', 'download'], main)
        t.not(told.code, 0)
        t.match(told.stderr, /checksum mismatch[^]*SECURITY ERROR/)
        putBack()

        const byte = tamper(zip, (bytes) =>
          flipped(bytes, 33 + bytes.readUInt16LE(26) + bytes.readUInt16LE(28)),
        )
        t.not((await download(ours, `${module}@${at}`)).code, 0, 'a byte of a file in it')
        byte()

        const lookup = tamper(inDatabase(data, 'team', NAME, `lookup/${module}@${at}`), (bytes) =>
          Buffer.from(bytes.toString().replace(/h1:./, (start) => (start === 'h1:A' ? 'h1:B' : 'h1:A'))),
        )
        const lied = await download(ours, `${module}@${at}`)
        t.not(lied.code, 0)
        t.match(lied.versions[0]?.Error, /cannot authenticate record data in server response/)
        lookup()

        const { size } = databaseOf(plinth, 'team')
        const tile = tamper(inDatabase(data, 'team', NAME, `tile/8/0/000.p/${size}`), (bytes) =>
          flipped(bytes, 5),
        )
        const last = await download(ours, 'corp.example/used@v1.0.0')
        t.not(last.code, 0)
        t.match(last.versions[0]?.Error, /downloaded inconsistent tile/)
        tile()
        t.equal((await download(ours, ...ALL)).code, 0, 'and all is well again')
      })

      await t.test('own modules alone are checked, as `sumdb show --only` says', async (t) => {
        const only = cli('sumdb', 'show', 'team', '--only', 'corp.example').trim().split('\n').at(-1) ?? ''
        t.match(only, /^GONOSUMDB=./)
        const env = {
          GOPROXY: `${goproxy},${proxyOf('first')}`,
          GOSUMDB: gosumdb,
          GONOSUMDB: only.slice('GONOSUMDB='.length),
        }
        const wanted = [
          'corp.example/plain v1.0.0',
          'corp.example/major/v2 v2.3.0',
          'example.com/public v1.0.0',
        ]
        const inCopy = async () => {
          const go = goWith(env)
          const main = go.newModule()
          const requires = wanted.map((each) => `require ${each}\n`).join('')
          writeFileSync(join(main, 'go.mod'), `module example.org/main\n\ngo 1.19\n\n${requires}`)
          return { ...(await go.run(['mod', 'download', '-x'], main)), main }
        }
        const fine = await inCopy()
        t.equal(fine.code, 0, fine.stderr)
        const lookups = askedOfDatabase(fine.stderr).filter((line) => line.startsWith('lookup/'))
        t.same(lookups.sort(), [
          'lookup/corp.example/major/v2@v2.3.0 200',
          'lookup/corp.example/plain@v1.0.0 200',
        ])
        const other = await simpleModule('corp.example/plain', 'v1.0.0', {
          'm.go': 'package m\n\nconst Version = "v8.0.0"\n',
        })
        const putBack = tamper(
          join(data, 'tree/api/packages/team/go/corp.example/plain/@v/v1.0.0.zip'),
          () => other,
        )
        t.teardown(putBack)
        const found = await inCopy()
        t.not(found.code, 0)
        t.match(found.stderr, /corp\.example\/plain@v1\.0\.0[^]*checksum mismatch[^]*SECURITY ERROR/)
      })
    })
})
