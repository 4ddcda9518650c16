// What is remembered of a module must never get into its list when it is not so.

import { copyFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { KnownVersions } from '../../src/go/known-versions.js'
import { orderVersions } from '../../src/go/ordered-versions.js'
import type { Store } from '../../src/store/store.js'
import { settledViolations } from '../support/invariants.js'
import { memoryFolder } from '../support/temp-folder.js'
import { openParts } from '../support/parts.js'
import { watchedStore } from '../support/watched-store.js'

const newData = (): string => join(memoryFolder(), 'data')
const MODULE = 'example.com/m'
const FOLDER = `tree/api/packages/admin/go/${MODULE}/@v`
const PSEUDO = 'v1.0.1-0.20991109021931-daa7c04131f5'
const at = (version: string) => ({ owner: 'admin', module: MODULE, version })

/** Waits until a change of the folder gives it another time than it has now. */
function nextTick(data: string): void {
  const folder = join(data, FOLDER)
  const before = statSync(folder).mtimeMs
  while (statSync(folder).mtimeMs === before) {
    writeFileSync(join(folder, 'probe'), '')
    rmSync(join(folder, 'probe'))
  }
}

/** Puts another version into the module's folder as a copy of v1.0.0. */
function copyIn(data: string, version: string): void {
  for (const extension of ['zip', 'mod', 'info']) {
    const from = join(data, FOLDER, `v1.0.0.${extension}`)
    copyFileSync(from, join(data, FOLDER, `${version}.${extension}`))
  }
}

const listOf = (data: string): string[] =>
  readFileSync(join(data, FOLDER, 'list'), 'utf8')
    .split('\n')
    .slice(0, -1)

t.test('the folder is read once, and list is right after each change', async (t) => {
  const data = newData()
  const { seen, wrap } = watchedStore()
  const parts = await openParts(data, wrap)
  for (const version of ['v1.0.0', 'v1.10.0', 'v1.2.0', PSEUDO, 'v1.2.0-rc.1', 'v0.1.0']) {
    await parts.publishModule(MODULE, version)
    t.same(await settledViolations(data), [], version)
  }
  t.equal(seen.reads, 1)
  for (const version of ['v1.10.0', 'v0.1.0', PSEUDO, 'v1.0.0', 'v1.2.0', 'v1.2.0-rc.1']) {
    await parts.modules.remove(at(version))
    t.same(await settledViolations(data), [], `without ${version}`)
  }
})

t.test('what comes into the folder, goes from it, or is another folder, is seen', async (t) => {
  const data = newData()
  const parts = await openParts(data)
  await parts.publishModule(MODULE, 'v1.0.0')
  nextTick(data)
  copyIn(data, 'v1.1.0')
  await parts.publishModule(MODULE, 'v1.2.0')
  t.same(listOf(data), ['v1.0.0', 'v1.1.0', 'v1.2.0'])
  nextTick(data)
  rmSync(join(data, FOLDER, 'v1.1.0.info'))
  await parts.publishModule(MODULE, 'v1.3.0')
  t.same(listOf(data), ['v1.0.0', 'v1.2.0', 'v1.3.0'])
  rmSync(join(data, 'tree/api/packages/admin'), { recursive: true })
  await parts.publishModule(MODULE, 'v1.4.0')
  t.same(listOf(data), ['v1.4.0'])
})

t.test('after a rebuild nothing is remembered, even should the folder look the same', async (t) => {
  const data = newData()
  const { seen, wrap } = watchedStore()
  const parts = await openParts(data, wrap)
  await parts.publishModule(MODULE, 'v1.0.0')
  await parts.publishModule(MODULE, 'v1.1.0')
  // every change from here on is in the same tick
  const now = statSync(join(data, FOLDER))
  const status = parts.store.status
  seen.instead = (name) =>
    name === 'status'
      ? ((async (path: string) => (path.endsWith('/@v') ? now : status(path))) as () => Promise<unknown>)
      : undefined
  await parts.modules.remove(at('v1.1.0'))
  await parts.publishModule(MODULE, 'v1.2.0')
  const reads = seen.reads
  copyIn(data, 'v1.5.0')
  await parts.modules.alone(at(''), async () => {})
  await parts.publishModule(MODULE, 'v1.3.0')
  t.equal(seen.reads, reads + 1)
  t.same(listOf(data), ['v1.0.0', 'v1.2.0', 'v1.3.0', 'v1.5.0'])
})

t.test('no more is remembered than may be, and what was used last is', async (t) => {
  const store = {
    status: async () => ({ dev: 1, ino: 1, mtimeMs: 1, ctimeMs: 1 }),
    names: async () => [] as string[],
  } as unknown as Store
  const known = new KnownVersions(store, 40)
  const module = (n: number) => ({ owner: 'admin', module: `example.com/m${n}` })
  const versions = orderVersions(['v1.0.0', 'v1.1.0', 'v1.2.0'])
  const remembered = async (n: number): Promise<boolean> => (await known.read(module(n))).listed.length > 0
  for (const n of [1, 2, 3, 4]) await known.keep(module(n), versions)
  t.same(await Promise.all([1, 2, 3, 4].map(remembered)), [false, true, true, true])
  await known.keep(module(2), versions)
  await known.keep(module(5), versions)
  t.same(await Promise.all([2, 3, 4, 5].map(remembered)), [true, false, true, true])
  await known.keep(module(6), orderVersions(Array.from({ length: 50 }, (_, n) => `v1.${n}.0`)))
  t.same(await Promise.all([2, 4, 5, 6].map(remembered)), [true, true, true, false], 'not what is too large')
})
