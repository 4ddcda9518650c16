// The views as clients read them, from nginx alone: JSON, sums, links, feeds. And who may not read them.

import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type {
  GenericIndex,
  GenericVersionFacts,
  ModuleIndex,
  ModuleVersionFacts,
} from '../../src/views/facts.js'
import { viewProblems } from '../support/invariants.js'
import { startPlinth } from '../support/plinth.js'
import { tempFolder } from '../support/temp-folder.js'
import { until } from '../support/until.js'
import { moduleZip, simpleModule } from '../support/zips.js'

const plinth = await startPlinth()
t.teardown(() => plinth.stop())

const VIEWS = '/api/packages/admin/-'
const put = (path: string, body: string) => plinth.ask('PUT', `/api/packages/admin/generic/${path}`, { body })
const json = async <T>(path: string): Promise<T> => {
  const { status, body, headers } = await plinth.get(path)
  if (status !== 200 || headers['content-type'] !== 'application/json')
    throw new Error(`${path}: ${status} ${headers['content-type']} ${body}`)
  return JSON.parse(body) as T
}
const followed = (): Promise<void> => until(() => readdirSync(join(plinth.data, 'state/due')).length === 0)
const wrong = async (): Promise<string[]> => {
  await followed()
  return viewProblems(plinth.data)
}
const filesOf = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => statSync(join(folder, name)).isFile())
      .map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  )

t.test('a module: its versions, and what the highest says of them', async (t) => {
  const module = 'example.com/Azure/m'
  const at = `${VIEWS}/go/example.com/!azure/m/@`
  const goMod = (more = ''): string => `module ${module}\n\ngo 1.21\n${more}`
  const publish = async (version: string, more = ''): Promise<void> => {
    const zip = await moduleZip(module, version, {
      'go.mod': goMod(more),
      'm.go': '// Package m is a sample. It does nothing.\npackage m\n',
      'README.md': '# Sample\n',
    })
    t.equal((await plinth.publish(zip)).status, 201, version)
  }
  await publish('v1.0.0')
  await publish('v1.1.0', 'require example.com/x v1.2.3\n')
  const index = await json<ModuleIndex>(`${at}/index.json`)
  t.match(index, {
    format: 1,
    kind: 'go',
    owner: 'admin',
    module,
    latest: 'v1.1.0',
    count: 2,
    go: '1.21',
    older: [],
  })
  t.same(
    index.versions.map(({ version }) => version),
    ['v1.1.0', 'v1.0.0'],
  )
  t.match(index.packages, [{ path: module, name: 'm', synopsis: 'Package m is a sample.' }])
  t.match(index.requires, [{ path: 'example.com/x', version: 'v1.2.3' }])
  t.equal(index.readme, 'README.md')
  const facts = await json<ModuleVersionFacts>(`${at}/v1.0.0.json`)
  const { body: info } = await plinth.get('/api/packages/admin/go/example.com/!azure/m/@v/v1.0.0.info')
  t.equal(facts.time, (JSON.parse(info) as { Time: string }).Time)
  t.match(facts, { size: /./, sha256: /^[0-9a-f]{64}$/, h1: /^h1:/, goModH1: /^h1:/ })
  t.match(index.versions[1], { version: 'v1.0.0', h1: facts.h1, sha256: facts.sha256, size: facts.size })

  await publish('v1.2.0', 'retract (\n\t// it does too little\n\t[v1.0.0, v1.0.9]\n\tv1.2.0 // mine\n)\n')
  const retracting = await json<ModuleIndex>(`${at}/index.json`)
  t.equal(retracting.latest, 'v1.1.0', 'as go chooses')
  t.same(
    retracting.versions.map(({ version, retracted }) => [version, retracted]),
    [
      ['v1.2.0', 'mine'],
      ['v1.1.0', undefined],
      ['v1.0.0', 'it does too little'],
    ],
  )
  const pageOf = async (version: string): Promise<string> =>
    (await plinth.get(`/admin/go/example.com/!azure/m@${version}`)).body
  t.match(await pageOf('v1.0.0'), 'it does too little')
  t.notMatch(await pageOf('v1.1.0'), /it does too little/)
  t.equal((await plinth.ask('DELETE', '/api/packages/admin/go/example.com/!azure/m/@v/v1.2.0')).status, 204)
  t.notMatch(await pageOf('v1.0.0'), /it does too little/, 'nobody says so any more')
  t.same((await json<ModuleIndex>(`${at}/index.json`)).retracted, [])
})

t.test('names that could be those of views', async (t) => {
  for (const [path, body] of [
    ['tool/1.0.0/SHA256SUMS', 'mine'],
    ['tool/1.0.0/index.json', 'mine too'],
    ['tool/1.0.0/na%20me.bin', 'spaced'],
    ['tool/@/version.json', 'a version called @'],
    ['tool/index/x', 'x'],
    ['tool/latest/x', 'newer x'],
    ['latest/1.0/SHA256SUMS', '1'],
  ] as const)
    t.equal((await put(path, body)).status, 201, path)
  const index = await json<GenericIndex>(`${VIEWS}/generic/tool/@/index.json`)
  t.same(index.versions.map(({ version }) => version).toSorted(), ['1.0.0', '@', 'index', 'latest'])
  t.equal(index.latest, '1.0.0')
  t.match(await json<GenericVersionFacts>(`${VIEWS}/generic/tool/@/version.json`), {
    version: '@',
    files: [{ file: 'version.json', size: 18 }],
  })
  t.equal((await plinth.get('/api/packages/admin/generic/tool/1.0.0/SHA256SUMS')).body, 'mine')
  t.equal((await plinth.get('/api/packages/admin/generic/tool/1.0.0/index.json')).body, 'mine too')
  t.equal((await plinth.get(`${VIEWS}/latest/tool/x`)).body, 'newer x')
  await followed()
  t.same(await wrong(), [])
  t.equal((await plinth.ask('DELETE', '/api/packages/admin/generic/tool/@')).status, 204)
  t.equal((await plinth.get(`${VIEWS}/generic/tool/@/version.json`)).status, 404)
  t.equal((await json<GenericIndex>(`${VIEWS}/generic/tool/@/index.json`)).count, 3)
  t.same(await wrong(), [])
})

t.test('sha256sum -c checks what curl brings, also under a name with a space', async (t) => {
  const folder = tempFolder()
  const sums = (await plinth.get(`${VIEWS}/generic/tool/1.0.0/SHA256SUMS`)).body
  writeFileSync(join(folder, 'sums'), sums)
  const names = sums
    .trimEnd()
    .split('\n')
    .map((line) => line.slice(66))
  t.same(names, ['SHA256SUMS', 'index.json', 'na me.bin'])
  for (const name of names)
    execFileSync(
      'curl',
      ['-fsSOJ', `${plinth.url}/api/packages/admin/generic/tool/1.0.0/${encodeURIComponent(name)}`],
      { cwd: folder },
    )
  t.match(execFileSync('sha256sum', ['-c', 'sums'], { cwd: folder, encoding: 'utf8' }), 'na me.bin: OK')
})

t.test('the latest file of a name is that of the highest version that has it', async (t) => {
  const latest = async (file: string): Promise<string> =>
    (await plinth.get(`${VIEWS}/latest/app/${file}`)).body.trim()
  await put('app/1.9.0/a', '1.9.0')
  t.equal(await latest('a'), '1.9.0')
  await put('app/v1.10.0/a', '1.10.0')
  t.equal(await latest('a'), '1.10.0')
  await put('app/1.2.0/a', '1.2.0')
  await put('app/2.0.0-rc.1/a', '2.0.0-rc.1')
  await put('app/nightly/a', 'nightly')
  t.equal(await latest('a'), '1.10.0', 'no older one, no pre-release, no other name')
  await put('app/nightly/b', 'nightly b')
  t.equal(await latest('b'), 'nightly b', 'a file that no semantic version has')
  await put('app/1.11.0/b', '1.11.0 b')
  t.equal(await latest('b'), '1.11.0 b')
  t.equal(await latest('a'), '1.10.0', 'a release that is being uploaded takes nothing away')
  t.equal((await plinth.ask('DELETE', '/api/packages/admin/generic/app/v1.10.0/a')).status, 204)
  t.equal(await latest('a'), '1.9.0')
  for (const version of ['1.9.0', '1.2.0', '2.0.0-rc.1', 'nightly'])
    t.equal((await plinth.ask('DELETE', `/api/packages/admin/generic/app/${version}`)).status, 204)
  t.match(await latest('a'), /^not found/)
  const { headers } = await plinth.get(`${VIEWS}/latest/app/b`)
  t.equal(headers['content-disposition'], 'attachment; filename="b"')
  t.equal(headers.etag, undefined, 'another file of this size may take its place within the second')
  t.same(await wrong(), [])
})

t.test('the log is read on from where a reader stopped', async (t) => {
  await followed()
  const before = (await plinth.get(`${VIEWS}/index.ndjson`)).bytes
  await plinth.publish(await simpleModule('example.com/logged', 'v1.0.0'))
  await plinth.ask('DELETE', '/api/packages/admin/go/example.com/logged/@v/v1.0.0')
  await followed()
  const { status, body, headers } = await plinth.ask('GET', `${VIEWS}/index.ndjson`, {
    headers: { range: `bytes=${before.length}-` },
  })
  t.equal(status, 206)
  t.equal(headers['content-type'], 'application/x-ndjson')
  const lines = body
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as object)
  t.match(lines, [
    { Path: 'example.com/logged', Version: 'v1.0.0', Timestamp: /^2.*Z$/ },
    { Path: 'example.com/logged', Version: 'v1.0.0', Deleted: true },
  ])
  const feed = await plinth.get(`${VIEWS}/feed.atom`)
  t.equal(feed.headers['content-type'], 'application/atom+xml')
  t.match(feed.body, '<title>example.com/Azure/m v1.1.0</title>')
})

t.test('who may not read a package may not read a view of it', async (t) => {
  plinth.cli('owner', 'add', 'secret', '--private')
  plinth.cli('account', 'add', 'bob', '--write', 'team')
  const token = plinth.cli('account', 'add', 'alice', '--read', 'secret').trimEnd().split('\n').at(-1) ?? ''
  const basic = (words: string): string => `Basic ${Buffer.from(words).toString('base64')}`
  await plinth.publish(await simpleModule('example.com/s', 'v1.0.0'), 'secret')
  await plinth.ask('PUT', '/api/packages/secret/generic/tool/1.0/x', { body: 'x' })
  await followed()
  const paths = [
    '/api/packages/secret/-/index.json',
    '/api/packages/secret/-/index.ndjson',
    '/api/packages/secret/-/feed.atom',
    '/api/packages/secret/-/go/example.com/s/@/index.json',
    '/api/packages/secret/-/go/example.com/s/@/v1.0.0.json',
    '/api/packages/secret/-/generic/tool/1.0/SHA256SUMS',
    '/api/packages/secret/-/latest/tool/x',
    '/secret/',
    '/secret/all',
    '/secret/go/example.com/s',
    '/secret/go/example.com/s@v1.0.0',
    '/secret/generic/tool',
    '/secret/generic/tool/1.0',
  ]
  for (const path of paths) {
    const anonymous = await plinth.ask('GET', path, { auth: false })
    const undeclared = await plinth.ask('GET', path.replace('secret', 'nobody'), { auth: false })
    t.equal(anonymous.status, 401, path)
    t.equal(anonymous.body, undeclared.body, 'as for an owner that there is not')
    t.same(Object.keys(anonymous.headers), Object.keys(undeclared.headers))
    t.match(anonymous.headers['www-authenticate'], /^Basic/, 'a browser asks')
    t.equal((await plinth.ask('GET', path, { auth: basic('alice:wrong') })).status, 401)
    t.equal((await plinth.ask('GET', path, { auth: basic(`alice:${token}`) })).status, 200, path)
  }
  t.equal((await plinth.ask('GET', '/secret/nothing', { auth: false })).status, 401)
  t.equal((await plinth.ask('GET', '/secret/nothing', { auth: basic(`alice:${token}`) })).status, 404)
  t.notMatch((await plinth.get('/')).body, /secret/)
  t.match((await plinth.get('/')).body, /team/)
  plinth.cli('owner', 'set', 'team', '--private')
  t.notMatch((await plinth.get('/')).body, /team/, 'at once')
  plinth.cli('owner', 'set', 'team', '--public')
  t.match((await plinth.get('/')).body, /team/)
})

t.test('an owner that has nothing yet has a page, and the name "api" is taken', async (t) => {
  const { status, body } = await plinth.get('/team/')
  t.equal(status, 200)
  t.match(body, 'Nothing is published here yet')
  t.match(plinth.run('owner', 'add', 'api').stderr, /cannot be called "api"/)
  mkdirSync(join(plinth.data, 'access/owners'), { recursive: true })
  writeFileSync(join(plinth.data, 'access/owners/api.json'), '{"public":true}') // of an older Plinth
  plinth.cli('access', 'rebuild')
  await plinth.ask('PUT', '/api/packages/api/generic/tool/1.0/x', { body: 'x' })
  await followed()
  for (const path of ['/-/api/', '/-/api/all', '/-/api/generic/tool', '/-/api/generic/tool/1.0'])
    t.equal((await plinth.get(path)).status, 200, path)
  t.equal((await plinth.get('/api/')).status, 404)
})

t.test('addresses as people and Gitea have them lead to the pages', async (t) => {
  const table: [string, number, string | undefined][] = [
    ['/admin', 301, '/admin/'],
    ['/admin/go/example.com/Azure/m', 302, '/admin/go/example.com/!azure/m'],
    ['/admin/go/example.com/Azure/m@v1.0.0', 302, '/admin/go/example.com/!azure/m@v1.0.0'],
    ['/admin/go/example.com/Azure/m@v1.0.0-RC1', 302, '/admin/go/example.com/!azure/m@v1.0.0-!r!c1'],
    ['/nobody/go/example.com/Azure/m', 302, '/nobody/go/example.com/!azure/m'],
    ['/admin/go/example.com/A%0d%0aX-Evil:1/m', 404, undefined],
    ['/admin/go/Not-A-Module', 404, undefined],
    ['/admin/-/packages/go/example.com%2Fm/v1.0.0', 302, '/admin/go/example.com/m@v1.0.0'],
    ['/admin/-/packages/generic/tool/1.0%20b', 302, '/admin/generic/tool/1.0%20b'],
    ['/admin/-/packages/generic/tool/1%0d%0aX-Evil:%201', 302, '/admin/generic/tool/1%0D%0AX-Evil:%201'],
    ['/admin/-/packages', 302, '/admin/'],
    ['/admin/go/example.com/!azure/m/', 302, '/admin/go/example.com/!azure/m'],
    ['/admin/generic/tool/', 302, '/admin/generic/tool'],
    ['/favicon.ico', 404, undefined],
    ['/robots.txt', 404, undefined],
    ['/-/../api/packages/admin/-/index.json', 200, undefined],
    ['/-/nothing.css', 404, undefined],
    ['/-/index.html', 404, undefined],
  ]
  for (const [path, status, location] of table) {
    const answer = await plinth.get(path)
    t.equal(answer.status, status, path)
    t.equal(answer.headers.location?.replace(plinth.url, ''), location, path)
    t.equal(answer.headers['x-evil'], undefined)
  }
})

t.test('a rebuild makes them all again, byte for byte, beside the running service', async (t) => {
  await followed()
  const folder = join(plinth.data, 'tree/api/packages/admin/-')
  const before = filesOf(folder)
  const log = before['index.ndjson'] ?? ''
  rmSync(folder, { recursive: true }) // a tree of a Plinth that had none
  t.equal(plinth.run('verify').code, 1, 'they count in verify')
  plinth.cli('rebuild')
  const after = filesOf(folder)
  t.same(Object.keys(after).toSorted(), Object.keys(before).toSorted())
  for (const [name, text] of Object.entries(before))
    if (name !== 'index.ndjson') t.equal(after[name], text, name)
  const live = (text: string): string[] => {
    const there = new Set<string>()
    for (const line of text.trimEnd().split('\n')) {
      const { Path, Version, Deleted } = JSON.parse(line) as { Path: string; Version: string; Deleted?: true }
      if (Deleted) there.delete(`${Path}@${Version}`)
      else there.add(`${Path}@${Version}`)
    }
    return [...there].toSorted()
  }
  t.same(live(after['index.ndjson'] ?? ''), live(log), 'the log has what is there; deletes cannot be known')
  t.equal(plinth.run('verify').code, 0)
  writeFileSync(join(folder, 'generic/tool/1.0.0/SHA256SUMS'), 'wrong')
  writeFileSync(join(folder, 'go/example.com/!azure/m/@/v9.9.9.html'), 'of no version')
  mkdirSync(join(folder, 'generic/gone/1.0'), { recursive: true })
  t.equal(plinth.run('verify').code, 1)
  plinth.cli('rebuild')
  t.same(await wrong(), [])
  t.equal(plinth.run('verify').code, 0)
})

t.test('without the service every view is read on', async (t) => {
  await plinth.stopShim('SIGKILL')
  for (const path of [
    '/',
    '/admin/',
    '/admin/go/example.com/!azure/m',
    '/admin/generic/tool/1.0.0',
    '/-/style.css',
  ])
    t.equal((await plinth.get(path)).status, 200, path)
  await json(`${VIEWS}/index.json`)
  await plinth.startShim()
})
