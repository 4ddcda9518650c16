// `plinth collect`, with the real go, from a proxy that is a folder.

import { execFileSync, spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { delimiter, dirname, join } from 'node:path'
import t from 'tap'
import { escapePath } from '../../src/gomod/module-path.js'
import { parseGoSum } from '../../src/gomod/go-sum.js'
import { watch } from '../support/child.js'
import { CLI, plainNode, runCli, type CliResult } from '../support/cli.js'
import { block, MANUAL, ROOT } from '../support/documents.js'
import { FAKE_TOOLCHAIN_MOD, fakeToolchainFiles, fakeToolchainVersion } from '../support/fake-toolchain.js'
import { makeGo } from '../support/go.js'
import { needs } from '../support/programs.js'
import { tempFolder } from '../support/temp-folder.js'
import { until } from '../support/until.js'
import { moduleZip, simpleModule, type Files } from '../support/zips.js'

const isLinux = process.platform === 'linux' && process.arch === 'x64'

/** A proxy that is a folder. */
function makeProxy() {
  const folder = tempFolder()
  const put = (module: string, version: string, extension: string, content: Buffer | string): void => {
    const path = join(folder, escapePath(module), '@v', `${escapePath(version)}.${extension}`)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
  }
  const add = async (module: string, version: string, goMod: string, files: Files): Promise<void> => {
    const isInZip = module !== 'golang.org/toolchain'
    put(
      module,
      version,
      'zip',
      await moduleZip(module, version, { ...(isInZip && { 'go.mod': goMod }), ...files }),
    )
    put(module, version, 'mod', goMod)
    put(module, version, 'info', JSON.stringify({ Version: version, Time: '2020-01-02T03:04:05Z' }))
  }
  return { folder, url: `file://${folder}`, put, add }
}

/** Modules that need each other; `Old` needs a version of `base` that nobody's build uses. A toolchain is a script. */
async function filledProxy() {
  const proxy = makeProxy()
  const mod = (path: string, ...requires: string[]): string =>
    `module ${path}\n\ngo 1.16\n${requires.map((one) => `\nrequire ${one}\n`).join('')}`
  for (const version of ['v1.0.0', 'v1.1.0'])
    await proxy.add('example.com/base', version, mod('example.com/base'), {
      'b.go': 'package base\n\nconst N = 1\n',
    })
  await proxy.add('example.com/Old', 'v1.0.0', mod('example.com/Old', 'example.com/base v1.0.0'), {
    'o.go': 'package old\n\nimport _ "example.com/base"\n',
  })
  await proxy.add('example.com/tool', 'v1.0.0', mod('example.com/tool', 'example.com/ofTool v1.0.0'), {
    'cmd/t/main.go': 'package main\n\nimport _ "example.com/ofTool"\n\nfunc main() {}\n',
  })
  await proxy.add('example.com/ofTool', 'v1.0.0', mod('example.com/ofTool'), { 'o.go': 'package of\n' })
  for (const platform of ['linux-amd64', 'plan9-386'])
    await proxy.add(
      'golang.org/toolchain',
      fakeToolchainVersion(platform),
      FAKE_TOOLCHAIN_MOD,
      fakeToolchainFiles('echo "this is go1.99.0: $*"'),
    )
  return proxy
}

type Go = ReturnType<typeof makeGo>

/** A folder with these files. */
function makeProject(files: Files): string {
  const folder = tempFolder()
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  return folder
}

const collect = (go: Go, out: string, ...words: string[]): CliResult =>
  runCli(go.env, ['collect', '--out', out, ...words])

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(folder, path), { throwIfNoEntry: false })?.isFile())
    .sort()

/** Every file with its bytes and its time. */
const stateOf = (folder: string): string[] =>
  filesIn(folder).map(
    (path) => `${path} ${statSync(join(folder, path)).mtimeMs} ${readFileSync(join(folder, path))}`,
  )

const MAIN = 'package main\n\nimport _ "example.com/Old"\n\nfunc main() {}\n'
const APP: Files = {
  'go.mod':
    'module example.org/app\n\ngo 1.21\n\ntoolchain go1.99.0\n\nrequire example.com/Old v1.0.0\n\n' +
    'require example.com/near v0.0.0\n\nreplace example.com/near => ../near\n',
  'main.go': MAIN,
}

t.test('what projects need, and nothing is written in their folders', needs('go'), async (t) => {
  const proxy = await filledProxy()
  const go = makeGo(proxy.url, { GOSUMDB: 'off' })
  const base = makeProject({
    'near/go.mod': 'module example.com/near\n\ngo 1.21\n\nrequire example.com/base v1.1.0\n',
    'ws/go.work': 'go 1.24\n\nuse ./a\n\nuse ./b\n\nreplace example.com/far => ./c\n',
    'ws/a/go.mod': 'module example.org/a\n\ngo 1.24\n\nrequire example.com/far v1.0.0\n',
    'ws/b/go.mod':
      'module example.org/b\n\ngo 1.24\n\ntool example.com/tool/cmd/t\n\nrequire (\n\texample.com/tool v1.0.0\n' +
      '\texample.com/ofTool v1.0.0 // indirect\n)\n',
    'bare/go.mod': 'module example.org/bare\n\ngo 1.21\n\nrequire example.com/base v1.1.0\n',
    'ws/c/go.mod': 'module example.com/far\n\ngo 1.24\n',
    ...Object.fromEntries(Object.entries(APP).map(([name, content]) => [`app/${name}`, content])),
  })
  const app = join(base, 'app')
  const tidied = await go.run(['mod', 'tidy'], app)
  t.equal(tidied.code, 0, tidied.stderr)
  const sum = readFileSync(join(app, 'go.sum'), 'utf8')
  t.match(sum, /base v1\.0\.0\/go\.mod/, 'of a version go has the go.mod alone')
  t.notMatch(sum, /base v1\.0\.0 h1/)

  const before = stateOf(base)
  const out = join(tempFolder(), 'new/out')
  // the toolchain of go 1.24 is not in this proxy
  const first = collect(
    go,
    out,
    app,
    join(base, 'bare'),
    join(base, 'ws'),
    '--platform',
    'linux/amd64',
    '--platform',
    'plan9/386',
  )
  t.equal(first.code, 1)
  t.match(first.stdout, /^golang\.org\/toolchain@v0\.0\.1-go1\.24\.0\.linux-amd64: not collected: /m)
  t.match(first.stdout, /^7 versions collected, 0 there already, 2 not collected, /m)
  t.match(first.stdout, /^toolchains: go1\.24\.0, go1\.99\.0$/m)
  t.same(stateOf(base), before)
  const versions = ['example.com/!old/@v/v1.0.0', 'example.com/base/@v/v1.0.0', 'example.com/base/@v/v1.1.0']
    .concat('example.com/of!tool/@v/v1.0.0', 'example.com/tool/@v/v1.0.0')
    .concat(['linux-amd64', 'plan9-386'].map((one) => `golang.org/toolchain/@v/${fakeToolchainVersion(one)}`))
  t.same(
    filesIn(out),
    [...versions.flatMap((one) => ['info', 'mod', 'zip'].map((ext) => `${one}.${ext}`)), 'go.sum'].sort(),
  )
  const lines = readFileSync(join(out, 'go.sum'), 'utf8')
  for (const line of sum.trim().split('\n')) t.ok(lines.includes(`${line}\n`), line)
  t.equal(parseGoSum(lines).length, 14, 'both lines of each')
  const foreign = join(go.env.GOMODCACHE, 'golang.org')
  t.notOk(
    existsSync(foreign) && readdirSync(foreign).some((name) => name.includes('plan9')),
    'what this machine cannot run is not kept in the module cache',
  )

  rmSync(proxy.folder, { recursive: true })
  const second = collect(go, out, app, '--platform', 'linux/amd64', '--platform', 'plan9/386')
  t.match(
    second,
    { code: 0, stdout: /^0 versions collected, 5 there already, 0 not collected/ },
    second.stdout,
  )

  const inside = makeGo(`file://${out}`, { GOSUMDB: 'off', GOTOOLCHAIN: 'local' })
  const copy = tempFolder()
  cpSync(base, copy, { recursive: true })
  for (const [at, words] of [
    ['app', ['mod', 'download', 'all']],
    ['app', ['build', './...']],
    ['ws', ['mod', 'download']],
    ['ws/b', ['tool', 't']],
  ] as const) {
    const ran = await inside.run([...words], join(copy, at))
    t.equal(ran.code, 0, `${at}: go ${words.join(' ')}: ${ran.stderr}`)
  }
  t.equal(readFileSync(join(copy, 'app/go.sum'), 'utf8').includes(sum.split('\n')[0] ?? '-'), true)
  if (!isLinux) return void t.comment('NOT TESTED: a switch, on a machine that is not linux/amd64')
  const switched = await inside.run(['version'], join(copy, 'app'), { GOTOOLCHAIN: 'auto' })
  t.equal(switched.stdout, 'this is go1.99.0: version\n', `go switches: ${switched.stderr}`)
})

t.test('by the lines of the manual', needs('go'), async (t) => {
  const proxy = await filledProxy()
  const go = makeGo(proxy.url, { GOSUMDB: 'off' })
  for (const [name, content] of Object.entries(APP)) {
    mkdirSync(join(go.env.HOME, 'src/app'), { recursive: true })
    writeFileSync(
      join(go.env.HOME, 'src/app', name),
      content.toString().replace(/require example.com\/near.*near/s, ''),
    )
  }
  t.equal((await go.run(['mod', 'tidy'], join(go.env.HOME, 'src/app'))).code, 0)
  const lines = block(MANUAL, 'Closed networks').replaceAll(
    'scripts/plinth',
    `env -u NODE_OPTIONS '${ROOT}scripts/plinth'`,
  )
  const env = { ...process.env, ...go.env }
  t.match(
    execFileSync('sh', ['-euc', lines], { env, encoding: 'utf8' }),
    /^3 versions collected, .* 0 not collected/,
  )
})

t.test('what cannot be had is named, and the rest is collected', needs('go'), async (t) => {
  const proxy = await filledProxy()
  const go = makeGo(proxy.url, { GOSUMDB: 'off' })
  const mod = (...requires: string[]): string =>
    `module example.org/app\n\ngo 1.21\n\nrequire (\n${requires.map((one) => `\t${one}\n`).join('')})\n`
  const good = makeProject({ 'go.mod': mod('example.com/Old v1.0.0') })
  await go.run(['mod', 'download'], good)
  const hash = `h1:${'A'.repeat(43)}=`
  const stale = makeProject({
    'go.mod': mod('example.com/base v1.1.0'),
    'go.sum': `example.com/gone v1.0.0 ${hash}\nexample.com/gone v1.0.0/go.mod ${hash}\n../../up v1.0.0 ${hash}\n-x v1.0.0 ${hash}\n`,
  })
  const wrong = makeProject({
    'go.mod': mod('example.com/tool v1.0.0'),
    'go.sum': `example.com/tool v1.0.0 ${hash}\n`,
  })
  const merging = makeProject({ 'go.mod': mod(), 'go.sum': '<<<<<<< HEAD\n' })
  const unfit = 'example.com/unfit'
  proxy.put(unfit, 'v1.0.0', 'zip', await simpleModule(unfit, 'v1.0.0', { 'a.go': 'x', 'A.go': 'x' }))
  proxy.put(unfit, 'v1.0.0', 'mod', `module ${unfit}\n\ngo 1.19\n`)
  proxy.put(unfit, 'v1.0.0', 'info', '{"Version":"v1.0.0"}')
  const bad = makeProject({ 'go.mod': mod(`${unfit} v1.0.0`) })
  const custom = makeProject({ 'go.mod': 'module example.org/x\n\ngo 1.21\n\ntoolchain go1.99.0-corp\n' })
  const out = tempFolder()
  mkdirSync(join(out, '.collecting-999999999-killed/modcache'), { recursive: true })
  const none = tempFolder()
  const ran = collect(go, out, stale, good, wrong, merging, bad, custom, none)
  t.equal(ran.code, 1)
  for (const line of [
    /^example\.com\/gone@v1\.0\.0: not collected: /m,
    /^\.\.\/\.\.\/up@v1\.0\.0: not collected: .*go\.sum has a line for it, and it is not the version of a module$/m,
    /^-x@v1\.0\.0: not collected: .*it is not the version/m,
    /^example\.com\/tool@v1\.0\.0: not collected: .*checksum mismatch/m,
    /not collected: .*go\.sum: line 1 of go\.sum has not three words: "<<<<<<< HEAD"$/m,
    /^example\.com\/unfit@v1\.0\.0: not collected: /m,
    /not collected: no proxy has the toolchain go1\.99\.0-corp$/m,
    /not collected: .* has no go\.mod and no go\.work$/m,
    /^4 versions collected, 0 there already, 8 not collected/m,
  ])
    t.match(ran.stdout, line)
  t.same(
    readdirSync(out).sort(),
    ['example.com', 'go.sum'],
    'what a run left that was killed is gone, and this one leaves nothing',
  )
  t.notOk(existsSync(join(out, 'example.com/unfit')))

  const other = makeProject({
    'go.mod': mod('example.com/base v1.0.0'),
    'go.sum': `example.com/base v1.0.0/go.mod ${hash}\n`,
  })
  t.match(
    collect(go, out, other).stdout,
    /^example\.com\/base@v1\.0\.0: not collected: .*\/go\.sum says h1:A+=, and another go\.sum, or an earlier run, says h1:/m,
  )
})

t.test('usage, and a machine without go', async (t) => {
  const run = (...words: string[]) => runCli({}, ['collect', ...words])
  t.match(run(), { code: 2, stderr: /collect needs --out/ })
  t.match(run('--out', 'x'), { code: 2, stderr: /one project at least/ })
  t.match(run('--out', 'x', '--platform', 'linux', '.'), {
    code: 2,
    stderr: /--platform "linux": such as linux\/amd64/,
  })
  t.match(run('--help'), { code: 0, stdout: /collect --out DIR/ })
  const node = dirname(process.execPath)
  const out = join(tempFolder(), 'out')
  const bare = tempFolder()
  writeFileSync(join(bare, 'go.mod'), 'module example.org/m\n')
  const path = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => !existsSync(join(folder, 'go')))
  if (!path.includes(node)) path.push(node)
  t.match(runCli({ PATH: path.join(delimiter) }, ['collect', '--out', out, bare]), {
    code: 1,
    stderr: /^plinth: there is no go in PATH: collect needs the go command/,
  })
  t.notOk(existsSync(out))
})

t.test('it is ended in the middle, in order and at once, and goes on', needs('go'), async (t) => {
  const proxy = makeProxy()
  const count = 40 // of two batches and a half
  const requires: string[] = []
  for (let n = 0; n < count; n++) {
    const module = `example.com/m${String(n).padStart(2, '0')}`
    await proxy.add(module, 'v1.0.0', `module ${module}\n`, { 'm.go': 'package m\n' })
    requires.push(`\t${module} v1.0.0\n`)
  }
  let hold = true
  const asked = new Set<string>()
  const server: Server = createServer((req, res) => {
    const path = req.url ?? ''
    if (path.endsWith('.zip')) asked.add(path)
    if (hold && path.startsWith('/example.com/m20/') && path.endsWith('.zip')) return // no answer, ever
    const file = join(proxy.folder, path)
    res.statusCode = existsSync(file) ? 200 : 404
    res.end(existsSync(file) ? readFileSync(file) : '')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const go = makeGo(url, { GOSUMDB: 'off' })
  const app = makeProject({
    'go.mod': `module example.org/app\n\ngo 1.21\n\nrequire (\n${requires.join('')})\n`,
  })
  const out = tempFolder()
  const start = () => {
    const [program, args] = plainNode(CLI, 'collect', '--out', out, app)
    const child = spawn(program, args, {
      env: { ...process.env, ...go.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    return { ...watch(child), kill: (signal: NodeJS.Signals) => child.kill(signal) }
  }
  const zips = (): string[] => filesIn(out).filter((path) => path.endsWith('.zip') && !path.startsWith('.'))
  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    const child = start()
    await until(() => zips().length === 16 && asked.has('/example.com/m20/@v/v1.0.0.zip'))
    child.kill(signal)
    const { code } = await child.ended
    server.closeAllConnections() // else a go that was left behind would hold its lock
    if (signal === 'SIGINT') {
      t.equal(code, 1)
      t.match(child.output(), /plinth: stopped: run it again to go on/)
    }
    const left = readdirSync(out).filter((name) => name.startsWith('.'))
    t.equal(left.length, signal === 'SIGINT' ? 0 : 1, `${signal}: what is under way has no name`)
    asked.delete('/example.com/m20/@v/v1.0.0.zip')
  }
  hold = false
  asked.clear()
  const last = start()
  t.equal((await last.ended).code, 0, last.output())
  t.match(last.output(), /^24 versions collected, 16 there already, 0 not collected/m)
  t.notOk(asked.has('/example.com/m00/@v/v1.0.0.zip'), 'what is there is not downloaded again')
  t.equal(zips().length, count)
  t.notOk(readdirSync(out).some((name) => name.startsWith('.')))
})
