// `go get` with nothing but GOPRIVATE, by the real go over TLS: the path of a module names the server and the owner. By
// the oldest go that has toolchains, and the installed one; TEST_GO_VERSIONS names others: go1.22.12,go1.23.12

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { makeCertificate } from '../support/certificate.js'
import { block, MANUAL } from '../support/documents.js'
import { goAtHome } from '../support/go.js'
import { ask } from '../support/http.js'
import { nameHosts } from '../support/named-hosts.js'
import { startPlinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { tempFolder } from '../support/temp-folder.js'
import { anyToolchain, toolchain } from '../support/toolchains.js'
import { simpleModule } from '../support/zips.js'

const HOST = 'plinth.example.com'
const OTHERS = (process.env['TEST_GO_VERSIONS'] ?? 'go1.21.13').split(',')

const tokenOf = (output: string): string => output.trimEnd().split('\n').at(-1) ?? ''
const uses = (module: string): string =>
  `package main\n\nimport m "${module}"\n\nfunc main() { println(m.Version) }\n`

t.test('go with GOPRIVATE alone', needs('nginx', 'openssl', 'go'), async (t) => {
  const certificate = makeCertificate([HOST])
  const plinth = await startPlinth(certificate.env)
  t.teardown(plinth.stop)
  const hosts = await nameHosts({ [HOST]: plinth.port })
  t.teardown(hosts.stop)
  const { ca } = certificate
  const token: Record<string, string> = {}
  for (const owner of ['secret', 'other']) {
    plinth.cli('owner', 'add', owner, '--private')
    token[owner] = tokenOf(plinth.cli('account', 'add', owner, '--read', owner))
  }
  const publish = async (owner: string, module: string, version: string, more = {}): Promise<void> => {
    const body = await simpleModule(module, version, more)
    const answer = await ask(plinth.port, 'PUT', `/api/packages/${owner}/go/upload`, { body, ca })
    t.equal(answer.status, 201, answer.body)
  }
  const root = `${HOST}/team/m`
  await publish('team', root, 'v1.0.0')
  await publish('team', root, 'v1.1.0', { 'cmd/tool/main.go': 'package main\n\nfunc main() {}\n' })
  await publish('team', `${root}/sub`, 'v0.5.0')
  await publish('team', `${root}/v2`, 'v2.3.0')
  await publish('team', `${HOST}/team/BurntSushi/Toml`, 'v1.2.0-RC1')
  await publish('team', `${HOST}/team/app`, 'v1.0.0', {
    'go.mod': `module ${HOST}/team/app\n\ngo 1.19\n\nrequire ${root} v1.0.0\n`,
    'm.go': `package app\n\nimport m "${root}"\n\nconst Version = "with " + m.Version\n`,
  })
  for (const owner of ['secret', 'other']) await publish(owner, `${HOST}/${owner}/m`, 'v1.0.0')

  const goOf = (bin: string, netrc = '', more: Record<string, string> = {}) =>
    goAtHome(bin, netrc, { SSL_CERT_FILE: certificate.path, ...hosts.env, ...more })
  type Go = ReturnType<typeof goOf>
  const netrcOf = (account: string, secret = token[account]): string =>
    `machine ${HOST} login ${account} password ${secret}\n`

  /** The one setting of the person who uses go, as the README has it. */
  const setPrivate = async (t: Test, go: Go): Promise<void> => {
    t.equal((await go.run(['env', '-w', `GOPRIVATE=${HOST}`])).code, 0)
    const shown = await go.run(['env', 'GOPROXY', 'GOSUMDB', 'GOFLAGS', 'GONOPROXY', 'GONOSUMDB'])
    t.equal(shown.stdout, `https://proxy.golang.org,direct\nsum.golang.org\n\n${HOST}\n${HOST}\n`)
    hosts.askedFor()
  }
  const getAll = async (t: Test, go: Go, wanted: [query: string, got: string][]): Promise<void> => {
    const main = go.newModule()
    const got = await go.run(['get', ...wanted.map(([query]) => query)], main)
    t.equal(got.code, 0, got.stderr)
    const verified = await go.run(['mod', 'verify'], main)
    t.match(verified.stdout, 'all modules verified', verified.stderr)
    const listed = (await go.run(['list', '-m', 'all'], main)).stdout
    for (const [query, line] of wanted) t.match(listed, `${line}\n`, query)
    t.same(hosts.askedFor(), [`${HOST}:443`], 'no proxy and no checksum database is asked')
  }
  const refused = async (t: Test, go: Go, module: string): Promise<void> => {
    const got = await go.run(['get', `${module}@latest`], go.newModule())
    t.not(got.code, 0)
    t.match(got.stderr, /401 Unauthorized/, module)
  }

  const installed = toolchain('local')
  for (const { version, bin, skip } of [{ ...installed, skip: false }, ...OTHERS.map(anyToolchain)]) {
    await t.test(version, { skip }, async (t) => {
      const go = goOf(bin)
      await setPrivate(t, go)
      t.match((await go.run(['version'])).stdout, `go version ${version} `)
      await getAll(t, go, [
        [`${root}@latest`, `${root} v1.1.0`],
        [`${root}/sub@latest`, `${root}/sub v0.5.0`],
        [`${root}/v2@latest`, `${root}/v2 v2.3.0`],
      ])
      await getAll(t, go, [[`${root}/sub`, `${root}/sub v0.5.0`]])
      await getAll(t, go, [[`${root}/cmd/tool`, `${root} v1.1.0`]])
      await getAll(t, go, [
        [`${HOST}/team/BurntSushi/Toml@v1.2.0-RC1`, `${HOST}/team/BurntSushi/Toml v1.2.0-RC1`],
      ])
      await getAll(t, go, [[`${HOST}/team/app@latest`, `${root} v1.0.0`]])

      const reader = goOf(bin, netrcOf('secret'))
      await setPrivate(t, reader)
      await getAll(t, reader, [
        [`${HOST}/secret/m@latest`, `${HOST}/secret/m v1.0.0`],
        [`${root}@v1.0.0`, `${root} v1.0.0`],
      ])
      for (const netrc of ['', netrcOf('other'), netrcOf('secret', 'plinth_wrong')]) {
        const stranger = goOf(bin, netrc)
        await setPrivate(t, stranger)
        await refused(t, stranger, `${HOST}/secret/m`)
        await refused(t, stranger, `${HOST}/nobody/m`)
        t.same(hosts.askedFor(), [`${HOST}:443`], 'nobody else is asked for it')
      }
    })
  }

  await t.test('what was got is compiled, and a program is installed', async (t) => {
    const go = goOf(installed.bin)
    await setPrivate(t, go)
    const main = go.newModule(uses(`${HOST}/team/app`))
    t.equal((await go.run(['get', '.'], main)).code, 0)
    t.equal((await go.run(['run', '.'], main)).stderr, 'with v1.0.0\n')
    const tool = await go.run(['install', `${root}/cmd/tool@latest`])
    t.equal(tool.code, 0, tool.stderr)
  })

  // 1.24 asks the program in another way than those after it
  for (const { version, bin, skip } of [{ ...installed, skip: false }, anyToolchain('go1.24.13')]) {
    await t.test(`a token of its own for each owner, through GOAUTH: ${version}`, { skip }, async (t) => {
      if (Number(version.split('.')[1]) < 24) return t.comment('NOT TESTED: this go has no GOAUTH (1.24)')
      const home = tempFolder('plinth-goauth')
      const lines = block(MANUAL, 'Reading private packages', 1)
        .replace('packages/team/go ci:TOKEN', `packages/other/go other:${token['other']}`)
        .replace('alice:TOKEN', `secret:${token['secret']}`)
      execFileSync('sh', ['-euc', lines], { env: { PATH: process.env['PATH'], HOME: home } })
      const go = goOf(bin, '', {
        PATH: `${bin}:${process.env['PATH']}`,
        GOAUTH: join(home, '.plinth-goauth'),
      })
      await setPrivate(t, go)
      await getAll(t, go, [
        [`${HOST}/secret/m@latest`, `${HOST}/secret/m v1.0.0`],
        [`${HOST}/other/m@latest`, `${HOST}/other/m v1.0.0`],
      ])
      await refused(t, go, `${HOST}/nobody/m`)
    })
  }
})
