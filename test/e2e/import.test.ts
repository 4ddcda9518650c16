// `plinth import`: from one Plinth through the real go's module cache into another, which then is the only proxy.

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { escapePath } from '../../src/gomod/module-path.js'
import { infoTime } from '../../src/import/info.js'
import { moduleZip, simpleModule, zipOf, type Files } from '../support/zips.js'
import { isOver } from '../support/child.js'
import { CLI, plainNode, runCli } from '../support/cli.js'
import { block, MANUAL, ROOT } from '../support/documents.js'
import { makeGo } from '../support/go.js'
import { startPlinth, type Plinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { tempFolder } from '../support/temp-folder.js'
import { until } from '../support/until.js'
import { settledViolations, violationsAfterEnd } from '../support/invariants.js'
import { newData, runService } from '../support/service.js'

type Totals = Record<'published' | 'identical' | 'different' | 'refused' | 'incomplete' | 'bytes', number>
type Line = { version: string; result: string; reason?: string }
type Imported = { code: number; lines: Line[]; totals: Totals & { done: boolean }; err: string }

function importInto(data: string, folder: string, ...words: string[]): Imported {
  const { code, stdout, stderr } = runCli({ PLINTH_DATA: data }, [
    'import',
    folder,
    '--owner',
    'admin',
    '--json',
    ...words,
  ])
  const lines = stdout.split('\n').filter((line) => line !== '')
  const totals = JSON.parse(lines.pop() ?? '{}') as Imported['totals']
  return { code, lines: lines.map((line) => JSON.parse(line) as Line), totals, err: stderr }
}

/** A folder of the GOPROXY protocol's shape. */
function makeCache() {
  const folder = tempFolder()
  const put = (module: string, version: string, extension: string, content: Buffer | string): void => {
    const path = join(folder, escapePath(module), '@v', `${escapePath(version)}.${extension}`)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
  }
  return {
    folder,
    put,
    add: async (module: string, version: string, time?: string, more: Files = {}): Promise<void> => {
      put(module, version, 'zip', await simpleModule(module, version, more))
      put(module, version, 'mod', `module ${module}\n\ngo 1.19\n`)
      if (time !== undefined)
        put(module, version, 'info', JSON.stringify({ Version: version, Time: time, Origin: { VCS: 'git' } }))
    },
  }
}

const zipIn = (data: string, module: string, version: string): string =>
  join(data, 'tree/api/packages/admin/go', escapePath(module), '@v', `${escapePath(version)}.zip`)

/** Modules that need each other; `old` needs a version of `base` that nobody's build uses. */
async function publishAll(plinth: Plinth): Promise<void> {
  const mod = (path: string, ...requires: string[]): string =>
    `module ${path}\n\ngo 1.16\n${requires.map((one) => `\nrequire ${one}\n`).join('')}`
  const modules: [path: string, version: string, mod: string, source: string][] = [
    ['example.com/base', 'v1.0.0', mod('example.com/base'), 'package base\n'],
    ['example.com/base', 'v1.1.0', mod('example.com/base'), 'package base\n\nconst N = 1\n'],
    [
      'example.com/Old',
      'v1.0.0',
      mod('example.com/Old', 'example.com/base v1.0.0'),
      'package old\n\nimport _ "example.com/base"\n',
    ],
    [
      'example.com/top/v2',
      'v2.0.0-RC1',
      mod('example.com/top/v2', 'example.com/base v1.1.0'),
      'package top\n\nimport "example.com/base"\n\nconst N = base.N\n',
    ],
    [
      'example.com/pseudo',
      'v0.0.0-20191109021931-daa7c04131f5',
      mod('example.com/pseudo'),
      'package pseudo\n',
    ],
  ]
  for (const [path, version, goMod, source] of modules) {
    const zip = await moduleZip(path, version, { 'go.mod': goMod, 'm.go': source })
    const { status, body } = await plinth.publish(zip)
    if (status !== 201) throw new Error(body)
  }
  const none = await moduleZip('example.com/none', 'v1.0.0', { 'm.go': 'package none\n' })
  if ((await plinth.publish(none)).status !== 201) throw new Error('none')
}

t.test(
  'a module cache made by the real go serves the same go.sum elsewhere',
  needs('go', 'nginx'),
  async (t) => {
    const first = await startPlinth()
    t.teardown(first.stop)
    await publishAll(first)
    const second = await startPlinth()
    t.teardown(second.stop)
    const outside = makeGo(`${first.url}/api/packages/admin/go`)
    const source =
      'package main\n\nimport (\n\t_ "example.com/Old"\n\t_ "example.com/none"\n\t_ "example.com/pseudo"\n\t_ "example.com/top/v2"\n)\n\nfunc main() {}\n'
    const main = outside.newModule(source)
    const got = await outside.run(
      ['get', 'example.com/Old', 'example.com/none', 'example.com/pseudo', 'example.com/top/v2@v2.0.0-RC1'],
      main,
    )
    t.equal(got.code, 0, got.stderr)
    const cache = join(outside.env.HOME, 'carried')
    /** Lines of the manual, where what is carried is in the module cache of this test. */
    const shell = (lines: string, cwd: string, env: Record<string, string> = {}): string =>
      execFileSync('sh', ['-euc', lines.replaceAll('/mnt/carried', cache)], {
        cwd,
        env: { ...process.env, ...outside.env, ...env },
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      })
    shell(block(MANUAL, 'Without the internet', 1), main)

    const before = importInto(second.data, cache)
    t.match(before, {
      code: 0,
      totals: { published: 5, incomplete: 1, refused: 0, different: 0, done: true },
    })
    t.same(before.lines, [{ version: 'example.com/base@v1.0.0', result: 'incomplete' }])
    const inside = makeGo(`${second.url}/api/packages/admin/go`)
    const again = inside.newModule(source)
    for (const file of ['go.mod', 'go.sum']) cpSync(join(main, file), join(again, file))
    t.match(
      await inside.run(['mod', 'download'], again),
      { code: 1, stderr: /base\/@v\/v1\.0\.0\.mod: 404/ },
      'go wants the go.mod of what it does not build: that is why the manual downloads their zips, too',
    )

    shell(block(MANUAL, 'Without the internet', 2), main, { GOMODCACHE: cache })
    t.match(importInto(second.data, cache), {
      code: 0,
      lines: [],
      totals: { published: 1, identical: 5, incomplete: 0 },
    })
    const down = await inside.run(['mod', 'download'], again)
    t.equal(down.code, 0, down.stderr)
    t.match(await inside.run(['mod', 'verify'], again), { code: 0, stdout: /all modules verified/ })
    t.match(await inside.run(['build', './...'], again), { code: 0 })
    t.equal(readFileSync(join(again, 'go.sum'), 'utf8'), readFileSync(join(main, 'go.sum'), 'utf8'))

    second.cli('owner', 'add', 'secret', '--private')
    const command = `env -u NODE_OPTIONS '${ROOT}scripts/plinth'`
    const imported = shell(
      block(MANUAL, 'Without the internet', 3).replaceAll('scripts/plinth', command),
      main,
      { PLINTH_DATA: second.data },
    )
    t.match(imported, /6 would be published(.|\n)*6 published/, 'by the lines of the manual')

    for (const path of ['example.com/!old/@v/v1.0.0.info', 'example.com/top/v2/@v/v2.0.0-!r!c1.info'])
      t.equal(
        (await second.get(`/api/packages/admin/go/${path}`)).body,
        (await first.get(`/api/packages/admin/go/${path}`)).body,
        'the time of publication is the original one',
      )
    t.match(second.cli('verify'), /: 0 faults/)
    t.match(second.cli('rebuild'), /0 mended, 0 uploads recorded, 0 left/, 'rebuilding gives the same bytes')
  },
)

t.test('what is wrong is refused with a reason, and the rest is published', async (t) => {
  const data = await newData()
  const { folder, put, add } = makeCache()
  await add('example.com/good', 'v1.0.0', '2020-01-02T03:04:05.999999999+01:00')
  await add('example.com/good', 'v1.1.0', '0001-01-01T00:00:00Z') // a proxy that knows no time
  await add('example.com/good', 'v1.2.0') // a build downloads no .info
  await add('example.com/BigNames', 'v1.0.0-RC1', '2021-01-01T00:00:00Z')
  put('example.com/good', 'v1.9.0', 'mod', 'module example.com/good\n')
  put('example.com/good', 'master', 'info', '{"Version":"v1.0.0"}')
  put('example.com/good', 'latest', 'zip', await simpleModule('example.com/good', 'v1.0.0')) // of a Plinth's tree
  put('example.com/good', 'v1.0.0.zip123', 'tmp', 'torn')
  writeFileSync(join(folder, 'example.com/good/@v/list'), 'v1.0.0\n')
  mkdirSync(join(folder, 'sumdb/sum.golang.org/@v'), { recursive: true })
  writeFileSync(join(folder, 'sumdb/sum.golang.org/@v/v1.0.0.zip'), 'x')

  const bad = 'example.com/bad'
  const good = await simpleModule(bad, 'v1.0.0')
  put(bad, 'v1.0.0', 'zip', good.subarray(0, good.length - 20))
  await add(bad, 'v1.0.1', '2020-01-02T03:04:05Z')
  put(bad, 'v1.0.1', 'mod', 'module example.com/bad\n\nrequire evil.com/x v1.0.0\n')
  put(bad, 'v1.0.2', 'zip', good)
  await add(bad, 'v1.0.3', 'yesterday')
  await add(bad, 'v1.0.4')
  put(bad, 'v1.0.4', 'info', '{"Version":"v1.0.3","Time":"2020-01-02T03:04:05Z"}')
  await add(bad, 'v1.0.5')
  put(bad, 'v1.0.5', 'info', 'not json')
  await add(bad, 'v1.0.6')
  put(bad, 'v1.0.6', 'ziphash', 'h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=')
  put(bad, 'v1.0', 'zip', good)
  symlinkSync('v1.0.6.zip', join(folder, 'example.com/bad/@v/v1.0.8.zip'))
  mkdirSync(join(folder, 'Not.Escaped/m/@v'), { recursive: true })
  writeFileSync(join(folder, 'Not.Escaped/m/@v/v1.0.0.zip'), good)

  const reasons: Record<string, RegExp> = {
    [`${bad}@v1.0.0`]: /zip/,
    [`${bad}@v1.0.1`]: /\.mod is not the go\.mod in its zip/,
    [`${bad}@v1.0.2`]: /its zip holds example\.com\/bad@v1\.0\.0/,
    [`${bad}@v1.0.3`]: /\.info has the time "yesterday"/,
    [`${bad}@v1.0.4`]: /\.info is of version "v1\.0\.3"/,
    [`${bad}@v1.0.5`]: /\.info is not JSON/,
    [`${bad}@v1.0.6`]: /damaged since it was downloaded: h1:/,
    [join(folder, 'example.com/bad/@v/v1.0.zip')]: /its name is not a version/,
    [join(folder, 'Not.Escaped/m/@v/v1.0.0.zip')]: /not an escaped module path/,
  }
  const counts = {
    published: 4,
    identical: 0,
    different: 0,
    refused: Object.keys(reasons).length,
    incomplete: 1,
  }
  const tree = (): string[] => readdirSync(join(data, 'tree'), { recursive: true, encoding: 'utf8' }).sort()
  const before = tree()
  const dry = importInto(data, folder, '--dry-run')
  t.match(dry, { code: 1, totals: { ...counts, done: true } })
  t.same(tree(), before, 'a dry run writes nothing')
  const real = importInto(data, folder)
  t.match(real, { code: 1, totals: { ...counts, done: true } })
  for (const { lines } of [dry, real])
    for (const [version, reason] of Object.entries(reasons))
      t.match(lines.find((line) => line.version === version)?.reason, reason, version)

  const time = (version: string): string =>
    statSync(zipIn(data, 'example.com/good', version)).mtime.toISOString()
  t.equal(time('v1.0.0'), '2020-01-02T02:04:05.000Z', 'whole seconds, rounded down')
  t.match(time('v1.1.0'), /^20[2-9]\d/, 'no time at all: that of the file')
  t.ok(existsSync(zipIn(data, 'example.com/BigNames', 'v1.0.0-RC1')))
  t.same(await settledViolations(data), [])
  t.match(runCli({ PLINTH_DATA: data }, ['verify']), { code: 0 })

  t.match(importInto(data, folder).totals, { published: 0, identical: 4 }, 'running it again changes nothing')
  await add('example.com/good', 'v1.0.0', undefined, { 'x.go': 'package m' })
  const other = importInto(data, folder)
  t.match(other, { code: 1, totals: { identical: 3, different: 1 } })
  t.match(other.lines.find(({ result }) => result === 'different')?.version, 'example.com/good@v1.0.0')
  const repacked = tempFolder()
  if (needs('zip', 'unzip').skip === undefined) {
    const zip = zipIn(data, 'example.com/good', 'v1.1.0')
    execFileSync('sh', ['-c', `unzip -q '${zip}' && zip -qrD0 m.zip example.com`], { cwd: repacked })
    cpSync(join(repacked, 'm.zip'), join(folder, 'example.com/good/@v/v1.1.0.zip'))
    t.match(importInto(data, folder).totals, { identical: 3, different: 1 }, 'packed otherwise is the same')
  }
})

t.test('the go.sum that travels along: what differs from it is refused', async (t) => {
  const data = await newData()
  const { folder, add } = makeCache()
  const sums = (lines: readonly string[]): void => writeFileSync(join(folder, 'go.sum'), lines.join(''))
  const line = (version: string, of: string, h1: string): string => `example.com/m ${version}${of} ${h1}\n`
  for (const minor of [0, 1, 2, 3, 4]) await add('example.com/m', `v1.${minor}.0`)
  mkdirSync(join(folder, '.collecting-1-killed/example.com/m/@v'), { recursive: true })
  writeFileSync(join(folder, '.collecting-1-killed/example.com/m/@v/v1.0.0.zip'), 'torn')
  const unlisted = importInto(data, folder)
  t.match(unlisted.totals, { published: 5, refused: 0 }, 'what is under way of a collect is passed over')
  t.notOk('goEnv' in unlisted.totals, 'without a go.sum no folder of collect')

  const h1Of = (version: string): { zip: string; mod: string } => {
    const facts = JSON.parse(
      readFileSync(join(data, `tree/api/packages/admin/-/go/example.com/m/@/${version}.json`), 'utf8'),
    ) as { h1: string; goModH1: string }
    return { zip: facts.h1, mod: facts.goModH1 }
  }
  const right = ['v1.0.0', 'v1.1.0', 'v1.2.0', 'v1.3.0'].map((version) => ({ version, ...h1Of(version) }))
  const other = `h1:${'A'.repeat(43)}=`
  sums(
    right.flatMap(({ version, zip, mod }) => [
      line(version, '', version === 'v1.1.0' ? other : zip),
      line(version, '/go.mod', version === 'v1.2.0' ? other : mod),
    ]),
  )
  const expected = {
    code: 1,
    totals: { refused: 2, unlisted: 1, done: true },
    lines: [
      { version: 'example.com/m@v1.1.0', result: 'refused', reason: `${right[1]?.zip}, and not ${other}` },
      {
        version: 'example.com/m@v1.2.0',
        result: 'refused',
        reason: `go.mod has ${right[2]?.mod}, and not ${other}`,
      },
    ],
  }
  const check = (found: Imported, result: string, message: string): void => {
    t.match(found, { ...expected, lines: [], totals: { ...expected.totals, [result]: 3 } }, message)
    for (const one of expected.lines)
      t.ok(
        found.lines.some(
          ({ version, result: was, reason = '' }) =>
            version === one.version && was === 'refused' && reason.includes(one.reason),
        ),
        `${message}: ${one.version}`,
      )
  }
  check(importInto(data, folder), 'identical', 'what is published is held against it, too')
  const fresh = await newData()
  check(importInto(fresh, folder, '--dry-run'), 'published', 'a dry run')
  check(importInto(fresh, folder), 'published', 'an import')
  t.notOk(existsSync(zipIn(fresh, 'example.com/m', 'v1.1.0')))

  const text = (where: string): string =>
    runCli({ PLINTH_DATA: where }, ['import', folder, '--owner', 'admin']).stdout
  const goProxy = 'go env -w GOPROXY=http://127.0.0.1:8080/api/packages/admin/go'
  t.match(text(fresh), `${goProxy}\ngo env -w GOSUMDB=off\ngo env -w GOTOOLCHAIN=local\n`)
  t.match(text(fresh), /^1 of these have no line in go\.sum/m)
  const cli = (...words: string[]) => runCli({ PLINTH_DATA: fresh }, words)
  t.match(cli('sumdb', 'enable', 'admin', '--name', 'sum.corp.example/a', '--yes'), { code: 0 })
  t.match(
    text(fresh),
    /GOPROXY=.*\ngo env -w GOSUMDB=sum\.corp\.example\/a\+[0-9a-f]{8}\+[\w+/=]+\ngo env -w GOTOOLCHAIN=auto\n$/,
  )

  t.equal(cli('rm', 'admin/example.com/m@v1.3.0', '--yes').code, 0)
  await add('example.com/m', 'v1.3.0', undefined, { 'x.go': 'package m' })
  sums([])
  t.match(
    importInto(fresh, folder).lines.find(({ version }) => version.endsWith('v1.3.0')),
    { result: 'refused', reason: /published before with other content/ },
    'what is recorded never changes',
  )

  for (const [lines, reason] of [
    [['example.com/m v1.0.0\n'], /go\.sum: line 1 of go\.sum has not three words/],
    [
      [line('v1.0.0', '', other), line('v1.0.0', '', right[0]?.zip ?? '')],
      /go\.sum: it says .* of example\.com\/m v1\.0\.0/,
    ],
  ] as const) {
    sums(lines)
    t.match(importInto(data, folder), { code: 1, err: reason })
  }
  rmSync(join(folder, 'go.sum'))
  symlinkSync('/etc/passwd', join(folder, 'go.sum'))
  t.match(importInto(data, folder), { code: 1, err: /go\.sum: it is not a regular file/ })
})

t.test('wrong usage, and folders and owners that are none', async (t) => {
  const data = await newData()
  const run = (...words: string[]) => runCli({ PLINTH_DATA: data }, ['import', ...words])
  t.match(run(), { code: 2, stderr: /one folder/ })
  t.match(run('a', 'b', '--owner', 'admin'), { code: 2 })
  t.match(run('/tmp'), { code: 2, stderr: /needs --owner/ })
  t.match(run('/tmp', '--owner', '../x'), { code: 2 })
  t.match(run(tempFolder(), '--owner', 'nobody'), { code: 1, stderr: /no owner "nobody": declare it/ })
  t.match(run('/no/such', '--owner', 'admin'), { code: 1, stderr: /there is no folder \/no\/such/ })
  t.match(run(tempFolder(), '--owner', 'admin'), { code: 0, stdout: /^0 published, 0 there already/ })
  const service = runService(data)
  t.teardown(() => service.end('SIGTERM'))
  await service.ready()
  t.match(run('/no/such', '--owner', 'admin'), { code: 1, stderr: /there is no folder \/no\/such/ })
  t.match(run(tempFolder(), '--owner', 'nobody'), { code: 1, stderr: /no owner "nobody"/ })
})

t.test('it goes on where it was: the command is killed, then the service', async (t) => {
  const data = await newData()
  const { folder, add } = makeCache()
  const infos: string[] = []
  const published = (): number => infos.filter((path) => existsSync(path)).length
  /** So many that no import gets to its end before it is ended, unless this process stands still for long. */
  const addMany = async (): Promise<void> => {
    const goal = published() + 240
    while (infos.length < goal) {
      const [module, version] = [`example.com/m${infos.length % 7}`, `v1.${infos.length}.0`]
      await add(module, version, '2020-01-02T03:04:05Z')
      infos.push(zipIn(data, module, version).replace(/zip$/, 'info'))
    }
  }
  const start = () => {
    const [program, args] = plainNode(CLI, 'import', folder, '--owner', 'admin')
    return spawn(program, args, { env: { ...process.env, PLINTH_DATA: data }, stdio: 'ignore' })
  }
  type Child = ReturnType<typeof start>
  /**
   * Starts an import, and ends it when it has published some: more than the 24 that a service whose command was killed
   * may still finish. When it has come too far before that is seen, another one is started, with more to do.
   */
  const endInTheMiddle = async (end: (child: Child) => unknown): Promise<Child> => {
    for (;;) {
      await addMany()
      const child = start()
      const exited = once(child, 'exit')
      const goal = published() + 40
      await until(() => published() >= goal || isOver(child), 2)
      if (infos.length - published() > 50 && !isOver(child)) {
        await end(child)
        await exited
        return child
      }
      t.comment('it had come too far before it was ended: once more')
      await exited
    }
  }
  await endInTheMiddle((child) => child.kill('SIGKILL'))
  const stopped = await endInTheMiddle((child) => child.kill('SIGINT'))
  t.equal(stopped.exitCode, 1, 'Ctrl-C ends it in order')
  t.same(readdirSync(join(data, 'state/tmp')), [], 'and leaves nothing')
  const first = runService(data)
  await first.ready()
  await endInTheMiddle((child) => child.kill('SIGKILL'))
  const orphan = await endInTheMiddle(() => first.end('SIGKILL'))
  t.equal(orphan.exitCode, 1)
  const second = runService(data)
  await second.ready()
  await endInTheMiddle(() => second.end('SIGTERM'))
  const third = runService(data)
  t.teardown(() => third.end('SIGTERM'))
  await third.ready()
  const last = importInto(data, folder)
  t.match(last, { code: 0, totals: { refused: 0, different: 0, done: true } })
  t.equal(last.totals.published + last.totals.identical, infos.length)
  t.ok(last.totals.identical >= 20, `${last.totals.identical} were there already`)
  t.equal(published(), infos.length)
  await third.end('SIGTERM')
  t.same(await violationsAfterEnd(data), [])
})

t.test('no room: it stops, says so, and goes on when there is', async (t) => {
  const data = await newData()
  const { folder, add } = makeCache()
  await add('example.com/m', 'v1.0.0')
  const run = (env: Record<string, string>) =>
    runCli({ PLINTH_DATA: data, ...env }, ['import', folder, '--owner', 'admin'])
  t.match(run({ PLINTH_MIN_FREE_BYTES: String(2 ** 52) }), { code: 1, stderr: /no room left/ })
  t.match(run({ PLINTH_MAX_MODULE_BYTES: '10' }), { code: 1, stdout: /m@v1\.0\.0: refused: .*too large/ })
  t.match(run({}), { code: 0, stdout: /^1 published/ })
  t.same(await settledViolations(data), [])
})

t.test('a folder that the service may not read says so', async (t) => {
  if (process.getuid?.() !== 0) return void t.comment('NOT TESTED: only root has another user to be')
  const data = await newData()
  execFileSync('chown', ['-R', '65534:65534', data])
  const { folder, add } = makeCache()
  await add('example.com/m', 'v1.0.0')
  const zip = join(folder, 'example.com/m/@v/v1.0.0.zip')
  chmodSync(zip, 0o600)
  const run = () => runCli({ PLINTH_DATA: data }, ['import', folder, '--owner', 'admin'])
  t.match(run(), { code: 1, stdout: /m@v1\.0\.0: refused: it cannot be read: EACCES/ })
  chmodSync(folder, 0o700)
  t.match(run(), { code: 1, stderr: /the service's user may not read/ })
  chmodSync(folder, 0o755)
  chmodSync(zip, 0o644)
  t.match(run(), { code: 0 })
  t.equal(
    statSync(zipIn(data, 'example.com/m', 'v1.0.0')).uid,
    65534,
    "root's command leaves nothing of root's",
  )
})

t.test('an import of large zips, in flat memory', async (t) => {
  if (!existsSync('/proc/self/status')) return void t.comment('NOT TESTED: no /proc on this machine')
  const data = await newData({ fast: true })
  const { folder, put } = makeCache()
  const chunk = Buffer.alloc(2 ** 20, 'bytes of a module')
  for (let n = 0; n < 12; n++) {
    const prefix = `example.com/large@v1.${n}.0`
    const files: Files = { [`${prefix}/go.mod`]: 'module example.com/large\n' }
    for (let f = 0; f < 30; f++) files[`${prefix}/f${f}.bin`] = chunk
    put('example.com/large', `v1.${n}.0`, 'zip', await zipOf(files, false))
  }
  const service = runService(data)
  t.teardown(() => service.end('SIGTERM'))
  await service.ready()
  t.match(importInto(data, folder), { code: 0, totals: { published: 12 } })
  const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${service.pid}/status`, 'utf8'))?.[1]) / 1024
  t.comment(`peak memory of the service: ${peak.toFixed(0)} MB`)
  t.ok(peak < 200, `${peak.toFixed(0)} MB`)
  rmSync(folder, { recursive: true })
})

t.test('what an .info says', async (t) => {
  const good: [text: string, time: string | undefined][] = [
    ['{"Version":"v1.0.0","Time":"2020-01-02T03:04:05Z"}', '2020-01-02T03:04:05.000Z'],
    ['{"Version":"v1.0.0","Time":"2020-01-02T03:04:05.123456789Z"}', '2020-01-02T03:04:05.000Z'],
    ['{"Version":"v1.0.0","Time":"2020-01-02T03:04:05-08:00"}', '2020-01-02T11:04:05.000Z'],
    ['{"Version":"v1.0.0","Time":"1970-01-01T00:00:00Z"}', '1970-01-01T00:00:00.000Z'],
    ['{"Version":"v1.0.0","Time":"1969-12-31T23:59:59Z"}', undefined],
    ['{"Version":"v1.0.0","Time":"9999-12-31T23:59:59Z"}', undefined],
    ['{"Version":"v1.0.0"}', undefined],
  ]
  for (const [text, time] of good) {
    const info = infoTime('v1.0.0', text)
    t.equal('problem' in info ? info.problem : info.time?.toISOString(), time, text)
  }
  for (const text of [
    '',
    '[]',
    'null',
    '{}',
    '{"Version":1}',
    '{"Version":"v1.0.0","Time":5}',
    '{"Version":"v1.0.0","Time":"2020-13-02T03:04:05Z"}',
  ])
    t.match(infoTime('v1.0.0', text), { problem: /\.info/ }, text)
})
