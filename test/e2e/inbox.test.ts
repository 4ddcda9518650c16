// The drop folder of a real service: what people and programs do there, right and wrong.

import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { simpleModule } from '../support/zips.js'
import { ask } from '../support/http.js'
import { startPlinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { tempFolder } from '../support/temp-folder.js'
import { until } from '../support/until.js'
import { violationsAfterEnd } from '../support/invariants.js'
import { askService, newData, runService } from '../support/service.js'

const AT_ONCE = { PLINTH_INBOX_SETTLE_SECONDS: '0' }
const MODULE = 'tree/api/packages/admin/go/example.com/m/@v'
const TOOL = 'tree/api/packages/admin/generic/tool/1.0'

const filesIn = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
        statSync(join(folder, name), { throwIfNoEntry: false })?.isFile(),
      )
    : []

async function inboxOf(env: Record<string, string> = AT_ONCE, data?: string) {
  const at = data ?? (await newData({ fast: true }))
  const service = runService(at, env)
  await service.ready()
  const path = (name: string): string => join(at, 'inbox', name)
  return {
    data: at,
    service,
    path,
    /** Writes elsewhere on the same file system, then renames into place. */
    drop: (name: string, content: Buffer | string): void => {
      mkdirSync(dirname(path(name)), { recursive: true })
      writeFileSync(join(at, 'elsewhere'), content)
      renameSync(join(at, 'elsewhere'), path(name))
    },
    /** The same for a whole folder: made in place it could be taken away before its file is there. */
    dropFolder: (name: string, file: string): void => {
      mkdirSync(dirname(path(name)), { recursive: true })
      mkdirSync(dirname(join(at, 'elsewhere', file)), { recursive: true })
      writeFileSync(join(at, 'elsewhere', file), 'x')
      renameSync(join(at, 'elsewhere'), path(name))
    },
    has: (name: string): boolean => existsSync(path(name)),
    reasons: (name: string): string => readFileSync(path(`rejected/${name}.txt`), 'utf8'),
    gone: (name: string): Promise<void> => until(() => !existsSync(path(name))),
    published: (file: string): Promise<void> => until(() => existsSync(join(at, file))),
    end: async (): Promise<void> => {
      await service.end('SIGTERM')
    },
  }
}

t.test('a zip and a file are published as by an upload, and leave', async (t) => {
  const inbox = await inboxOf()
  t.teardown(inbox.end)
  inbox.drop('admin/go/anything at all.zip', await simpleModule('example.com/m', 'v1.0.0'))
  inbox.drop('admin/generic/tool/1.0/tool.tar.gz', 'bytes')
  await inbox.gone('admin/go/anything at all.zip')
  await inbox.gone('admin/generic/tool/1.0/tool.tar.gz')
  t.equal(readFileSync(join(inbox.data, MODULE, 'list'), 'utf8'), 'v1.0.0\n')
  t.equal(readFileSync(join(inbox.data, TOOL, 'tool.tar.gz'), 'utf8'), 'bytes')
  await inbox.service.says(/"event":"inbox".*"result":"published","module":"example.com\/m"/)
  t.ok(inbox.has('admin/go'), 'folders stay for the next file')
  await inbox.end()
  t.same(await violationsAfterEnd(inbox.data), [])
})

t.test('what is refused moves away beside its reasons', async (t) => {
  const inbox = await inboxOf()
  t.teardown(inbox.end)
  const good = await simpleModule('example.com/m', 'v1.0.0')
  const bad = await simpleModule('example.com/m', 'v1.0.0', { 'sub/go.mod': '', 'CON.go': '' })
  const refused: [name: string, content: Buffer | string, reason: RegExp][] = [
    ['admin/go/bad.zip', bad, /sub\/go\.mod: go\.mod outside[^]*CON\.go: .*Windows/],
    ['admin/go/torn.zip', good.subarray(0, good.length - 30), /zip/],
    ['admin/go/empty.zip', '', /zip/],
    ['admin/go/sub/m.zip', good, /belongs directly in the folder go/],
    ['admin/go/m.tar', good, /comes as a \.zip/],
    ['m.zip', good, /wrong place/],
    ['admin/m.zip', good, /wrong place/],
    ['admin/npm/x', good, /no registry "npm"/],
    ['admin/generic/file', 'x', /folder is missing/],
    ['admin/generic/tool/1/2/x', 'x', /too many folders/],
    ['admin/generic/a/b/c/d/e/f/g/h/i/j', 'x', /too many folders/],
    ['admin/generic/to ol/1/x', 'x', /invalid package name/],
    [`admin/generic/tool/1/${'x'.repeat(255)}`, 'x', /too many folders|^/],
    ['nobody/generic/tool/1/x', 'x', /no owner "nobody": declare it with "scripts\/plinth owner add nobody"/],
    ['-x/generic/tool/1/x', 'x', /is not a valid owner name/],
  ]
  for (const [name, content] of refused) {
    if (name.includes('/h/')) inbox.dropFolder('admin/generic/a', name.slice('admin/generic/a/'.length))
    else inbox.drop(name, content)
  }
  for (const [name, , reason] of refused) {
    if (Buffer.byteLength(name) > 255) continue
    const moved = name.includes('/h/') ? 'admin/generic/a/b/c/d/e/f/g' : name
    await until(() => inbox.has(`rejected/${moved}.txt`) && !inbox.has(moved))
    t.match(inbox.reasons(moved), reason, name)
  }
  t.same(readFileSync(inbox.path('rejected/admin/go/bad.zip')), bad, 'nothing of it is lost')
  inbox.drop('admin/go/bad.zip', bad)
  await until(() => inbox.has('rejected/admin/go/bad.zip.2.txt'))
  await until(() => inbox.has('rejected/admin/go/bad.zip.2'))
  t.same(readFileSync(inbox.path('rejected/admin/go/bad.zip')), bad, 'nor of the first one')
  t.same(filesIn(join(inbox.data, 'tree/api/packages/nobody')), [])
  await inbox.end()
  t.same(await violationsAfterEnd(inbox.data), [])
})

t.test('a duplicate says so; the very same just leaves', async (t) => {
  const inbox = await inboxOf()
  t.teardown(inbox.end)
  const zip = await simpleModule('example.com/m', 'v1.0.0')
  for (const [name, first, other] of [
    ['admin/go/m.zip', zip, await simpleModule('example.com/m', 'v1.0.0', { 'x.go': 'package m' })],
    ['admin/generic/tool/1.0/x', 'one', 'two'],
  ] as const) {
    inbox.drop(name, first)
    await inbox.gone(name)
    inbox.drop(name, first)
    await inbox.gone(name)
    t.notOk(inbox.has(`rejected/${name}`))
    inbox.drop(name, other)
    await until(() => inbox.has(`rejected/${name}`))
    t.match(inbox.reasons(name), /exists already.*\nwhat is there has .*sha256 [0-9a-f]{64}/)
  }
  await inbox.service.says(/(?:"result":"published already"[^]*){2}/)
  t.same(readFileSync(join(inbox.data, MODULE, 'v1.0.0.zip')), zip)
  await inbox.end()
  t.same(await violationsAfterEnd(inbox.data), [])
})

t.test('a slow writer is waited for, one that dies leaves a torn zip, which is refused', async (t) => {
  const inbox = await inboxOf({ PLINTH_INBOX_SETTLE_SECONDS: '3' })
  t.teardown(inbox.end)
  const zipOf = (version: string): Promise<Buffer> =>
    simpleModule('example.com/m', version, { 'x.bin': Buffer.alloc(5000, 'ab\n') })
  mkdirSync(inbox.path('admin/go'), { recursive: true })
  mkdirSync(inbox.path('admin/generic/tool/1.0'), { recursive: true })
  writeFileSync(inbox.path('admin/go/torn.zip'), (await zipOf('v1.0.0')).subarray(0, 100))
  /** Writes both files, and takes longer than a file that is left alone has to wait. Returns the longest pause in ms. */
  const writeSlowly = async (name: string, zip: Buffer): Promise<number> => {
    let [longest, before] = [0, performance.now()]
    for (let n = 0; n < 12; n++) {
      appendFileSync(inbox.path(`admin/generic/tool/1.0/${name}`), `${n}\n`)
      const part = zip.subarray((n * zip.length) / 12, ((n + 1) * zip.length) / 12)
      appendFileSync(inbox.path(`admin/go/${name}.zip`), part)
      const now = performance.now()
      longest = Math.max(longest, now - before)
      before = now
      await wait(400)
    }
    return longest
  }
  let [name, version] = ['', '']
  let zip: Buffer = Buffer.alloc(0)
  for (let attempt = 0; ; attempt++) {
    ;[name, version] = [`slow${attempt}`, `v1.${attempt}.0`]
    zip = await zipOf(version)
    const longest = await writeSlowly(name, zip)
    await inbox.gone(`admin/go/${name}.zip`)
    await inbox.gone(`admin/generic/tool/1.0/${name}`)
    if (longest < 1400 || attempt === 9) break
    t.comment(`this process stood still for ${longest} ms, and the files were left alone: once more`)
  }
  t.notOk(inbox.has(`rejected/admin/go/${name}.zip`))
  t.same(readFileSync(join(inbox.data, MODULE, `${version}.zip`)), zip)
  t.match(readFileSync(join(inbox.data, TOOL, name), 'utf8'), /^0\n[^]*\n11\n$/)
  await until(() => inbox.has('rejected/admin/go/torn.zip.txt'))
  t.match(inbox.reasons('admin/go/torn.zip'), /zip/)
  await inbox.end()
  t.same(await violationsAfterEnd(inbox.data), [])
})

t.test('temporary names are left alone until they are renamed', async (t) => {
  const inbox = await inboxOf()
  t.teardown(inbox.end)
  const zip = await simpleModule('example.com/m', 'v1.0.0')
  const names = [
    '.m.zip.Xy12Zq',
    'm.zip.part',
    'm.zip.filepart',
    'm.zip~',
    'm.zip.tmp',
    '.rsync-partial/m.zip',
  ]
  for (const name of names) inbox.drop(`admin/go/${name}`, zip)
  inbox.drop('admin/generic/tool/1.0/marker', 'x')
  await inbox.gone('admin/generic/tool/1.0/marker')
  inbox.drop('admin/generic/tool/1.0/marker2', 'x') // a whole look later
  await inbox.gone('admin/generic/tool/1.0/marker2')
  for (const name of names) t.ok(inbox.has(`admin/go/${name}`), name)
  renameSync(inbox.path('admin/go/.m.zip.Xy12Zq'), inbox.path('admin/go/m.zip'))
  await inbox.gone('admin/go/m.zip')
  t.ok(existsSync(join(inbox.data, MODULE, 'v1.0.0.info')))
})

t.test('the real rsync', needs('rsync'), async (t) => {
  const inbox = await inboxOf()
  t.teardown(inbox.end)
  const from = tempFolder()
  mkdirSync(join(from, 'tool/1.0'), { recursive: true })
  for (let n = 0; n < 20; n++) writeFileSync(join(from, `tool/1.0/f${n}`), Buffer.alloc(100_000, String(n)))
  mkdirSync(inbox.path('admin/generic'), { recursive: true }) // rsync makes no parents of its target
  execFileSync('rsync', ['-a', '--bwlimit=20000', `${from}/`, inbox.path('admin/generic/')])
  await until(() => filesIn(inbox.path('admin')).length === 0)
  t.equal(filesIn(join(inbox.data, TOOL)).length, 20)
  t.same(filesIn(inbox.path('rejected')), [])
  await inbox.end()
  t.same(await violationsAfterEnd(inbox.data), [])
})

t.test('links, pipes and what cannot be read are refused, never followed', async (t) => {
  const inbox = await inboxOf()
  t.teardown(inbox.end)
  const secret = join(tempFolder(), 'secret')
  mkdirSync(secret)
  writeFileSync(join(secret, 'key'), 'a secret')
  mkdirSync(inbox.path('admin/generic/tool/1.0'), { recursive: true })
  symlinkSync(join(secret, 'key'), inbox.path('admin/generic/tool/1.0/link'))
  symlinkSync(secret, inbox.path('admin/generic/tool/2.0'))
  symlinkSync('nowhere', inbox.path('admin/generic/tool/1.0/dangling'))
  execFileSync('mkfifo', [inbox.path('admin/generic/tool/1.0/pipe')])
  const sent = ['1.0/link', '1.0/dangling', '1.0/pipe', '2.0'].map((name) => `admin/generic/tool/${name}`)
  for (const name of sent) {
    await until(() => inbox.has(`rejected/${name}.txt`))
    t.match(inbox.reasons(name), /not a regular file|folder is missing/)
  }
  t.equal(readFileSync(join(secret, 'key'), 'utf8'), 'a secret')
  t.notOk(existsSync(join(inbox.data, 'tree/api/packages/admin/generic')))
})

t.test('a file that may not be read', async (t) => {
  const data = await newData()
  const nobody = 65534
  const root = process.getuid?.() === 0
  if (root) execFileSync('chown', ['-R', String(nobody), data])
  const as = root ? ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'] : []
  mkdirSync(join(data, 'inbox/admin/generic/tool/1.0'), { recursive: true })
  const path = join(data, 'inbox/admin/generic/tool/1.0/x')
  writeFileSync(path, 'x')
  chmodSync(path, 0)
  if (root) execFileSync('chown', ['-R', String(nobody), join(data, 'inbox')])
  if (root) execFileSync('chown', ['0', path])
  const service = runService(data, AT_ONCE, as)
  t.teardown(() => service.end())
  await service.says(/"result":"rejected"/)
  t.match(
    readFileSync(join(data, 'inbox/rejected/admin/generic/tool/1.0/x.txt'), 'utf8'),
    /it cannot be read: EACCES/,
  )
})

t.test('no room and a broken disk are no fault of the file: it stays, and is tried again', async (t) => {
  const data = await newData({ fast: true })
  const inbox = await inboxOf({ ...AT_ONCE, PLINTH_MIN_FREE_BYTES: String(2 ** 52) }, data)
  inbox.drop('admin/generic/tool/1.0/x', 'bytes')
  await inbox.service.says(/"result":"later","reason":"there is no room/)
  t.ok(inbox.has('admin/generic/tool/1.0/x'))
  await inbox.end()
  const again = await inboxOf(AT_ONCE, data)
  await again.gone('admin/generic/tool/1.0/x')
  t.equal(readFileSync(join(data, TOOL, 'x'), 'utf8'), 'bytes')
  await again.end()
  t.same(await violationsAfterEnd(data), [])
})

t.test('a small disk fills up: the rest waits, and is published when there is room', async (t) => {
  if (process.getuid?.() !== 0) return void t.comment('NOT TESTED: only root can mount a file system')
  const folder = tempFolder()
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=755', 'tmpfs', folder], { stdio: 'ignore' })
  } catch {
    return void t.comment('NOT TESTED: this machine does not let root mount a tmpfs')
  }
  t.teardown(() => execFileSync('umount', ['-l', folder]))
  const data = join(folder, 'data')
  execFileSync('cp', ['-a', await newData(), data])
  const inbox = await inboxOf({ ...AT_ONCE, PLINTH_MIN_FREE_BYTES: '0' }, data)
  t.teardown(inbox.end)
  writeFileSync(join(data, 'ballast'), Buffer.alloc(2_200_000)) // two files, and a copy of one of them
  // Both are written before one is copied: a copy would leave this test no room for the second.
  for (let n = 0; n < 2; n++) writeFileSync(join(data, `file${n}`), Buffer.alloc(700_000, String(n)))
  mkdirSync(inbox.path('admin/generic/tool/1.0'), { recursive: true })
  for (let n = 0; n < 2; n++) renameSync(join(data, `file${n}`), inbox.path(`admin/generic/tool/1.0/f${n}`))
  await inbox.service.says(/"result":"later"/)
  rmSync(join(data, 'ballast'))
  await until(() => filesIn(inbox.path('admin')).length === 0)
  t.same(filesIn(join(data, TOOL)).sort(), ['f0', 'f1'])
  t.same(filesIn(inbox.path('rejected')), [])
  await inbox.end()
  t.same(await violationsAfterEnd(data), [])
})

t.test('files that were there at the start, and a restart in the middle', async (t) => {
  const data = await newData({ fast: true })
  const inbox = join(data, 'inbox/admin')
  mkdirSync(join(inbox, 'generic/tool/1.0'), { recursive: true })
  mkdirSync(join(inbox, 'go'), { recursive: true })
  for (let n = 0; n < 300; n++) writeFileSync(join(inbox, `generic/tool/1.0/f${n}`), `content ${n}`)
  for (let n = 0; n < 30; n++)
    writeFileSync(join(inbox, `go/${n}.zip`), await simpleModule('example.com/m', `v1.0.${n}`))
  let kills = 0
  for (let wanted = 40; wanted <= 280; wanted += 80) {
    const service = runService(data, AT_ONCE)
    await until(() => filesIn(join(data, TOOL)).length >= wanted)
    await service.end(kills++ % 2 === 0 ? 'SIGKILL' : 'SIGTERM')
  }
  // published, and the service died before the file left
  const published = filesIn(join(data, TOOL))[0] ?? ''
  writeFileSync(join(inbox, 'generic/tool/1.0', published), `content ${published.slice(1)}`)
  const service = runService(data, AT_ONCE)
  t.teardown(() => service.end('SIGTERM'))
  await until(() => filesIn(inbox).length === 0)
  await service.says(new RegExp(`${published}","result":"published already"`))
  t.same(filesIn(join(data, 'inbox')), [], 'nothing was refused')
  t.equal(filesIn(join(data, TOOL)).length, 300)
  t.equal(readFileSync(join(data, MODULE, 'list'), 'utf8').split('\n').length, 31)
  await service.end('SIGTERM')
  t.same(await violationsAfterEnd(data), [])
})

t.test('a burst of 2,000 files, in flat memory', async (t) => {
  const inbox = await inboxOf()
  t.teardown(inbox.end)
  for (let n = 0; n < 2000; n++) inbox.drop(`admin/generic/tool/${n % 50}/f${n}`, `content ${n}`)
  await until(() => filesIn(inbox.path('admin')).length === 0, 500)
  t.equal(filesIn(join(inbox.data, 'tree/api/packages/admin/generic/tool')).length, 2000)
  t.same(filesIn(inbox.path('rejected')), [])
  const status = `/proc/${inbox.service.pid}/status`
  if (existsSync(status)) {
    const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(status, 'utf8'))?.[1]) / 1024
    t.comment(`peak memory of the service: ${peak.toFixed(0)} MB`)
    t.ok(peak < 200, `${peak.toFixed(0)} MB`)
  }
  await inbox.end()
  t.same(await violationsAfterEnd(inbox.data), [])
})

t.test('old empty folders go, new ones stay', async (t) => {
  const data = await newData({ fast: true })
  const old = join(data, 'inbox/admin/generic/tool/1.0')
  mkdirSync(old, { recursive: true })
  const inbox = await inboxOf(AT_ONCE, data)
  t.teardown(inbox.end)
  utimesSync(old, 0, 0)
  inbox.drop('admin/generic/other/1.0/x', 'x')
  await inbox.gone('admin/generic/other/1.0/x')
  t.ok(existsSync(old), 'a time of its own does not make it old: that it was changed just now does not')
})

t.test('off with a setting', async (t) => {
  const data = await newData({ fast: true })
  mkdirSync(join(data, 'inbox/admin/generic/tool/1.0'), { recursive: true })
  writeFileSync(join(data, 'inbox/admin/generic/tool/1.0/x'), 'x')
  const service = runService(data, { ...AT_ONCE, PLINTH_INBOX: '0' })
  t.teardown(() => service.end('SIGTERM'))
  await service.ready()
  for (let n = 0; n < 20; n++) await askService(data, 'PUT', `/api/packages/admin/generic/t/1/${n}`, 'x')
  t.ok(existsSync(join(data, 'inbox/admin/generic/tool/1.0/x')))
  t.notOk(existsSync(join(data, TOOL)))
})

t.test('nobody reads the inbox over HTTP', needs('nginx'), async (t) => {
  const plinth = await startPlinth({ PLINTH_INBOX_SETTLE_SECONDS: '3600' })
  t.teardown(plinth.stop)
  mkdirSync(join(plinth.data, 'inbox/admin/generic/t/1'), { recursive: true })
  writeFileSync(join(plinth.data, 'inbox/admin/generic/t/1/x'), 'unpublished')
  for (const path of [
    '/inbox/admin/generic/t/1/x',
    '/../inbox/admin/generic/t/1/x',
    '/api/packages/admin/generic/../../../../../inbox/admin/generic/t/1/x',
    '/api/packages/admin/generic/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/inbox/admin/generic/t/1/x',
    '/api/packages/admin/generic/..%2f..%2f..%2f..%2f..%2finbox/admin/generic/t/1/x',
  ]) {
    const answer = await ask(plinth.port, 'GET', path)
    t.ok(answer.status >= 400, `${path}: ${answer.status}`)
    t.notMatch(answer.body, /unpublished/)
  }
})
