// All versions of an owner, the oldest first, kept in memory beside changes of all kinds.

import { cpSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { VersionIndex } from '../../src/packages/version-index.js'
import type { Store } from '../../src/store/store.js'
import { openParts, withMethods } from '../support/parts.js'
import { memoryFolder } from '../support/temp-folder.js'

const newData = (): string => join(memoryFolder(), 'data')

type Parts = Awaited<ReturnType<typeof openParts>>

const namesOf = async (versions: VersionIndex): Promise<string[]> =>
  (await versions.all('admin')).map(({ name, version }) => `${name} ${version}`)

/** What the index says, and that one that is read anew says the same. */
async function listed(t: Test, { versions, store }: Parts): Promise<string[]> {
  const found = await versions.all('admin')
  t.same(found, await new VersionIndex(store).all('admin'), 'as read from the tree')
  return found.map(({ name, version }) => `${name} ${version}`)
}

t.test('it follows publishes and deletes', async (t) => {
  const parts = await openParts(newData())
  t.same(await listed(t, parts), [])
  await parts.publishModule('example.com/m', 'v1.0.0')
  await parts.publishModule('example.com/m', 'v0.9.0')
  await parts.publishFile('1.0', 'x', 'content')
  await parts.publishModule('example.com/Other', 'v1.0.0')
  const all = ['example.com/m v1.0.0', 'example.com/m v0.9.0', 'tool 1.0', 'example.com/Other v1.0.0']
  t.same((await listed(t, parts)).toSorted(), all.toSorted())
  await parts.publishFile('1.0', 'y', 'content')
  t.equal((await listed(t, parts)).length, 4, 'a second file is no second version')
  await parts.modules.remove({ owner: 'admin', module: 'example.com/m', version: 'v1.0.0' })
  await parts.files.removeFile({ owner: 'admin', name: 'tool', version: '1.0' }, 'x')
  t.same((await listed(t, parts)).toSorted(), all.slice(1).toSorted())
  await parts.files.removeFile({ owner: 'admin', name: 'tool', version: '1.0' }, 'y')
  await parts.publishModule('example.com/m', 'v1.0.0')
  t.equal((await listed(t, parts)).at(-1), 'example.com/m v1.0.0', 'published again: the newest')
})

t.test('the oldest come first, those of one time by name', async (t) => {
  const parts = await openParts(newData())
  for (const version of ['v1.0.0', 'v1.1.0', 'v0.1.0']) await parts.publishModule('example.com/m', version)
  const times = (await parts.versions.all('admin')).map(({ time }) => time)
  t.same(
    times,
    times.toSorted((a, b) => a - b),
  )
})

t.test('an owner with too many versions is refused, and not read again each time', async (t) => {
  const parts = await openParts(newData())
  for (const version of ['v1.0.0', 'v1.1.0', 'v1.2.0']) await parts.publishModule('example.com/m', version)
  let readings = 0
  const store: Store = withMethods(parts.store, {
    names: (folder) => {
      readings++
      return parts.store.names(folder)
    },
  })
  const few = new VersionIndex(store, 2)
  t.match(await few.all('admin').catch((error: unknown) => error), { status: 501 })
  const before = readings
  t.match(await few.all('admin').catch((error: unknown) => error), { status: 501 })
  t.equal(readings, before)
  await parts.modules.remove({ owner: 'admin', module: 'example.com/m', version: 'v1.2.0' })
  few.forget('admin')
  t.same(await namesOf(few), ['example.com/m v1.0.0', 'example.com/m v1.1.0'])
})

t.test('a change while everything is read is not lost', async (t) => {
  const parts = await openParts(newData())
  await parts.publishModule('example.com/m', 'v1.0.0')
  let meanwhile: (() => Promise<void>) | undefined = async () => {
    await parts.publishModule('example.com/a', 'v1.0.0')
    index.changed({ op: 'publish', owner: 'admin', module: 'example.com/a', version: 'v1.0.0' })
  }
  const store = withMethods(parts.store, {
    status: async (path) => {
      const act = meanwhile
      meanwhile = undefined
      await act?.()
      return parts.store.status(path)
    },
  })
  const index = new VersionIndex(store)
  t.same((await namesOf(index)).toSorted(), ['example.com/a v1.0.0', 'example.com/m v1.0.0'])
})

t.test('what is not known to have changed is read again', async (t) => {
  const parts = await openParts(newData())
  await parts.publishModule('example.com/m', 'v1.0.0')
  await listed(t, parts)
  await parts.ownerViews.followAny('admin', () =>
    parts.modules.remove({ owner: 'admin', module: 'example.com/m', version: 'v1.0.0' }),
  )
  t.same(await listed(t, parts), [])
})

t.test('a disk that fails leaves nothing behind', async (t) => {
  const parts = await openParts(newData())
  await parts.publishModule('example.com/m', 'v1.0.0')
  let broken = true
  const store = withMethods(parts.store, {
    status: (path) =>
      broken ? Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' })) : parts.store.status(path),
  })
  const index = new VersionIndex(store)
  await t.rejects(index.all('admin'), /EIO/)
  broken = false
  t.same(await namesOf(index), ['example.com/m v1.0.0'])
})

t.test('who was not asked for longest is forgotten when there are too many versions', async (t) => {
  const data = newData()
  const parts = await openParts(data)
  await parts.publishModule('example.com/m', 'v1.0.0')
  for (const owner of ['b', 'c'])
    cpSync(join(data, 'tree/api/packages/admin'), join(data, `tree/api/packages/${owner}`), {
      recursive: true,
    })
  const read: string[] = []
  const store = withMethods(parts.store, {
    status: (path) => {
      read.push(path.split('/')[3] ?? '')
      return parts.store.status(path)
    },
  })
  const index = new VersionIndex(store, 2)
  for (const owner of ['admin', 'b', 'admin', 'c', 'admin', 'b']) await index.all(owner)
  t.same(read, ['admin', 'b', 'c', 'b'])
})
