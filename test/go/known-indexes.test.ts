// What is remembered of the index of a module with very many versions is what the tree has.

import { dirname, join } from 'node:path'
import { copyFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { KnownIndexes } from '../../src/go/known-indexes.js'
import { moduleViews } from '../../src/layout.js'
import { Store } from '../../src/store/store.js'
import type { ModuleIndex } from '../../src/views/facts.js'
import { tempFolder } from '../support/temp-folder.js'

const moduleNamed = (name: string) => ({ owner: 'admin', module: `example.com/${name}` })

const indexOf = (module: string, count: number, latest = 'v1.0.0'): ModuleIndex => ({
  format: 1,
  kind: 'go',
  owner: 'admin',
  module,
  latest,
  updated: '2026-01-01T00:00:00Z',
  count,
  retracted: [],
  versions: [],
  older: [],
})

t.test('an index is read again when its file is another one', async (t) => {
  const data = tempFolder()
  const known = new KnownIndexes(new Store(data))
  const pathOf = (name: string): string => join(data, moduleViews(moduleNamed(name)).index)
  const put = (name: string, index: ModuleIndex): void => {
    mkdirSync(dirname(pathOf(name)), { recursive: true })
    writeFileSync(`${pathOf(name)}.new`, JSON.stringify(index))
    renameSync(`${pathOf(name)}.new`, pathOf(name)) // as it is placed: every index is a new file
  }
  const placed = async (name: string, count: number): Promise<ModuleIndex> => {
    const index = indexOf(name, count)
    put(name, index)
    await known.keep(moduleNamed(name), index)
    return index
  }
  const many = await placed('many', 1000)
  t.equal(await known.read(moduleNamed('many')), many, 'it is remembered')
  put('many', indexOf('many', 1000, 'v1.1.0'))
  t.match(await known.read(moduleNamed('many')), { latest: 'v1.1.0' }, 'somebody has placed another')
  copyFileSync(pathOf('many'), `${pathOf('many')}.copy`)
  const again = await placed('many', 1000)
  rmSync(pathOf('many'))
  t.equal(await known.read(moduleNamed('many')), undefined, 'somebody has removed it')
  renameSync(`${pathOf('many')}.copy`, pathOf('many'))
  t.match(await known.read(moduleNamed('many')), { latest: 'v1.1.0' })

  const few = await placed('few', 999)
  t.not(await known.read(moduleNamed('few')), few, 'a small one is not worth the memory')
  t.same(await known.read(moduleNamed('few')), few)

  put('many', again)
  await known.keep(moduleNamed('many'), again)
  known.forget(moduleNamed('many'))
  t.not(await known.read(moduleNamed('many')), again, 'what is forgotten is read')

  const [first, second, third] = [await placed('a', 1000), await placed('b', 1000), await placed('c', 1000)]
  t.not(await known.read(moduleNamed('a')), first, 'few modules are remembered')
  t.same(await known.read(moduleNamed('a')), first)
  t.equal(await known.read(moduleNamed('b')), second)
  t.equal(await known.read(moduleNamed('c')), third)
})
