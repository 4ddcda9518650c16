// What people do with the Go registry, with the real go and the real nginx.

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { execFileSync } from 'node:child_process'
import t, { type Test } from 'tap'
import { moduleZip, simpleModule, type Files } from '../support/zips.js'
import { makeGo } from '../support/go.js'
import { startPlinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'

const GO = '/api/packages/admin/go'
const P1 = 'v0.0.0-20191109021931-daa7c04131f5'
const P2 = 'v0.0.0-20211109021931-aaa7c04131f5'

t.test('the go command against the tree', needs('nginx', 'go'), async (t) => {
  const plinth = await startPlinth()
  t.teardown(plinth.stop)
  const go = makeGo(`${plinth.url}${GO}`)

  const publish = async (module: string, version: string, more: Files = {}): Promise<void> => {
    const answer = await plinth.publish(await simpleModule(module, version, more))
    t.equal(answer.status, 201, `${module}@${version}: ${answer.body}`)
  }
  const list = async (path: string): Promise<string> =>
    (await go.run(['list', '-m', '-versions', path])).stdout.trim()
  const latest = async (path: string): Promise<string> =>
    (await go.run(['list', '-m', '-f', '{{.Version}}', `${path}@latest`])).stdout.trim()

  /** `go get` of a package, and a program that uses it: downloaded, verified, compiled. */
  const use = async (t: Test, module: string, version: string, path = module): Promise<void> => {
    const main = go.newModule(`package main\n\nimport m "${path}"\n\nfunc main() { println(m.Version) }\n`)
    const get = await go.run(['get', `${path}@${version}`], main)
    t.equal(get.code, 0, `go get ${path}@${version}: ${get.stderr}`)
    const verify = await go.run(['mod', 'verify'], main)
    t.match(verify.stdout, 'all modules verified', verify.stderr)
    const ran = await go.run(['run', '.'], main)
    t.equal(ran.stderr.trim().split('\n').at(-1), version)
    const download = await go.run(['mod', 'download', '-json', `${module}@${version}`], main)
    t.equal((JSON.parse(download.stdout) as { Version: string }).Version, version)
  }

  t.test('a module with capitals in path and version', async (t) => {
    const module = 'example.com/BurntSushi/Toml'
    await publish(module, 'v1.1.0')
    await publish(module, 'v1.2.0-RC1')
    await use(t, module, 'v1.1.0')
    await use(t, module, 'v1.2.0-RC1')
    t.equal(await list(module), `${module} v1.1.0 v1.2.0-RC1`)
    t.equal(await latest(module), 'v1.1.0')
  })

  t.test('major versions: /v2 and +incompatible', async (t) => {
    await publish('example.com/major', 'v1.0.0')
    await publish('example.com/major/v2', 'v2.3.0')
    await publish('example.com/old', 'v1.0.0')
    const old = await moduleZip('example.com/old', 'v2.0.0+incompatible', {
      'm.go': 'package m\n\nconst Version = "v2.0.0+incompatible"\n',
    })
    t.equal((await plinth.publish(old)).status, 201)
    await use(t, 'example.com/major/v2', 'v2.3.0')
    await use(t, 'example.com/major', 'v1.0.0')
    await use(t, 'example.com/old', 'v2.0.0+incompatible')
    t.equal(await list('example.com/old'), 'example.com/old v1.0.0 v2.0.0+incompatible')
  })

  t.test('a module beside one in its sub-directory', async (t) => {
    await publish('example.com/m', 'v1.0.0')
    await publish('example.com/m/sub', 'v0.5.0')
    await use(t, 'example.com/m', 'v1.0.0')
    await use(t, 'example.com/m/sub', 'v0.5.0')
    t.equal((await plinth.ask('DELETE', `${GO}/example.com/m/@v/v1.0.0`)).status, 204)
    await use(t, 'example.com/m/sub', 'v0.5.0')
    t.equal((await plinth.get(`${GO}/example.com/m/@v/list`)).status, 404)
  })

  t.test('a module without go.mod', async (t) => {
    const zip = await moduleZip('example.com/bare', 'v1.0.0', {
      'm.go': 'package m\n\nconst Version = "v1.0.0"\n',
    })
    t.equal((await plinth.publish(zip)).status, 201)
    t.equal((await plinth.get(`${GO}/example.com/bare/@v/v1.0.0.mod`)).body, 'module example.com/bare\n')
    await use(t, 'example.com/bare', 'v1.0.0')
  })

  t.test('pseudo-versions only', async (t) => {
    await publish('example.com/pseudo', P2)
    await publish('example.com/pseudo', P1)
    const listed = await plinth.get(`${GO}/example.com/pseudo/@v/list`)
    t.equal(listed.status, 200)
    t.equal(listed.body, '')
    t.equal(await latest('example.com/pseudo'), P2)
    await use(t, 'example.com/pseudo', P1)
    const info = JSON.parse((await plinth.get(`${GO}/example.com/pseudo/@latest`)).body) as object
    t.same(info, { Version: P2, Time: '2021-11-09T02:19:31Z' })
  })

  t.test('pre-releases only', async (t) => {
    await publish('example.com/pre', 'v1.0.0-rc.2')
    await publish('example.com/pre', 'v1.0.0-rc.10')
    await publish('example.com/pre', 'v1.0.0-rc.1')
    t.equal(await latest('example.com/pre'), 'v1.0.0-rc.10')
    t.equal(await list('example.com/pre'), 'example.com/pre v1.0.0-rc.1 v1.0.0-rc.2 v1.0.0-rc.10')
  })

  t.test('v1.0.5 published after v1.1.0: @latest stays', async (t) => {
    await publish('example.com/order', 'v1.1.0')
    await publish('example.com/order', 'v1.0.5')
    t.equal(await latest('example.com/order'), 'v1.1.0')
    t.match((await plinth.get(`${GO}/example.com/order/@latest`)).body, '"v1.1.0"')
    for (const extension of ['info', 'mod', 'zip']) {
      const [named, exact] = await Promise.all(
        ['latest', 'v1.1.0'].map((version) =>
          plinth.get(`${GO}/example.com/order/@v/${version}.${extension}`),
        ),
      )
      t.equal(named?.status, 200)
      t.ok(named?.bytes.equals(exact?.bytes ?? Buffer.alloc(0)), `latest.${extension}`)
    }
  })

  t.test('a package path whose parents are probed', async (t) => {
    await publish('example.com/deep', 'v1.0.0', { 'a/b/m.go': 'package b\n\nconst Version = "v1.0.0"\n' })
    for (const probed of ['example.com/deep/a/b', 'example.com/deep/a', 'example.com']) {
      t.equal((await plinth.get(`${GO}/${probed}/@v/list`)).status, 404, probed)
      t.equal((await plinth.get(`${GO}/${probed}/@latest`)).status, 404, probed)
    }
    await use(t, 'example.com/deep', 'v1.0.0', 'example.com/deep/a/b')
  })

  t.test('go install', async (t) => {
    const zip = await moduleZip('example.com/Tool', 'v1.0.0', {
      'go.mod': 'module example.com/Tool\n\ngo 1.19\n',
      'cmd/hello/main.go':
        'package main\n\nimport "fmt"\n\nfunc main() { fmt.Println("hello from plinth") }\n',
    })
    t.equal((await plinth.publish(zip)).status, 201)
    for (const version of ['@latest', '@v1.0.0', '']) {
      // without a version go needs a main module that has it
      const main = go.newModule()
      if (version === '') await go.run(['get', 'example.com/Tool/cmd/hello'], main)
      const install = await go.run(['install', `example.com/Tool/cmd/hello${version}`], main)
      t.equal(install.code, 0, `go install ${version}: ${install.stderr}`)
    }
    t.ok(existsSync(join(go.bin, 'hello')))
    t.equal(execFileSync(join(go.bin, 'hello'), { encoding: 'utf8' }), 'hello from plinth\n')
  })

  t.test('the last version deleted: 404, and go falls through to the next proxy', async (t) => {
    await publish('example.com/moved', 'v1.0.0')
    t.equal((await plinth.ask('DELETE', `${GO}/example.com/moved/@v/v1.0.0`)).status, 204)
    for (const path of [
      '@v/list',
      '@latest',
      '@v/v1.0.0.info',
      '@v/v1.0.0.mod',
      '@v/v1.0.0.zip',
      '@v/latest.zip',
    ]) {
      t.equal((await plinth.get(`${GO}/example.com/moved/${path}`)).status, 404, path)
    }
    const next = await simpleModule('example.com/moved', 'v1.3.0')
    t.equal((await plinth.publish(next, 'team')).status, 201)
    const falling = makeGo(`${plinth.url}${GO},${plinth.url}/api/packages/team/go`)
    const got = await falling.run(['list', '-m', '-f', '{{.Version}}', 'example.com/moved@latest'])
    t.equal(got.stdout.trim(), 'v1.3.0', got.stderr)
    t.same(readdirSync(join(plinth.data, 'tree/api/packages/admin/go/example.com')).includes('moved'), false)
  })

  t.test('deleted and published again, with other content', async (t) => {
    const first = await simpleModule('example.com/again', 'v1.0.0', { 'x.txt': 'first' })
    const second = await simpleModule('example.com/again', 'v1.0.0', { 'x.txt': 'other' })
    t.equal((await plinth.publish(first)).status, 201)
    const before = await plinth.get(`${GO}/example.com/again/@v/v1.0.0.zip`)
    t.equal((await plinth.ask('DELETE', `${GO}/example.com/again/@v/v1.0.0`)).status, 204)
    t.equal((await plinth.publish(second)).status, 201)
    const after = await plinth.get(`${GO}/example.com/again/@v/v1.0.0.zip`)
    t.ok(after.bytes.equals(second), 'the new bytes are served')
    t.equal(before.bytes.length, after.bytes.length)
    t.not(
      before.headers.etag,
      after.headers.etag,
      'a client that revalidates sees the change, within one second too',
    )
    await use(t, 'example.com/again', 'v1.0.0')
  })

  t.test('a version of the middle deleted', async (t) => {
    for (const version of ['v1.0.0', 'v1.1.0', 'v1.2.0']) await publish('example.com/middle', version)
    t.equal((await plinth.ask('DELETE', `${GO}/example.com/middle/@v/v1.2.0`)).status, 204)
    t.equal(await latest('example.com/middle'), 'v1.1.0')
    t.equal(await list('example.com/middle'), 'example.com/middle v1.0.0 v1.1.0')
    const zips = await Promise.all(
      ['latest', 'v1.1.0'].map((v) => plinth.get(`${GO}/example.com/middle/@v/${v}.zip`)),
    )
    t.ok(zips[0]?.bytes.equals(zips[1]?.bytes ?? Buffer.alloc(0)))
    t.equal((await plinth.ask('DELETE', `${GO}/example.com/middle/@v/v1.2.0`)).status, 404, 'gone is gone')
  })

  t.test('directory entries are warned of, and go mod verify fails as the warning says', async (t) => {
    const zip = await simpleModule('example.com/folders', 'v1.0.0', { 'sub/': '', 'sub/x.txt': 'x' })
    const answer = await plinth.publish(zip)
    t.equal(answer.status, 201)
    t.match(answer.body, /warning: 1 directory entry: "go mod verify" fails/)
    const main = go.newModule()
    await go.run(['get', 'example.com/folders@v1.0.0'], main)
    t.match((await go.run(['mod', 'verify'], main)).stderr, /example.com\/folders.*modified/)
  })

  t.test("the 201 shows go.sum's own lines", async (t) => {
    const answer = await plinth.publish(await simpleModule('example.com/Sum', 'v1.0.0'))
    const main = go.newModule()
    const download = await go.run(['mod', 'download', '-json', 'example.com/Sum@v1.0.0'], main)
    const { Sum, GoModSum } = JSON.parse(download.stdout) as { Sum: string; GoModSum: string }
    t.match(answer.body, `example.com/Sum v1.0.0 ${Sum}\nexample.com/Sum v1.0.0/go.mod ${GoModSum}\n`)
    t.match(answer.body, `GOPROXY=${plinth.url}${GO} GONOSUMDB=example.com/Sum go get example.com/Sum@v1.0.0`)
  })
})
