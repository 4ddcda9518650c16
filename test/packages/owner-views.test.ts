// The views of an owner's packages together: they follow changes, also after a crash and after failures.

import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { DueMarkers } from '../../src/packages/due-markers.js'
import { removeOwner } from '../../src/packages/owner-removal.js'
import type { Store } from '../../src/store/store.js'
import { settledViolations } from '../support/invariants.js'
import { openParts, withMethods } from '../support/parts.js'
import { memoryFolder } from '../support/temp-folder.js'
import { until } from '../support/until.js'

const VIEWS = 'tree/api/packages/admin/-'
const newData = (): string => join(memoryFolder(), 'data')
const dueOf = (data: string): string[] => readdirSync(join(data, 'state/due'))
const catalogueOf = (data: string) =>
  (
    JSON.parse(readFileSync(join(data, VIEWS, 'index.json'), 'utf8')) as {
      packages: { name: string; versions: number }[]
    }
  ).packages.map(({ name, versions }) => `${name} ${versions}`)
const logOf = (data: string): string[] =>
  readFileSync(join(data, VIEWS, 'index.ndjson'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { Path: string; Version: string; Deleted?: true })
    .map(({ Path, Version, Deleted }) => `${Deleted ? '-' : '+'}${Path}@${Version}`)

t.test('they follow by themselves, and the marker goes', async (t) => {
  const data = newData()
  const parts = await openParts(data)
  await parts.publishModule('example.com/m', 'v1.0.0')
  await parts.publishModule('example.com/m', 'v1.1.0')
  await parts.publishFile('1.0', 'x', 'content')
  t.same(await settledViolations(data), [])
  t.same(catalogueOf(data), ['tool 1', 'example.com/m 2'])
  await parts.modules.remove({ owner: 'admin', module: 'example.com/m', version: 'v1.1.0' })
  t.same(await settledViolations(data), [])
  t.same(catalogueOf(data), ['tool 1', 'example.com/m 1'])
  t.same(logOf(data), ['+example.com/m@v1.0.0', '+example.com/m@v1.1.0', '-example.com/m@v1.1.0'])
  await parts.modules.remove({ owner: 'admin', module: 'example.com/m', version: 'v1.0.0' })
  await parts.files.removeVersion({ owner: 'admin', name: 'tool', version: '1.0' })
  t.same(await settledViolations(data), [])
  t.notOk(existsSync(join(data, VIEWS, 'index.json')), 'nothing is said of no packages')
  t.equal(logOf(data).length, 4, 'the log stays')
})

t.test('the marker is there before a change can be seen', async (t) => {
  const data = newData()
  const parts = await openParts(data, (store) =>
    withMethods(store, {
      claim: (from, path) => {
        t.same(dueOf(data), ['admin'], 'when a file gets its name')
        return store.claim(from, path)
      },
    }),
  )
  await parts.publishModule('example.com/m', 'v1.0.0')
  await parts.publishFile('1.0', 'x', 'content')
  t.same(await settledViolations(data), [])
})

t.test('a change that cannot be marked is not made', async (t) => {
  const data = newData()
  const full = Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' })
  let isFull = true
  const parts = await openParts(data, (store) =>
    withMethods(store, {
      record: (path, content) =>
        isFull && path.startsWith('state/due/') ? Promise.reject(full) : store.record(path, content),
    }),
  )
  await t.rejects(parts.publishModule('example.com/m', 'v1.0.0'), /ENOSPC/)
  t.notOk(existsSync(join(data, 'tree/api/packages/admin/go/example.com')))
  isFull = false
  await parts.publishModule('example.com/m', 'v1.0.0')
  t.same(await settledViolations(data), [])
})

/** A store on which the views of owners cannot be written while `broken`. */
const breakable = (state: { broken: boolean }) => (store: Store) =>
  withMethods(store, {
    appendLines: (path, text) =>
      state.broken ? Promise.reject(new Error('EIO: i/o error')) : store.appendLines(path, text),
  })

t.test('a refresh that fails is tried again, and loses and doubles nothing', async (t) => {
  const data = newData()
  const state = { broken: true }
  const parts = await openParts(data, breakable(state))
  await parts.publishModule('example.com/m', 'v1.0.0')
  await t.rejects(parts.ownerViews.settle(), /EIO/)
  await parts.publishModule('example.com/m', 'v1.1.0')
  await t.rejects(parts.ownerViews.settle(), /EIO/)
  t.same(dueOf(data), ['admin'])
  state.broken = false
  t.same(await settledViolations(data), [], 'without any other change')
  t.same(logOf(data).toSorted(), ['+example.com/m@v1.0.0', '+example.com/m@v1.1.0'])
})

t.test('a refresh rests before the next one, also when changes came meanwhile', async (t) => {
  const data = newData()
  const refreshes: { begun: number; ended: number }[] = []
  let published: Promise<void> | undefined
  const parts = await openParts(data, (store) =>
    withMethods(store, {
      appendLines: async (path, text) => {
        const refresh = { begun: performance.now(), ended: NaN }
        refreshes.push(refresh)
        if (refreshes.length === 1) published = parts.publishModule('example.com/m', 'v1.1.0')
        await published // a change that begins and ends while the first refresh is under way
        await store.appendLines(path, text)
        refresh.ended = performance.now()
      },
    }),
  )
  await parts.publishModule('example.com/m', 'v1.0.0')
  await until(() => dueOf(data).length === 0)
  t.equal(refreshes.length, 2)
  const [first, second] = refreshes
  const [took, rested] = [
    (first?.ended ?? NaN) - (first?.begun ?? NaN),
    (second?.begun ?? NaN) - (first?.ended ?? NaN),
  ]
  t.ok(rested >= took * 4, `it took ${took} ms, and the next one came after ${rested} ms`)
  t.same(await settledViolations(data), [])
})

t.test('what a crash left due is made at the next start', async (t) => {
  const data = newData()
  const state = { broken: true }
  const parts = await openParts(data, breakable(state))
  await parts.publishModule('example.com/m', 'v1.0.0')
  await t.rejects(parts.ownerViews.settle(), /EIO/)
  parts.ownerViews.stop() // it does not run on beside the next one
  const next = await openParts(data)
  await next.recover()
  t.same(await settledViolations(data), [])
  t.same(logOf(data), ['+example.com/m@v1.0.0'])
})

t.test('the log: a torn last line goes, whole lines stay, what is missing is added', async (t) => {
  const data = newData()
  const parts = await openParts(data)
  await parts.publishModule('example.com/m', 'v1.0.0')
  await parts.publishModule('example.com/m', 'v1.1.0')
  await parts.ownerViews.settle()
  const log = join(data, VIEWS, 'index.ndjson')
  const before = readFileSync(log, 'utf8')
  truncateSync(log, before.length - 5) // as a power cut leaves it
  await parts.ownerViews.remake('admin')
  t.same(logOf(data), ['+example.com/m@v1.0.0', '+example.com/m@v1.1.0'])
  t.ok(readFileSync(log, 'utf8').startsWith(before.split('\n')[0] ?? ''))
  writeFileSync(
    log,
    `${before}{"Path":"example.com/gone","Version":"v1.0.0","Timestamp":"2026-01-01T00:00:00Z"}\n`,
  )
  await parts.ownerViews.remake('admin')
  t.equal(logOf(data).at(-1), '-example.com/gone@v1.0.0')
  rmSync(log)
  await parts.ownerViews.remake('admin')
  t.same(logOf(data), ['+example.com/m@v1.0.0', '+example.com/m@v1.1.0'], 'from the tree alone')
  const times = readFileSync(log, 'utf8').match(/"Timestamp":"[^"]+"/g) ?? []
  t.same(times, times.toSorted())
  t.same(await settledViolations(data), [])
})

t.test('many changes are taken together', async (t) => {
  const data = newData()
  let written = 0
  let published: Promise<unknown> = Promise.resolve()
  const parts = await openParts(data, (store) =>
    withMethods(store, {
      appendLines: async (path, text) => {
        written++
        await published // so that a refresh takes longer than the changes that come meanwhile
        return store.appendLines(path, text)
      },
    }),
  )
  for (let batch = 0; batch < 4; batch++) {
    const publishing = [1, 2, 3, 4, 5].map((n) => parts.publishModule(`example.com/m${n}`, `v1.${batch}.0`))
    published = Promise.all(publishing)
    await published
  }
  t.same(await settledViolations(data), [])
  t.equal(logOf(data).length, 20)
  t.ok(written <= 9, `${written} refreshes for four times five changes`)
  t.same(
    catalogueOf(data),
    [1, 2, 3, 4, 5].map((n) => `example.com/m${n} 4`),
  )
})

t.test('an owner that is removed leaves no views, and nothing that is due', async (t) => {
  const data = newData()
  const parts = await openParts(data)
  await parts.publishModule('example.com/m', 'v1.0.0')
  await removeOwner(parts, 'admin', true)
  t.notOk(existsSync(join(data, 'tree/api/packages/admin')))
  t.same(dueOf(data), [])
  t.same(await settledViolations(data), [])
})

t.test('a failed publish leaves nothing of itself, whoever looked meanwhile', async (t) => {
  const data = newData()
  let fails = false
  const parts = await openParts(data, (store) =>
    withMethods(store, {
      linkOver: async (target, path) => {
        if (!fails || !path.startsWith('state/sums/')) return store.linkOver(target, path)
        await refreshed() // the index is placed, and a refresh reads it
        throw new Error('EIO: i/o error')
      },
    }),
  )
  const refreshed = (): Promise<void> => parts.ownerViews.settle('admin')
  await parts.publishModule('example.com/m', 'v1.0.0')
  fails = true
  await t.rejects(parts.publishModule('example.com/m', 'v1.1.0'), /EIO/)
  fails = false
  t.same(await settledViolations(data), [])
  t.same(catalogueOf(data), ['example.com/m 1'])
})

t.test('a start goes on with what a repair has begun', async (t) => {
  const data = newData()
  const parts = await openParts(data)
  await parts.publishModule('example.com/m', 'v1.0.0')
  await parts.ownerViews.settle()
  for (const name of ['a', 'b'])
    writeFileSync(
      join(data, `state/journal/${name}.json`),
      JSON.stringify({ op: 'publish', owner: 'admin', module: 'example.com/m', version: 'v1.0.0' }),
    )
  const next = await openParts(data)
  await next.recover()
  await next.publishModule('example.com/m', 'v1.1.0')
  t.same(await settledViolations(data), [])
  t.same(catalogueOf(data), ['example.com/m 2'])
})

t.test('a marker that could not be written once stops nobody', async (t) => {
  const data = newData()
  let isFull = true
  const parts = await openParts(data, (store) =>
    withMethods(store, {
      record: (path, content) =>
        isFull && path.startsWith('state/due/')
          ? Promise.reject(new Error('ENOSPC'))
          : store.record(path, content),
    }),
  )
  await t.rejects(parts.ownerViews.remake('admin'), /ENOSPC/)
  await t.rejects(parts.publishModule('example.com/m', 'v1.0.0'), /ENOSPC/)
  isFull = false
  await parts.publishModule('example.com/m', 'v1.0.0')
  t.same(await settledViolations(data), [])
})

t.test('two rebuilds at once, and one beside publishers', async (t) => {
  const data = newData()
  const parts = await openParts(data)
  const remake = (): Promise<void> => parts.ownerViews.remake('admin')
  await Promise.all([
    remake(),
    ...[1, 2, 3, 4].map((n) => parts.publishModule(`example.com/m${n}`, 'v1.0.0')),
    remake(),
    remake(),
  ])
  t.same(await settledViolations(data), [])
  t.equal(logOf(data).length, 4, 'no line is there twice')
})

t.test('a tree that had no views, whose first change takes the only version away', async (t) => {
  const data = newData()
  const parts = await openParts(data)
  await parts.publishModule('example.com/m', 'v1.0.0')
  await parts.ownerViews.settle()
  rmSync(join(data, VIEWS), { recursive: true })
  const next = await openParts(data)
  await next.modules.remove({ owner: 'admin', module: 'example.com/m', version: 'v1.0.0' })
  t.same(await settledViolations(data), [])
})

t.test('views that cannot get their names leave no files behind', async (t) => {
  const data = newData()
  let fails = false
  const parts = await openParts(data, (store) =>
    withMethods(store, {
      placeMaking: (file, path) =>
        fails && path.endsWith('feed.atom')
          ? store.unstage(file).then(() => Promise.reject(new Error('EIO: i/o error')))
          : store.placeMaking(file, path),
    }),
  )
  fails = true
  await parts.publishModule('example.com/m', 'v1.0.0')
  await t.rejects(parts.ownerViews.settle('admin'), /EIO/)
  t.same(readdirSync(join(data, 'state/tmp')), [])
  fails = false
  t.same(await settledViolations(data), [])
})

t.test(
  'how far views are behind: since the marker, or since they followed while more was changing',
  async (t) => {
    const data = newData()
    const state = { broken: true }
    const parts = await openParts(data, breakable(state))
    t.same(await parts.ownerViews.behindSince(), [])
    await parts.publishModule('example.com/m', 'v1.0.0')
    await t.rejects(parts.ownerViews.settle(), /EIO/)
    const hourAgo = Math.round(Date.now() / 1000) - 3600
    utimesSync(join(data, 'state/due/admin'), hourAgo, hourAgo)
    t.same(await parts.ownerViews.behindSince(), [hourAgo * 1000])
    state.broken = false
    t.same(await settledViolations(data), [])
    t.same(await parts.ownerViews.behindSince(), [])

    const markers = new DueMarkers(parts.store)
    await markers.make('admin')
    utimesSync(join(data, 'state/due/admin'), hourAgo, hourAgo)
    markers.followed('admin', hourAgo * 1000 + 5)
    t.same(await markers.since(), [hourAgo * 1000 + 5])
    await markers.remove('admin')
    await markers.make('admin')
    utimesSync(join(data, 'state/due/admin'), hourAgo, hourAgo)
    t.same(await markers.since(), [hourAgo * 1000], 'what is due anew has not followed yet')
  },
)
