import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Folders } from '../../src/store/folders.js'
import { memoryFolder } from '../support/temp-folder.js'

function make() {
  const data = memoryFolder()
  const at = (path: string): string => join(data, path)
  return { data, at, folders: new Folders(at) }
}

t.test('folders are made with their parents, once or many at the same time', async (t) => {
  const { at, folders } = make()
  await Promise.all(Array.from({ length: 20 }, (_, i) => folders.make(`tree/a/b/${i % 2}`)))
  t.same(readdirSync(at('tree/a/b')).sort(), ['0', '1'])
  mkdirSync(at('tree/made-by-another'))
  await folders.make('tree/made-by-another')
})

t.test('a file in the way is an error, and is left', async (t) => {
  const { at, folders } = make()
  writeFileSync(at('file'), 'x')
  await t.rejects(folders.make('file/a'), { code: 'ENOTDIR' })
  t.ok(existsSync(at('file')))
})

t.test('a folder that another process removed', async (t) => {
  const { at, folders } = make()
  await folders.make('tree/a/b')
  rmSync(at('tree/a'), { recursive: true })
  await folders.ensure('tree/a/b')
  t.ok(existsSync(at('tree/a/b')), 'ensure looks, and makes it again')
  for (const forgotten of [undefined, 'tree/a/b']) {
    rmSync(at('tree/a/b'), { recursive: true })
    folders.forget(forgotten)
    await folders.make('tree/a/b')
    t.ok(existsSync(at('tree/a/b')), `forget(${forgotten ?? ''}) makes the next use look`)
  }
})

t.test('pruning removes empty folders, and stops where it must', async (t) => {
  const table: [what: string, folder: string, left: string[]][] = [
    ['up to the last parent', 'tree/own/a/b/c', ['tree/own', 'tree/own/file']],
    ['a folder that is not empty', 'tree/own/full', ['tree/own/full', 'tree/own/full/file']],
    ['parents as far as they are empty', 'tree/own/full/x/y', ['tree/own/full', 'tree/own/full/file']],
    ['a folder that is not there', 'tree/own/none/of/these', ['tree/own', 'tree/own/file']],
    ['the last parent itself', 'tree/own', ['tree/own', 'tree/own/file']],
    ['a neighbour of the last parent', 'tree/ownother/a', ['tree/ownother/a']],
  ]
  for (const [what, folder, left] of table) {
    const { at, folders } = make()
    for (const made of ['tree/own/a/b/c', 'tree/own/full/x/y', 'tree/ownother/a'])
      mkdirSync(at(made), { recursive: true })
    for (const file of ['tree/own/file', 'tree/own/full/file']) writeFileSync(at(file), 'x')
    await folders.prune(folder, 'tree/own')
    for (const path of left) t.ok(existsSync(at(path)), `${what}: ${path} stays`)
    if (!left.includes(folder)) t.notOk(existsSync(at(folder)), `${what}: ${folder} goes`)
  }
  const { at, folders } = make()
  mkdirSync(at('tree/own'), { recursive: true })
  await folders.make('tree/own/a/b')
  await folders.prune('tree/own/a/b', 'tree/own')
  t.notOk(existsSync(at('tree/own/a')))
  await folders.make('tree/own/a/b')
  t.ok(existsSync(at('tree/own/a/b')), 'what was pruned is not taken for made')
})

t.test('a folder that cannot be synced is an error', async (t) => {
  const { at, folders } = make()
  mkdirSync(at('a'))
  await folders.sync('a')
  await t.rejects(folders.sync('none'), { code: 'ENOENT' })
  await folders.syncAll(['a', '.'])
  await t.rejects(folders.syncAll(['a', 'none', '.']), { code: 'ENOENT' })
})
