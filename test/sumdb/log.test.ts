// The log of an owner: what is committed together, what is refused, and what it does when the disk fails.

import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { statePaths, databasePaths } from '../../src/sumdb/paths.js'
import type { Store } from '../../src/store/store.js'
import {
  DATABASE,
  databaseProblems,
  makeDatabase,
  nthVersion,
  openDatabases,
  shownHeads,
  someSums,
} from '../support/checksum-database.js'
import { beforeSyncs } from '../support/failing-syncs.js'
import { withMethods } from '../support/parts.js'
import { mountSmall } from '../support/small-file-system.js'
import { memoryFolder } from '../support/temp-folder.js'

const state = statePaths('admin')
const tree = databasePaths('admin', DATABASE)

async function newLog(wrap?: (store: Store) => Store) {
  const data = memoryFolder()
  await makeDatabase(data)
  const opened = await openDatabases(data, wrap)
  const heads = (): number[] =>
    readFileSync(join(data, state.heads), 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => Number(line.split(' ')[0]))
  /** Resolves when nothing is under way any more. */
  const settled = async (): Promise<void> => opened.log()?.alone(async () => {})
  return { ...opened, data, heads, settled, at: (path: string) => join(data, path) }
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n)

t.test('what comes at once is committed together, 256 at most', async (t) => {
  const { record, heads, data, settled } = await newLog()
  await record(0)
  await Promise.all(range(1, 601).map((n) => record(n)))
  await settled()
  t.same(heads(), [1, 257, 513, 601])
  t.same(databaseProblems(data), [])
  // one that comes during a commit is in the next
  const first = record(601)
  await new Promise(setImmediate)
  await Promise.all([first, record(602), record(603)])
  t.same(heads().slice(-2), [602, 604])
  t.same(databaseProblems(data), [])
})

t.test('a version is recorded once', async (t) => {
  const { record, heads, data, databases, log } = await newLog()
  await Promise.all([record(0), record(0), record(1)])
  t.same(heads(), [2])
  await Promise.all([record(1), record(0)])
  t.same(heads(), [2], 'nothing is appended')
  const words = {
    status: 409,
    message:
      /^example.com\/M0 v1.0.0 was published before with other content \(h1:.{44}\), which is recorded in the checksum database: .* \(h1:.{44}\). Publish a new version.$/,
  }
  await t.rejects(record(0, 'other'), words)
  await t.rejects(
    databases.of('admin')?.mustAgree(nthVersion(0), someSums('other')) ?? Promise.resolve(),
    words,
  )
  await databases.of('admin')?.mustAgree(nthVersion(0), someSums('0'))
  const sums = { ...someSums('0'), mod: someSums('other').mod }
  await t.rejects(log()?.append(nthVersion(0), sums) ?? Promise.resolve(), { message: /\(go.mod h1:/ })
  const [first, second, other] = await Promise.allSettled([record(5), record(5, 'other'), record(6)])
  t.equal(first.status, 'fulfilled')
  t.match(second, { status: 'rejected', reason: { status: 409 } })
  t.equal(other.status, 'fulfilled', 'others are not concerned')
  t.same(heads(), [2, 4])
  t.same(databaseProblems(data), [])
})

t.test('a version of which no file can have the name stops nobody else', async (t) => {
  const { record, databases, data } = await newLog()
  const long = { module: `example.com/${'m'.repeat(250)}`, version: 'v1.0.0' }
  const database = databases.of('admin')
  for (const asked of [database?.mustAgree(long, someSums('x')), database?.append(long, someSums('x'))])
    await t.rejects(asked ?? Promise.resolve(), { status: 400, message: /255 bytes/ })
  await record(0)
  t.same(databaseProblems(data), [])
})

t.test('partial tiles go when nobody needs them', async (t) => {
  const { record, at, settled } = await newLog()
  const names = (path: string): string[] =>
    existsSync(at(tree.at(path))) ? readdirSync(at(tree.at(path))).sort((a, b) => Number(a) - Number(b)) : []
  for (const n of range(0, 6)) await record(n)
  await settled()
  t.same(names('tile/8/0/000.p'), ['1', '2', '3', '4', '5', '6'], 'those of hashes stay')
  t.same(names('tile/8/data/000.p'), ['3', '4', '5', '6'])
  await Promise.all(range(6, 255).map((n) => record(n)))
  await Promise.all(range(255, 258).map((n) => record(n)))
  await settled()
  t.notOk(existsSync(at(tree.at('tile/8/0/000.p'))), 'the full tile is there')
  t.notOk(existsSync(at(tree.at('tile/8/data/000.p'))))
  t.same(names('tile/8/0/001.p'), ['2'])
  t.same(names('tile/8/1/000.p'), ['1'])
})

/** Fails a method of the store once, from `arm()` on, when it is called for the `nth` time. */
function failingOnce(method: 'stage' | 'placeMaking' | 'syncAll' | 'remove') {
  let left = 0
  const arm = (nth: number): void => void (left = nth)
  const wrap = (store: Store): Store =>
    withMethods(store, {
      [method]: (...args: never[]) => {
        if (--left === 0) return Promise.reject(Object.assign(new Error('EIO: no disk'), { code: 'EIO' }))
        return (store[method] as (...args: never[]) => Promise<unknown>).apply(store, args)
      },
    })
  return { arm, wrap, isHit: () => left <= 0 }
}

t.test('what fails behind a commit is made good by the next', async (t) => {
  for (const method of ['stage', 'placeMaking', 'syncAll'] as const)
    for (const nth of [1, 2, 3, 4, 5]) {
      const { arm, wrap, isHit } = failingOnce(method)
      const { record, data, settled } = await newLog(wrap)
      for (const n of range(0, 3)) await record(n)
      await settled()
      const seen = shownHeads(data)
      arm(nth)
      const failed = await record(3).then(
        () => false,
        () => true,
      )
      if (!isHit()) continue // it is not called so often
      arm(0)
      t.ok(failed, `${method} ${nth}`)
      await record(nth % 2 === 0 ? 3 : 4) // the same, or another one
      await settled()
      t.same(databaseProblems(data, 'admin', seen), [], `${method} ${nth}`)
    }
})

t.test('names whose sync failed are given anew', async (t) => {
  const { arm, wrap } = failingOnce('syncAll')
  const { record, at } = await newLog(wrap)
  await record(0)
  arm(1)
  await t.rejects(record(1), { code: 'EIO' })
  const inode = (): number => statSync(at(tree.lookup(nthVersion(1)))).ino
  const before = inode()
  await record(2)
  t.not(inode(), before)
})

t.test('a sync of the truth that fails: nothing is recorded until it is opened again', async (t) => {
  for (const file of [state.records, state.heads]) {
    const { record, data, at, databases, said } = await newLog()
    await record(0)
    const seen = shownHeads(data)
    const fail = (path: string): void => {
      if (path === at(file)) throw Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO' })
    }
    await beforeSyncs(fail, () => t.rejects(record(1), { message: /EIO/ }))
    const why =
      /^the checksum database of admin records nothing until the service is started again: the disk failed$/
    await t.rejects(record(2), { status: 503, message: why })
    await t.rejects(record(0), { status: 503, message: why })
    t.match(databases.refusalOf('admin'), why)
    t.match(said.at(-1), /error checksum database stopped/)
    t.same([...shownHeads(data)], [...seen], 'nobody has seen it')
    const again = await openDatabases(data)
    await again.record(1, 'other').catch(() => {}) // it may be there or not
    await again.record(2)
    t.same(databaseProblems(data, 'admin', seen), [], file)
  }
})

t.test('opening brings to the disk what a process has left that was killed', async (t) => {
  const { record, data, at } = await newLog()
  await record(0)
  const latest = readFileSync(at(tree.latest))
  await record(1)
  const synced = async (): Promise<string[]> => {
    const paths: string[] = []
    await beforeSyncs(
      (path) => void paths.push(path.slice(data.length + 1)),
      () => openDatabases(data),
    )
    return paths
  }
  const folders = ['lookup/example.com', 'tile/8/0/000.p', 'tile/8/data/000.p'].map((path) => tree.at(path))
  const whole = await synced()
  for (const folder of [tree.folder, ...folders]) t.ok(whole.includes(folder), folder)
  t.notOk(whole.includes(state.heads), 'readers have seen its end: the truth was synced before')
  writeFileSync(at(tree.latest), latest)
  const unseen = await synced()
  for (const file of [state.records, state.heads]) t.ok(unseen.includes(file), file)
})

t.test('what waits is refused when the log is closed or opened again', async (t) => {
  const { record, data, databases, log, heads } = await newLog()
  const old = log()
  const results = Promise.allSettled(range(0, 600).map((n) => record(n)))
  const opening = databases.open('admin')
  const meanwhile = Promise.allSettled([record(700)])
  await opening
  const settled = [...(await results), ...(await meanwhile)]
  const refused = settled.filter((result) => result.status === 'rejected')
  t.ok(refused.length > 0)
  for (const { reason } of refused) t.match(reason, { status: 503, message: /is being opened again/ })
  t.equal(heads().at(-1), settled.length - refused.length, 'every other one is recorded')
  await t.rejects(old?.append(nthVersion(800), someSums('800')) ?? Promise.resolve(), {
    message: /opened again/,
  })
  await record(900)
  t.same(databaseProblems(data), [])
})

t.test('a disk that is full', async (t) => fullDisk(t))

async function fullDisk(t: Test): Promise<void> {
  const small = mountSmall('size=1m')
  if (typeof small === 'string') return void t.comment(small)
  t.teardown(small.unmount)
  const data = small.folder
  await makeDatabase(data)
  let { record, databases, log } = await openDatabases(data)
  await record(0)
  const seen = shownHeads(data)
  const filler = join(data, 'filler')
  let failures = 0
  for (const pages of range(0, 16)) {
    const n = pages + 1
    for (let size = 2 ** 20; size > 0 && !existsSync(filler); size -= 4096)
      try {
        writeFileSync(filler, Buffer.alloc(size))
      } catch {
        rmSync(filler)
      }
    if (pages > 0) writeFileSync(filler, readFileSync(filler).subarray(0, -4096 * pages))
    const before = log()?.size ?? 0
    const sizes = (): number[] => [state.records, state.heads].map((path) => statSync(join(data, path)).size)
    const then = sizes()
    await record(n).catch((error: unknown) => {
      failures++
      t.match(error, { code: 'ENOSPC' })
    })
    if (databases.refusalOf('admin') === undefined && log()?.size === before)
      t.same(sizes(), then, 'it is taken back')
    rmSync(filler)
    if (databases.refusalOf('admin') !== undefined) ({ record, databases, log } = await openDatabases(data))
    t.ok((log()?.size ?? 0) - before <= 1)
    await record(n)
    await log()?.alone(async () => {})
    t.same(databaseProblems(data, 'admin', seen), [], `with ${pages} pages`)
  }
  t.ok(failures > 3, `${failures} of 16 failed`)
}
