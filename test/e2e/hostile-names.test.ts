// Names that strangers chose, in a module cache, in the tree and in the drop folder: no command, report or log shows
// one as it is.

import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { CLI, plainNode } from '../support/cli.js'
import { HOSTILE_BYTES, HOSTILE_NAMES, strayIn } from '../support/hostile-names.js'
import { newData, runService } from '../support/service.js'
import { tempFolder } from '../support/temp-folder.js'
import { until } from '../support/until.js'
import { moduleZip, simpleModule } from '../support/zips.js'

const PACKAGES = 'tree/api/packages'

type Ran = { code: number; out: string; err: string }

/** Runs a command, and fails when it shows what it must not. */
function run(t: Test, data: string, ...words: string[]): Ran {
  const [program, args] = plainNode(CLI, ...words)
  const { status, stdout, stderr } = spawnSync(program, args, { env: { ...process.env, PLINTH_DATA: data } })
  t.same(strayIn(stdout), [], `standard output of ${words.slice(0, 1)}`)
  t.same(strayIn(stderr), [], `standard error of ${words.slice(0, 1)}`)
  return { code: status ?? 1, out: stdout.toString(), err: stderr.toString() }
}

function put(path: string, content: Buffer | string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
}

/** Makes files with names that are not UTF-8. */
function putBytes(folder: string): void {
  mkdirSync(folder, { recursive: true })
  for (const name of HOSTILE_BYTES) writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), name]), 'x')
}

const hostileZip = (module: string): Promise<Buffer> =>
  simpleModule(module, 'v1.0.0', Object.fromEntries(HOSTILE_NAMES.map((name) => [name, 'x'])))

/** Calls `check` without a service, and beside one whose log is then looked at. */
async function withAndWithout(t: Test, data: string, check: () => void): Promise<void> {
  check()
  const service = runService(data, { PLINTH_INBOX: '0' })
  t.teardown(() => service.end('SIGTERM'))
  await service.ready()
  check()
  await service.end('SIGTERM')
  t.same(strayIn(service.log()), [], 'the log')
}

async function makeCache(): Promise<string> {
  const folder = join(tempFolder(), 'cache\x1b[2J\nforged\u009b')
  for (const [n, name] of HOSTILE_NAMES.entries()) {
    put(join(folder, 'example.com/m/@v', `${name}.zip`), 'x')
    put(join(folder, name, '@v/v1.0.0.zip'), 'x')
    const beside = async (module: string, extension: string, content: string): Promise<void> => {
      const base = join(folder, `example.com/${module}${n}/@v/v1.0.0`)
      put(`${base}.zip`, await simpleModule(`example.com/${module}${n}`, 'v1.0.0'))
      put(`${base}.${extension}`, content)
    }
    await beside('info', 'info', JSON.stringify({ Version: name }))
    await beside('time', 'info', JSON.stringify({ Version: 'v1.0.0', Time: name }))
    await beside('ziphash', 'ziphash', name)
  }
  putBytes(join(folder, 'example.com/m/@v'))
  for (const name of HOSTILE_BYTES) mkdirSync(Buffer.concat([Buffer.from(`${folder}/`), name]))
  put(join(folder, 'example.com/zip/@v/v1.0.0.zip'), await hostileZip('example.com/zip'))
  put(join(folder, 'example.com/large/@v/v1.0.0.zip'), await simpleModule('example.com/large', 'v1.0.0'))
  put(join(folder, 'example.com/large/@v/v1.0.0.info'), '')
  truncateSync(join(folder, 'example.com/large/@v/v1.0.0.info'), 2 ** 25)
  const declared = { 'go.mod': `module "example.com/\x1b[2J\u009b\u202e"\n` }
  put(join(folder, 'example.com/mod/@v/v1.0.0.zip'), await moduleZip('example.com/mod', 'v1.0.0', declared))
  return folder
}

t.test('an import of a hostile cache', async (t) => {
  const data = await newData({ fast: true })
  const folder = await makeCache()
  await withAndWithout(t, data, () => {
    const { code, out, err } = run(t, data, 'import', folder, '--owner', 'admin', '--dry-run')
    t.match({ code, err }, { code: 1, err: '' })
    for (const line of out.trimEnd().split('\n').slice(0, -1))
      t.match(line, /^(?: {2}\S|\/.*: refused: |example\.com\/\w+@v1\.0\.0: (?:refused|different): )/)
    t.match(out, /@v\/a\\u001b\[2J\\u001b\]0;title\\u0007b\.zip: refused: its name is not a version/)
    t.match(out, /example\.com\/large@v1\.0\.0: refused: .*cache\\u001b\[2J.*: it is too large/)
    const json = run(t, data, 'import', folder, '--owner', 'admin', '--dry-run', '--json').out
    const versions = json
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { version?: string }).version)
    for (const name of HOSTILE_NAMES)
      t.ok(versions.includes(join(folder, 'example.com/m/@v', `${name}.zip`)), 'JSON keeps the name')
    t.match(run(t, data, 'import', `${folder}/gone`, '--owner', 'admin'), { code: 1, err: /no folder/ })
  })
})

/** A tree with hostile names in each of its folders, and in those beside it that are looked at. */
async function makeTree(): Promise<string> {
  const data = await newData({ fast: true })
  const service = runService(data)
  await service.ready()
  await service.end('SIGTERM')
  const at = (folder: string, name: string): string => join(data, folder, name)
  const places = ['tree', PACKAGES, `${PACKAGES}/admin`, `${PACKAGES}/admin/go`]
  const module = `${PACKAGES}/admin/go/example.com/zip/@v`
  places.push(module, `${PACKAGES}/admin/generic`, `${PACKAGES}/admin/generic/tool`)
  places.push(`${PACKAGES}/admin/generic/tool/1.0`, 'state/sums/00', 'access/readers', 'access/public')
  for (const folder of places) {
    for (const name of HOSTILE_NAMES) put(at(folder, name), 'x')
    putBytes(join(data, folder))
  }
  for (const [n, name] of HOSTILE_NAMES.entries()) {
    mkdirSync(at(PACKAGES, `folder ${name}`))
    put(at(`access/public/folder ${name}`, 'x'), '') // it cannot be removed as a file
    put(at(module, `${name}.zip`), 'x')
    put(at(module, `${name}.info`), 'x')
    put(at(`${PACKAGES}/admin/generic/tool/version ${name}`, 'a*b'), 'x')
    const lost = { op: 'publish', owner: 'admin', name: 'tool', version: '1.0', file: `lost ${name}` }
    put(at('state/sums/01', `record${n}`), JSON.stringify(lost))
  }
  writeFileSync(at(module, 'v1.0.0.zip'), await hostileZip('example.com/zip'))
  return data
}

t.test('verify and rebuild of a hostile tree', async (t) => {
  const data = await makeTree()
  for (const name of HOSTILE_NAMES) put(join(data, 'state/tmp', name), 'x')
  await withAndWithout(t, data, () => {
    for (const words of [['verify'], ['rebuild', '--dry-run'], ['rebuild']]) {
      const { code, out, err } = run(t, data, ...words)
      t.match({ code, err }, { code: 1, err: '' })
      for (const line of out.trimEnd().split('\n'))
        t.match(line, /^(?:(?:tree|access|state)\/.*: .|  to mend it: .|  mended$|\d+ \w+)/)
    }
    const { out } = run(t, data, 'verify', '--json')
    const paths = (JSON.parse(out) as { faults: { path: string }[] }).faults.map(({ path }) => path)
    for (const name of HOSTILE_NAMES) t.ok(paths.includes(`tree/${name}`), 'JSON keeps the name')
  })
})

t.test('a hostile drop folder', async (t) => {
  const data = await newData({ fast: true })
  const inbox = join(data, 'inbox')
  for (const name of HOSTILE_NAMES) {
    put(join(inbox, name), 'x')
    put(join(inbox, 'admin', name), 'x')
    for (const path of [`owner ${name}/go/x.zip`, `admin/registry ${name}/x`, `admin/go/${name}.zip`])
      put(join(inbox, path), 'x')
    for (const path of [`package ${name}/1.0/x`, `tool/version ${name}/x`, `tool/1.0/${name}`])
      put(join(inbox, 'admin/generic', path), 'x')
  }
  put(join(inbox, 'admin/go/names.zip'), await hostileZip('example.com/zip'))
  putBytes(join(inbox, 'admin/go'))
  const service = runService(data, { PLINTH_INBOX_SETTLE_SECONDS: '0' })
  t.teardown(() => service.end('SIGTERM'))
  await service.ready()
  const filesIn = (folder: string): string[] =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
  const rejected = join(inbox, 'rejected')
  const left = (): string[] => filesIn(inbox).filter((path) => !path.startsWith(rejected))
  await until(() => left().length === HOSTILE_BYTES.length)
  const reports = filesIn(rejected).filter((path) => path.endsWith('.txt'))
  t.ok(reports.length > 7 * HOSTILE_NAMES.length, 'but for a few versions of packages')
  for (const path of reports) {
    const report = readFileSync(path)
    t.same(strayIn(report), [])
    t.match(report.toString(), /^\d{4}-\S+Z inbox\/.* was not published:\n\n.+\n$/s)
  }
  await service.end('SIGTERM')
  const log = service.log()
  t.same(strayIn(log), [], 'the log')
  const paths = log
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { path?: string }).path)
  for (const name of HOSTILE_NAMES) t.ok(paths.includes(`admin/${name}`), 'the log keeps the name')
})

t.test('packing a hostile folder', async (t) => {
  const folder = tempFolder()
  put(join(folder, 'go.mod'), 'module example.com/m\n')
  for (const name of HOSTILE_NAMES) {
    put(join(folder, name), 'x')
    put(join(folder, `nested ${name}/go.mod`), 'module example.com/m/nested\n')
  }
  t.match(run(t, folder, 'pack', folder, 'v1.0.0', '--dry-run').code, 1)
})
