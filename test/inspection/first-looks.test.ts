// Threads that look at packages: what verify tells of a large tree is what it tells without them.

import {
  appendFileSync,
  chmodSync,
  cpSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { fillTree } from '../../scripts/bench/large-tree.js'
import { moduleAt, versionOf } from '../../scripts/bench/module-files.js'
import { firstRun } from '../../src/access/first-run.js'
import { readConfig } from '../../src/config.js'
import { FirstLooks } from '../../src/inspection/first-looks.js'
import type { Fault, Totals } from '../../src/inspection/finding.js'
import { inspectTree, type Inspection } from '../../src/inspection/inspect.js'
import { moduleViews, sumFile, versionFile } from '../../src/layout.js'
import { openParts } from '../support/parts.js'
import { memoryFolder, tempFolder } from '../support/temp-folder.js'

const MODULES = 40
const VERSIONS = 8
const GENERIC = 'tree/api/packages/admin/generic/tool'

async function makeTree(): Promise<string> {
  const data = join(memoryFolder(), 'data')
  await firstRun(readConfig({ PLINTH_DATA: data, PLINTH_ADMIN_TOKEN: 'a-token-of-a-test-0123456789' }))
  await fillTree(data, MODULES * VERSIONS, { versionsOfEach: VERSIONS })
  const parts = await openParts(data)
  for (let n = 0; n < 6; n++) await parts.publishFile(`1.${n}`, 'file', `bytes ${n}`)
  await parts.ownerViews.settle()
  parts.ownerViews.stop()
  return data
}

type Seen = { faults: Fault[]; totals: Totals }

/** With threads, or as it is without a config. */
async function inspect(data: string, how: Partial<Inspection> = {}, threads = true): Promise<Seen> {
  const { all } = await openParts(data)
  const config = threads ? { data, readmeImages: false } : undefined
  const needs = { ...partsOf(all), ...(config && { config }) }
  const faults: Fault[] = []
  let totals: Totals | undefined
  for await (const event of inspectTree(needs, { mend: false, noService: true, ...how })) {
    if ('fault' in event) faults.push(event.fault)
    else totals = { ...event.totals }
  }
  all.ownerViews.stop()
  await all.zips.close()
  if (!totals) throw new Error('it did not end')
  return { faults, totals }
}

const partsOf = ({
  store,
  zips,
  modules,
  files,
  ownerViews,
  site,
  databases,
}: Awaited<ReturnType<typeof openParts>>['all']) => ({
  store,
  zips,
  modules,
  files,
  ownerViews,
  site,
  databases,
})

let whole: Promise<string> | undefined
async function tree(): Promise<string> {
  const data = join(memoryFolder(), 'data')
  cpSync(await (whole ??= makeTree()), data, {
    recursive: true,
    preserveTimestamps: true,
    verbatimSymlinks: true,
  })
  return data
}

const at = (nth: number, n: number) => ({ ...moduleAt(nth), version: versionOf(n) })
const zipAt = (nth: number, n: number): string => versionFile(at(nth, n), 'zip')
const FILE = `${GENERIC}/1.3/file`

/** What is done to a file, which keeps its mtime, and what is said of it. */
const DAMAGE: [path: string, damage: (path: string) => void, fault: RegExp][] = [
  [zipAt(3, 7), (path) => flip(path), /changed since the upload/],
  [zipAt(38, 0), (path) => flip(path), /changed since the upload/],
  [zipAt(30, 5), rmSync, /uploaded and never deleted/],
  [versionFile(at(20, 7), 'mod'), rmSync, /missing/],
  [versionFile(at(25, 1), 'info'), (path) => appendFileSync(path, ' '), /not what follows/],
  [versionFile(at(26, 1), 'mod'), (path) => chmodSync(path, 0o600), /not everybody may read it/],
  [moduleViews(moduleAt(33)).facts(versionOf(4)), (path) => writeFileSync(path, '{}'), /not what follows/],
  [moduleViews(moduleAt(34)).index, (path) => appendFileSync(path, ' '), /not what follows/],
  [moduleViews(moduleAt(35)).versionPage(versionOf(3)), rmSync, /missing/],
  [FILE, (path) => flip(path), /changed since the upload/],
  [`tree/api/packages/admin/-/generic/tool/1.4/SHA256SUMS`, rmSync, /missing/],
  [sumFile(zipAt(36, 6)), (path) => writeFileSync(path, 'x'), /not a record/],
]

function flip(path: string): void {
  const { mtime } = statSync(path)
  const bytes = readFileSync(path)
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
  writeFileSync(path, bytes)
  utimesSync(path, mtime, mtime)
}

t.test('a large tree that nobody touched is right, and each file is counted once', async (t) => {
  const data = await tree()
  const [threads, alone] = [await inspect(data), await inspect(data, {}, false)]
  t.same(threads, alone)
  t.same(threads.faults, [])
  t.match(threads.totals, { packages: MODULES + 6, uploads: MODULES * VERSIONS + 6, unchanged: 0 })
  t.equal(threads.totals.read, threads.totals.uploads)
  const sample = { share: 0.1, seed: 'x' }
  t.same(
    await inspect(data, { sample }),
    await inspect(data, { sample }, false),
    'a sample has the same files',
  )
})

t.test(
  'with threads verify tells the same faults in the same order, and rebuild mends the same',
  async (t) => {
    const data = await tree()
    for (const [path, damage] of DAMAGE) damage(join(data, path))
    const alone = await inspect(data, {}, false)
    for (const jobs of [1, 3]) t.same(await inspect(data, { jobs }), alone, `${jobs} threads`)
    for (const [path, , fault] of DAMAGE)
      t.match(alone.faults.find((one) => one.path === path)?.fault, fault, path)
    const mended = await inspect(data, { mend: true })
    t.ok(mended.totals.mended >= 6, `${mended.totals.mended} were mended`)
    t.same(await inspect(data), await inspect(data, {}, false), 'what is left')
  },
)

t.test('a verify that is told since when looks at what changed, and at nothing else', async (t) => {
  const data = await tree()
  const since = await laterThanAll(data)
  const nothing = await inspect(data, { since })
  t.same(nothing.faults, [])
  t.match(nothing.totals, { packages: 0, uploads: 0, unchanged: MODULES + 6 })
  for (const [path, damage] of DAMAGE) damage(join(data, path))
  const found = await inspect(data, { since })
  const all = await inspect(data)
  t.same(found.faults, all.faults, 'every fault of what was changed is found')
  t.ok(found.totals.uploads <= DAMAGE.length + 2, `${found.totals.uploads} uploaded files were looked at`)
  t.ok(found.totals.unchanged >= MODULES - DAMAGE.length, `${found.totals.unchanged} packages were not`)
  t.same(await inspect(data, { since }, false), found, 'without threads it is the same')
  const gone = DAMAGE.filter(([path, damage]) => damage === rmSync || path.startsWith('state/'))
  const later = (await inspect(data, { since: Date.now() + 3_600_000 })).faults.map(({ path }) => path)
  for (const [path] of gone) t.ok(later.includes(path), `${path} is missing, whenever it went`)
  t.notOk(later.includes(zipAt(3, 7)), 'what was changed before is not looked at')
})

t.test('a version that was published since is looked at, whatever its files say', async (t) => {
  const data = await tree()
  const since = await laterThanAll(data)
  const parts = await openParts(data)
  const { module } = moduleAt(7)
  await parts.publishModule(module, 'v1.900.0')
  await parts.ownerViews.settle()
  parts.ownerViews.stop()
  const { faults, totals } = await inspect(data, { since })
  t.same(faults, [])
  t.equal(totals.packages, 1, 'one module')
  t.ok(totals.uploads <= 2, `${totals.uploads} versions: the new one, and the one that was the latest before`)
  renameSync(join(data, versionFile({ ...moduleAt(7), version: 'v1.900.0' }, 'info')), join(data, 'aside'))
  t.ok((await inspect(data, { since })).faults.length > 0)
})

/** A moment after the last change of the tree, by the clock of its file system. */
async function laterThanAll(data: string): Promise<number> {
  const changed = ['tree', 'state/sums'].flatMap((top) =>
    readdirSync(join(data, top), { recursive: true, encoding: 'utf8' }).map((name) =>
      Math.ceil(lstatSync(join(data, top, name)).ctimeMs),
    ),
  )
  const marker = join(data, 'state/marker')
  const newest = changed.reduce((most, one) => Math.max(most, one), 0)
  for (let now = 0; ;) {
    writeFileSync(marker, '')
    now = Math.floor(statSync(marker).ctimeMs)
    rmSync(marker)
    if (now > newest) return now
    await setImmediate()
  }
}

const OPTIONS = {
  data: '/',
  site: {},
  readmeImages: false,
  isQuiet: false,
  since: undefined,
  sample: undefined,
}
const REQUEST = { generic: { owner: 'admin', name: 'x' } }

function script(text: string): URL {
  const path = join(tempFolder(), 'thread.mjs')
  writeFileSync(path, `import { parentPort } from 'node:worker_threads'\n${text}`)
  return new URL(`file://${path}`)
}

const RIGHT = `{ seen: { isRight: true, files: 1, uploads: 0, read: 0, readBytes: 0 } }`

t.test('a thread that dies costs the look that it had, and the next ones get another thread', async (t) => {
  const dying = `let n = 0\nparentPort.on('message', ({ generic }) => {
    if (generic.name === 'bomb') process.exit(3)
    parentPort.postMessage(${RIGHT})
  })`
  const looks = new FirstLooks(OPTIONS, 1, { script: script(dying) })
  const asked = ['a', 'bomb', 'b', 'bomb', 'c'].map((name) =>
    looks.look({ generic: { owner: 'admin', name } }),
  )
  t.same(
    (await Promise.all(asked)).map((seen) => seen?.isRight),
    [true, undefined, true, undefined, true],
  )
  looks.close()
})

t.test('a thread that is silent is ended, one that says that it is alive is waited for', async (t) => {
  const slow = `parentPort.on('message', ({ generic }) => {
    if (generic.name === 'silent') for (;;);
    let left = 30
    const timer = setInterval(() => {
      parentPort.postMessage(--left > 0 ? { alive: true } : ${RIGHT})
      if (left === 0) clearInterval(timer)
    }, 100)
  })`
  const looks = new FirstLooks(OPTIONS, 1, { script: script(slow), silentMs: 2000 })
  t.ok(await looks.look({ generic: { owner: 'admin', name: 'slow' } }))
  t.equal(await looks.look({ generic: { owner: 'admin', name: 'silent' } }), undefined)
  t.ok(await looks.look({ generic: { owner: 'admin', name: 'slow' } }))
  looks.close()
})

t.test('what cannot be loaded or was closed tells nothing, and nobody waits', async (t) => {
  const broken = new FirstLooks(OPTIONS, 2, { script: script('throw new Error("x")') })
  t.same(await Promise.all([REQUEST, REQUEST, REQUEST].map((one) => broken.look(one))), [
    undefined,
    undefined,
    undefined,
  ])
  broken.close()
  const none = new FirstLooks(OPTIONS, 2, { script: new URL('http://127.0.0.1/') }) // throws at once, as a limit does
  t.same(await Promise.all([none.look(REQUEST), none.look(REQUEST)]), [undefined, undefined])
  t.equal(await none.look(REQUEST), undefined, 'and later')
  const hanging = new FirstLooks(OPTIONS, 1, { script: script(`parentPort.on('message', () => {})`) })
  const asked = [hanging.look(REQUEST), hanging.look(REQUEST)]
  hanging.close()
  t.same(await Promise.all(asked), [undefined, undefined])
  t.equal(await hanging.look(REQUEST), undefined)
})
