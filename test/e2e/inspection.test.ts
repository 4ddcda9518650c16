// `plinth verify` and `rebuild`, beside the running service and without one.

import { execFile, execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { sumFile } from '../../src/layout.js'
import { simpleModule } from '../support/zips.js'
import { settledViolations } from '../support/invariants.js'
import { CLI, plainNode } from '../support/cli.js'
import { startPlinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { tempFolder } from '../support/temp-folder.js'
import { askService, newData, runService } from '../support/service.js'

type Found = { path: string; fault: string; mend: string; byRebuild: boolean; mended: boolean }
type Report = { faults: Found[]; totals: Record<string, number> }

type Ended = { code: number; out: string; err: string }

const run = (data: string, ...args: [string, ...string[]]): Promise<Ended> =>
  new Promise((resolve) => {
    const [program, words] = plainNode(...args)
    execFile(program, words, { env: { ...process.env, PLINTH_DATA: data } }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    )
  })

const plinth = (data: string, ...words: string[]): Promise<Ended> => run(data, CLI, ...words)

/** The same in a process to which every file system looks like CephFS. */
const plinthOnCeph = (data: string, ...words: string[]): Promise<Ended> =>
  run(data, `--import=${new URL('../support/ceph-times.js', import.meta.url).href}`, CLI, ...words)

async function inspect(data: string, ...words: string[]): Promise<Report & { code: number }> {
  const { code, out, err } = await plinth(data, ...words, '--json')
  if (out === '') throw new Error(err)
  return { code, ...(JSON.parse(out) as Report) }
}

const GO = 'tree/api/packages/admin/go/example.com'
const GENERIC = 'tree/api/packages/admin/generic/tool'
const PSEUDO = 'v0.0.0-20191109021931-daa7c04131f5'

/** A service with modules and files of every kind. */
async function publishedData(): Promise<string> {
  const data = await newData()
  const service = runService(data)
  await service.ready()
  const modules: [module: string, version: string][] = [
    ['example.com/m', 'v1.0.0'],
    ['example.com/m', 'v1.1.0'],
    ['example.com/m', 'v1.2.0-RC1'],
    ['example.com/m/Sub', 'v0.1.0'],
    ['example.com/pseudo', PSEUDO],
  ]
  for (const [module, version] of modules) {
    const zip = await simpleModule(module, version)
    const put = await askService(data, 'PUT', '/api/packages/admin/go/upload', zip)
    if (put.status !== 201) throw new Error(put.body)
  }
  for (const path of ['tool/1.0/a.tar.gz', 'tool/1.0/b', 'tool/2.0%20x/a'])
    await askService(data, 'PUT', `/api/packages/admin/generic/${path}`, `bytes of ${path}`)
  await service.end('SIGTERM')
  return data
}

/** Names, bytes, times and inodes of everything in the tree and of the sums. */
const snapshot = (data: string): Record<string, string> =>
  Object.fromEntries(
    ['tree', 'state/sums', 'access'].flatMap((top) =>
      readdirSync(join(data, top), { recursive: true, encoding: 'utf8' }).map((name) => {
        const path = join(data, top, name)
        const { ino, mtimeMs, mode, uid, size } = lstatSync(path)
        const bytes = lstatSync(path).isFile() ? readFileSync(path, 'base64') : ''
        return [`${top}/${name}`, `${ino} ${mtimeMs} ${mode} ${uid} ${size} ${bytes}`]
      }),
    ),
  )

const contents = (data: string): Record<string, string> =>
  Object.fromEntries(
    Object.keys(snapshot(data))
      .filter(
        (name) => name.startsWith('tree/') && statSync(join(data, name), { throwIfNoEntry: false })?.isFile(),
      )
      .filter((name) => !name.endsWith('/index.ndjson')) // the log says when a line was written
      .map((name) => [name, `${readFileSync(join(data, name), 'base64')} ${fileTime(data, name)}`]),
  )
// the time of `list` and `@latest` is that of their last change and says nothing
const fileTime = (data: string, name: string): number =>
  /\/(list|@latest)$|\/-\//.test(name) ? 0 : Math.floor(statSync(join(data, name)).mtimeMs / 1000)

t.test('verify and rebuild', async (t) => {
  const whole = await publishedData()
  const copies = tempFolder()
  let count = 0
  const copy = (): string => {
    const data = join(copies, String(count++))
    execFileSync('cp', ['-a', whole, data])
    return data
  }

  await t.test('on an untouched tree nothing is found, and nothing changes, not even a time', async (t) => {
    const before = snapshot(whole)
    t.match(await plinth(whole, 'verify'), { code: 0, out: /5 packages, \d+ files: 0 faults\n$/, err: '' })
    t.match(await plinth(whole, 'rebuild'), { code: 0, out: /0 mended, 0 uploads recorded, 0 left/ })
    t.same(snapshot(whole), before)
    const service = runService(whole)
    await service.ready()
    t.match(await plinth(whole, 'verify'), { code: 0 })
    t.match(await plinth(whole, 'rebuild'), { code: 0 })
    t.match(service.log(), /"event":"inspection","mend":true/, 'the running service did it')
    t.same(snapshot(whole), before)
    await service.end('SIGTERM')
  })

  type Damage = {
    what: string
    path: string
    damage: (path: string) => void
    fault: RegExp
    mended: boolean
    /** Where the fault is reported, when it is not where the damage was done. */
    at?: string
  }
  const zip = `${GO}/m/@v/v1.0.0.zip`
  const flip = (path: string): void => {
    const bytes = readFileSync(path)
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
    const { mtime } = statSync(path)
    writeFileSync(path, bytes)
    utimesSync(path, mtime, mtime)
  }
  const dateWrongly = (path: string): void => utimesSync(path, 1, 1)
  const table: Damage[] = [
    {
      what: 'a flipped bit in a zip',
      path: zip,
      damage: flip,
      fault: /changed since the upload/,
      mended: false,
    },
    {
      what: 'a flipped bit in a file',
      path: `${GENERIC}/1.0/b`,
      damage: flip,
      fault: /changed since the upload/,
      mended: false,
    },
    {
      what: 'a zip that go would refuse',
      path: zip,
      damage: (path) => writeFileSync(path, 'no zip'),
      fault: /go would refuse it/,
      mended: false,
    },
    {
      what: 'the zip of another version',
      path: zip,
      damage: (path) => cpSync(path.replace('v1.0.0', 'v1.1.0'), path),
      fault: /it holds example\.com\/m@v1\.1\.0, not example\.com\/m@v1\.0\.0/,
      mended: false,
    },
    { what: 'a missing .mod', path: `${GO}/m/@v/v1.0.0.mod`, damage: rmSync, fault: /missing/, mended: true },
    {
      what: 'a wrong .info',
      path: `${GO}/m/@v/v1.0.0.info`,
      damage: (path) => writeFileSync(path, '{"Version":"v1.0.0","Time":"2001-01-01T00:00:00Z"}'),
      fault: /not what follows/,
      mended: true,
    },
    {
      what: 'a .mod of another time',
      path: `${GO}/m/@v/v1.0.0.mod`,
      damage: dateWrongly,
      fault: /its time/,
      mended: true,
    },
    {
      what: 'a zip of another time',
      path: zip,
      damage: dateWrongly,
      fault: /its time is 1970-01-01T00:00:01Z, it was published at 20/,
      mended: true,
    },
    {
      what: 'a file of another time',
      path: `${GENERIC}/1.0/b`,
      damage: dateWrongly,
      fault: /its time is 1970-01-01T00:00:01Z, it was published at 20/,
      mended: true,
    },
    {
      what: 'a stale list',
      path: `${GO}/m/@v/list`,
      damage: (path) => writeFileSync(path, 'v1.0.0\n'),
      fault: /not what follows/,
      mended: true,
    },
    {
      what: 'a wrong .mod of the version that @latest names',
      path: `${GO}/m/@v/v1.1.0.mod`,
      damage: (path) => writeFileSync(path, 'module example.com/other\n'),
      fault: /not what follows/,
      mended: true,
    },
    { what: 'no list', path: `${GO}/pseudo/@v/list`, damage: rmSync, fault: /missing/, mended: true },
    {
      what: 'a wrong @latest',
      path: `${GO}/m/@latest`,
      damage: (path) => appendFileSync(path, ' '),
      fault: /not what follows/,
      mended: true,
    },
    {
      what: 'a latest.zip that is of another version',
      path: `${GO}/m/@v/latest.zip`,
      damage: (path) => {
        rmSync(path)
        cpSync(join(dirname(path), 'v1.0.0.zip'), path)
      },
      fault: /not the file of the version/,
      mended: true,
    },
    {
      what: 'a stray temp file',
      path: `${GO}/m/@v/.v1.0.0.zip.Xa81Bz`,
      damage: (path) => writeFileSync(path, ''),
      fault: /does not belong/,
      mended: false,
    },
    {
      what: 'a stray file above',
      path: 'tree/api/packages/admin/generic/.nfs0001',
      damage: (path) => writeFileSync(path, ''),
      fault: /does not belong/,
      mended: false,
    },
    {
      what: 'a version without its zip',
      path: zip,
      damage: rmSync,
      at: `${GO}/m/@v/v1.0.0.mod`,
      fault: /its zip is gone/,
      mended: true,
    },
    {
      what: 'a module without any zip',
      path: `${GO}/m/!sub/@v/v0.1.0.zip`,
      damage: rmSync,
      at: `${GO}/m/!sub/@v/list`,
      fault: /no version for it/,
      mended: true,
    },
    {
      what: 'a lost file',
      path: `${GENERIC}/1.0/b`,
      damage: rmSync,
      fault: /uploaded and never deleted/,
      mended: false,
    },
    {
      what: 'a record of nothing',
      path: sumFile('nothing'),
      damage: (path) => writeFileSync(path, '{}'),
      fault: /not a record of an upload/,
      mended: false,
    },
    {
      what: 'an owner whose marker is gone',
      path: 'access/public/admin',
      damage: rmSync,
      fault: /owner is public/,
      mended: true,
    },
    {
      what: 'a marker of nobody',
      path: 'access/public/ghost',
      damage: (path) => writeFileSync(path, ''),
      fault: /owner is not public/,
      mended: true,
    },
    {
      what: 'packages of an owner whom nobody declared',
      path: 'tree/api/packages/ghost',
      damage: (path) => mkdirSync(path),
      fault: /nobody declared/,
      mended: false,
    },
    {
      what: 'a temp file of a crash',
      path: 'state/tmp/x',
      damage: (path) => writeFileSync(path, ''),
      fault: /a crash left it/,
      mended: true,
    },
  ]
  const owners: Damage[] = [
    {
      what: 'a derived file of another user',
      path: `${GO}/m/@v/v1.0.0.info`,
      damage: (path) => chownSync(path, 12345, 12345),
      fault: /belongs to user 12345/,
      mended: true,
    },
    {
      what: 'a zip of another user',
      path: zip,
      damage: (path) => chownSync(path, 12345, 12345),
      fault: /belongs to user 12345/,
      mended: false,
    },
  ]
  for (const row of [...table, ...owners]) {
    const skip =
      owners.includes(row) && process.getuid?.() !== 0 ? 'NOT TESTED: only root can give a file away' : false
    await t.test(row.what, { skip }, async (t) => {
      const data = copy()
      row.damage(join(data, row.path))
      const before = snapshot(data)
      const path = row.at ?? row.path
      const found = (report: Report): Found | undefined =>
        report.faults.find((one) => one.path === path && row.fault.test(one.fault))
      const verified = await inspect(data, 'verify')
      t.equal(verified.code, 1)
      t.ok(found(verified), JSON.stringify(verified.faults))
      t.same(snapshot(data), before, 'it has changed nothing')
      const rebuilt = await inspect(data, 'rebuild')
      if (row.path === 'state/tmp/x') t.notOk(existsSync(join(data, path)))
      else {
        t.equal(found(verified)?.byRebuild, row.mended)
        t.equal(found(rebuilt)?.mended, row.mended, JSON.stringify(rebuilt.faults))
      }
      const again = await inspect(data, 'verify')
      t.equal(found(again) === undefined, row.mended)
      t.match(found(verified)?.mend, /\S/, 'it says what mends it')
      // What is left without its record, or has it in the wrong case, is no fault of the tree.
      if (row.mended && (row.path !== zip || row.damage === dateWrongly) && !row.path.includes('!sub')) {
        t.same(again.faults, [])
        t.same(await settledViolations(data), [])
      }
    })
  }

  await t.test('a lost time is the only fault, and what has it is no other file afterwards', async (t) => {
    const data = copy()
    const before = snapshot(data)
    for (const path of [zip, `${GO}/m/@v/v1.1.0.zip`, `${GENERIC}/1.0/b`]) dateWrongly(join(data, path))
    t.same(
      (await inspect(data, 'verify')).faults.map(({ path }) => path).sort(),
      [`${GENERIC}/1.0/b`, zip, `${GO}/m/@v/v1.1.0.zip`].sort(),
    )
    t.match(await inspect(data, 'rebuild'), { code: 0, totals: { mended: 3 } })
    const whole = (times: Record<string, string>): string[] =>
      Object.entries(times).map(([name, text]) => `${name} ${text.replace(/ \d+(?:\.\d+)? /, ' ')}`)
    t.same(whole(snapshot(data)), whole(before), 'inode, mode and bytes are the same')
    t.match(await inspect(data, 'verify'), { code: 0, faults: [] })
  })

  await t.test('where servers have the times, that of a derived file is no fault', async (t) => {
    const data = copy()
    for (const name of ['v1.0.0.mod', 'v1.1.0.info']) dateWrongly(join(data, GO, 'm/@v', name))
    t.match(await plinthOnCeph(data, 'verify'), { code: 0, out: /: 0 faults\n$/ })
    dateWrongly(join(data, zip))
    t.match(await plinthOnCeph(data, 'verify'), { code: 1, out: /v1\.0\.0\.zip: its time/ })
    t.match(await plinthOnCeph(data, 'rebuild'), { code: 0, out: /1 mended/ })
    t.match(await plinthOnCeph(data, 'verify'), { code: 0 })
  })

  await t.test('a sample reads some files whole, and everything cheap of all', async (t) => {
    const data = copy()
    const sampled = async (
      ...words: string[]
    ): Promise<Report & { code: number; sample: { seed: string } }> =>
      (await inspect(data, 'verify', '--sample', ...words)) as Report & {
        code: number
        sample: { seed: string }
      }
    const verify = (...words: string[]) =>
      sampled(...words).then(({ code, faults, totals }) => ({ code, faults, totals }))
    t.match(await verify('0.000001%'), { code: 0, totals: { uploads: 8, read: 0, readBytes: 0, faults: 0 } })
    t.match(await verify('100%'), { code: 0, totals: { uploads: 8, read: 8, faults: 0 } })
    t.match(await verify('8'), { code: 0, totals: { read: 8 } }, 'as many as there are')
    const before = snapshot(data)
    const first = await sampled('50%')
    for (const _ of [1, 2]) t.same((await sampled('50%', '--seed', first.sample.seed)).totals, first.totals)
    t.same(snapshot(data), before, 'it has changed nothing')
    const said = await plinth(data, 'verify', '--sample', '50%', '--seed', 'a1')
    t.match(
      said.out,
      /\nread \d of 8 uploaded files whole \(\d+\.\d %\), 0\.0 MB; the same again: --sample 50% --seed a1\n$/,
    )

    // What is the same size after the damage is found by those who read it.
    flip(join(data, zip))
    t.match(await verify('0.000001%'), { code: 0 })
    t.match(await verify('100%'), { code: 1, faults: [{ path: zip, fault: /changed since the upload/ }] })
    const damages: [path: string, damage: (path: string) => void][] = [
      [`${GENERIC}/1.0/b`, (path) => appendFileSync(path, 'x')],
      [`${GO}/m/@v/v1.1.0.mod`, rmSync],
      [`${GO}/m/@v/v1.1.0.info`, (path) => appendFileSync(path, ' ')],
      [`${GO}/m/@v/list`, (path) => appendFileSync(path, 'v9.9.9\n')],
      [`${GO}/m/!sub/@v/v0.1.0.mod`, flip],
      [`${GO}/pseudo/@v/${PSEUDO}.zip`, (path) => appendFileSync(path, 'x')],
      ['tree/api/packages/admin/-/go/example.com/m/@/v1.0.0.json', (path) => appendFileSync(path, ' ')],
    ]
    for (const [path, damage] of damages) damage(join(data, path))
    const cheap = await verify('0.000001%')
    const whole = await inspect(data, 'verify')
    const paths = (faults: Found[]): string[] => faults.map(({ path }) => path).sort()
    for (const [path] of damages.slice(0, -1)) t.ok(paths(cheap.faults).includes(path), path)
    t.same(
      paths(cheap.faults.filter(({ path }) => path !== zip)),
      paths(whole.faults.filter(({ path }) => path !== zip && !path.endsWith('/v1.0.0.json'))),
    )
  })

  await t.test('a tree of zips only becomes whole, byte for byte', async (t) => {
    const data = await newData()
    for (const name of Object.keys(contents(whole))) {
      if (name.includes('/-/') || !/generic\/|\/v[^/]*\.zip$/.test(name)) continue
      mkdirSync(dirname(join(data, name)), { recursive: true })
      execFileSync('cp', ['-p', join(whole, name), join(data, name)])
    }
    const verified = await inspect(data, 'verify')
    t.equal(verified.code, 1)
    t.equal(verified.totals['unrecorded'], 8, 'what did not come through the service has no record yet')
    const service = runService(data)
    await service.ready()
    t.match(await plinth(data, 'rebuild', '--owner', 'admin'), { code: 0, out: /8 uploads recorded, 0 left/ })
    t.same(contents(data), contents(whole))
    t.same(await settledViolations(data), [])
    t.match(await inspect(data, 'verify'), { code: 0, faults: [], totals: { unrecorded: 0 } })
    await service.end('SIGTERM')
  })

  await t.test('a dry run says what would be mended, and changes nothing', async (t) => {
    const data = copy()
    rmSync(join(data, GO, 'm/@v/list'))
    rmSync(join(data, sumFile(zip)))
    const before = snapshot(data)
    t.match(await plinth(data, 'rebuild', '--dry-run'), {
      code: 0,
      out: /1 would be mended, 1 uploads recorded, 0 left/,
    })
    t.same(snapshot(data), before)
  })

  await t.test('one module, one owner', async (t) => {
    const data = copy()
    for (const module of ['m', 'pseudo']) rmSync(join(data, GO, module, '@v/list'))
    t.match(await plinth(data, 'rebuild', '--owner', 'admin', '--module', 'example.com/m'), { code: 0 })
    t.ok(existsSync(join(data, GO, 'm/@v/list')))
    t.notOk(existsSync(join(data, GO, 'pseudo/@v/list')))
    t.match(await plinth(data, 'verify', '--owner', 'nobody'), { code: 0 })
    t.match(await plinth(data, 'verify', '--owner', 'admin'), {
      code: 1,
      out: /to mend it: scripts\/plinth rebuild/,
    })
  })

  await t.test('wrong usage is said', async (t) => {
    for (const words of [
      ['verify', 'x'],
      ['verify', '--module', 'm'],
      ['rebuild', '--module', 'example.com/m'],
    ])
      t.match(await plinth(whole, ...words), { code: 2, err: /usage/ }, words.join(' '))
    t.match(await plinth(join(whole, 'not-there'), 'verify'), { code: 1, err: /there is no data folder/ })
  })
})

t.test('the socket for commands is out of the reach of nginx and its clients', needs('nginx'), async (t) => {
  const running = await startPlinth()
  t.teardown(running.stop)
  t.equal(statSync(join(running.data, 'state/control')).mode & 0o777, 0o700, 'only its user may enter')
  const body = JSON.stringify({ mend: true })
  for (const path of ['/', '/state/control/sock', '/control', '/api/packages/admin/go/upload/..'])
    for (const method of ['POST', 'PUT']) {
      const answer = await running.ask(method, path, { body })
      t.ok([404, 405].includes(answer.status), `${method} ${path}: ${answer.status}`)
    }
  t.notMatch(running.log(), /"event":"inspection"/)
  const conf = readFileSync(join(running.data, 'state/nginx/nginx.conf'), 'utf8')
  t.notMatch(conf, /control/)
})
