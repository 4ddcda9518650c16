// The page of the manual on closed networks, typed from top to bottom where there is no other host: first outside, with a
// Plinth as the proxy and the checksum database of the world, then inside, with another one alone.

import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runAlone } from '../support/alone.js'
import { block, MANUAL, ROOT } from '../support/documents.js'
import { FAKE_TOOLCHAIN, fakeToolchainFiles, fakeToolchainVersion } from '../support/fake-toolchain.js'
import { makeGo } from '../support/go.js'
import { startPlinth, type Plinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { tempFolder } from '../support/temp-folder.js'
import { moduleZip } from '../support/zips.js'

const notAlone = runAlone(import.meta.url)

const isLinux = process.platform === 'linux' && process.arch === 'x64'

/** What is published outside: modules, and a toolchain that says which it is, and leaves the work to the real go. */
async function publishAll(plinth: Plinth): Promise<void> {
  const realGo = execFileSync('sh', ['-c', 'command -v go'], { encoding: 'utf8' }).trim()
  const modules: [path: string, version: string, files: Record<string, string | Buffer>][] = [
    ['example.com/base', 'v1.0.0', { 'go.mod': 'module example.com/base\n', 'b.go': 'package base\n' }],
    ['example.com/base', 'v1.1.0', { 'go.mod': 'module example.com/base\n', 'b.go': 'package base\n' }],
    [
      'example.com/Old',
      'v1.0.0',
      {
        'go.mod': 'module example.com/Old\n\ngo 1.16\n\nrequire example.com/base v1.0.0\n',
        'o.go': 'package old\n\nimport _ "example.com/base"\n',
      },
    ],
    ['example.com/none', 'v2.0.0+incompatible', { 'n.go': 'package none\n' }],
    [
      'golang.org/toolchain',
      fakeToolchainVersion('linux-amd64'),
      fakeToolchainFiles(
        `echo "this is ${FAKE_TOOLCHAIN}" >&2\nunset GOROOT GOTOOLCHAIN_INTERNAL_SWITCH_VERSION GOTOOLCHAIN_INTERNAL_SWITCH_COUNT\nGOTOOLCHAIN=local exec '${realGo}' "$@"`,
      ),
    ],
  ]
  for (const [path, version, files] of modules) {
    const { status, body } = await plinth.publish(await moduleZip(path, version, files))
    if (status !== 201) throw new Error(body)
  }
}

const APP = {
  'go.mod':
    `module corp.example/app\n\ngo 1.21\n\ntoolchain ${FAKE_TOOLCHAIN}\n\nrequire (\n\texample.com/Old v1.0.0\n` +
    '\texample.com/base v1.1.0\n\texample.com/none v2.0.0+incompatible\n)\n',
  'main.go':
    'package main\n\nimport (\n\t_ "example.com/Old"\n\t_ "example.com/none"\n)\n\nfunc main() {\n\tprintln("built")\n}\n',
}

t.test('typed from top to bottom, with nobody to ask', needs('go', 'nginx'), async (t) => {
  if (notAlone !== undefined) t.comment(notAlone)
  const world = await startPlinth()
  await publishAll(world)
  const said = world.cli('sumdb', 'enable', 'admin', '--name', 'sum.world.example', '--yes')
  const gosumdb = /^GOSUMDB=(.*)$/m.exec(said)?.[1] ?? ''
  const outside = makeGo(`${world.url}/api/packages/admin/go`, { GOSUMDB: gosumdb, GONOSUMDB: '' })
  const app = join(outside.env.HOME, 'src/app')
  mkdirSync(app, { recursive: true })
  for (const [name, content] of Object.entries(APP)) writeFileSync(join(app, name), content)
  const tidied = await outside.run(['mod', 'tidy'], app)
  t.equal(tidied.code, 0, tidied.stderr)

  const carried = join(outside.env.HOME, 'carried')
  /** Types lines of the manual: `scripts/plinth` is the one built here, what was carried is where it was made. */
  const type = (lines: string, env: Record<string, string>) => {
    const typed = lines
      .replaceAll('scripts/plinth', `env -u NODE_OPTIONS '${ROOT}scripts/plinth'`)
      .replaceAll('/mnt/carried', carried)
    const ran = spawnSync('sh', ['-euc', typed], { env: { ...process.env, ...env }, encoding: 'utf8' })
    return { code: ran.status, out: ran.stdout, err: ran.stderr }
  }
  const collected = type(block(MANUAL, 'Closed networks'), outside.env)
  t.match(
    collected,
    { code: 0, out: /^5 versions collected, .* 0 not collected/ },
    collected.out + collected.err,
  )
  t.match(collected.out, `toolchains: ${FAKE_TOOLCHAIN}`)
  await world.stop() // nobody can be asked any more

  const plinth = await startPlinth()
  t.teardown(plinth.stop)
  const serving = { PLINTH_DATA: plinth.data, PLINTH_LISTEN: `127.0.0.1:${plinth.port}` }
  const prepared = type(block(MANUAL, 'Closed networks', 1), serving)
  t.equal(prepared.code, 0, prepared.err)
  const imported = type(block(MANUAL, 'Closed networks', 2), serving)
  t.match(imported, { code: 0, out: /^5 published, .* 0 refused/ }, imported.out + imported.err)
  t.notMatch(imported.out, /have no line in go\.sum/)

  const lines = imported.out.split('\n').filter((line) => line.startsWith('go env -w '))
  const shown = block(MANUAL, 'Closed networks', 0, '')
  const pattern = (line: string): string =>
    line.replace(/http:\/\/[^/]+/, plinth.url).replace(/\+[0-9a-f]{8}\+\S+/, '+KEY')
  t.same(
    lines.map((line) => line.replace(/\+[0-9a-f]{8}\+\S+/, '+KEY')),
    shown.trim().split('\n').map(pattern),
    'it prints what the manual shows',
  )

  const home = tempFolder()
  cpSync(app, join(home, 'src/app'), { recursive: true })
  const sum = readFileSync(join(app, 'go.sum'), 'utf8')
  rmSync(join(home, 'src/app/go.sum')) // so that go must ask the database
  const developer = {
    HOME: home,
    GOPATH: join(home, 'go'),
    GOCACHE: outside.env.GOCACHE,
    GOENV: join(home, 'env'),
    GOFLAGS: '-modcacherw -mod=mod',
    CGO_ENABLED: '0',
    ...Object.fromEntries(
      ['GOPROXY', 'GOSUMDB', 'GONOSUMDB', 'GOTOOLCHAIN', 'GOMODCACHE', 'GOBIN'].map((name) => [name, '']),
    ),
  }
  const set = type(lines.join('\n'), developer)
  t.equal(set.code, 0, set.err)
  if (!isLinux) return void t.comment('NOT TESTED: the build, which needs the toolchain of linux/amd64')
  const built = type(block(MANUAL, 'Closed networks', 3), developer)
  t.equal(built.code, 0, built.err)
  t.match(
    built.err,
    new RegExp(`go: downloading ${FAKE_TOOLCHAIN} [^]*this is ${FAKE_TOOLCHAIN}`),
    'go has switched',
  )
  t.equal(
    execFileSync(join(home, 'src/app/app'), { encoding: 'utf8', stdio: 'pipe' }),
    '',
    'a program was built',
  )
  const now = readFileSync(join(home, 'src/app/go.sum'), 'utf8').split('\n')
  for (const line of sum.split('\n')) t.ok(now.includes(line), `the same line: ${line}`)
  const asked = join(home, 'go/pkg/mod/cache/download/sumdb/sum.corp.example/closed/lookup')
  t.ok(existsSync(join(asked, 'example.com')), 'go has asked the database inside')
  t.ok(existsSync(join(asked, 'golang.org')), 'for the toolchain, too')
})
