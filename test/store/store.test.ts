import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { WriteOptions } from '../../src/store/staging.js'
import { Store } from '../../src/store/store.js'
import { memoryFolder } from '../support/temp-folder.js'

/** A data folder with a few of its folders: all of them take longer than a test. */
function make() {
  const data = memoryFolder()
  for (const folder of ['tree', 'access/public', 'state/tmp', 'state/journal'])
    mkdirSync(join(data, folder), { recursive: true })
  const store = new Store(data)
  return {
    store,
    at: (path: string) => store.at(path),
    text: (path: string) => readFileSync(store.at(path), 'utf8'),
    inode: (path: string) => statSync(store.at(path)).ino,
    /** What is in the folder of temporary files. */
    temps: () => readdirSync(store.at('state/tmp')),
    /** A file outside of the tree, as an upload's body is. */
    body: (content = 'bytes'): string => {
      const path = store.at('state/body')
      rmSync(path, { force: true })
      writeFileSync(path, content, { mode: 0o600 })
      return path
    },
  }
}

t.test('a data folder is prepared once, twice, and after it lost folders', async (t) => {
  const store = new Store(join(memoryFolder(), 'data'))
  const at = (path: string): string => store.at(path)
  await store.prepare()
  const secret = [
    'access/accounts',
    'access/owners',
    'access/readers',
    'state/tmp',
    'state/journal',
    'state/gone',
  ]
  const mode = (path: string): number => statSync(at(path)).mode & 0o777
  for (const path of [...secret, 'state/sums/00', 'state/sums/ff']) t.equal(mode(path), 0o700, path)
  for (const path of ['tree', 'access/public']) t.equal(mode(path), 0o755, path)
  for (const lost of ['state/sums/7f', 'access/readers', 'tree']) rmSync(at(lost), { recursive: true })
  await store.prepare()
  for (const found of ['state/sums/7f', 'access/readers', 'tree']) t.ok(existsSync(at(found)), found)
})

t.test('a file is finished: readable by nginx, of its time of publication', async (t) => {
  const { store, body } = make()
  const path = body()
  const time = new Date('2026-01-02T03:04:05Z')
  await store.finish(path, time)
  const { mode, mtimeMs } = statSync(path)
  t.equal(mode & 0o777, 0o644)
  t.equal(mtimeMs, time.getTime())
  await t.rejects(store.finish(`${path}-none`, time), { code: 'ENOENT' })
})

t.test('a name is claimed once, by one of many', async (t) => {
  const { store, body, text, inode } = make()
  const from = body()
  const won = await Promise.all(Array.from({ length: 20 }, () => store.claim(from, 'tree/a/b/file')))
  t.equal(won.filter((one) => one).length, 1)
  t.equal(inode('tree/a/b/file'), statSync(from).ino, 'a claim copies nothing')
  t.equal(await store.claim(body('other'), 'tree/a/b/file'), false)
  t.equal(text('tree/a/b/file'), 'bytes')
})

t.test('a claim makes its folder again when a neighbour has removed it', async (t) => {
  const { store, body, at, text } = make()
  await store.claim(body(), 'tree/a/b/file')
  rmSync(at('tree/a'), { recursive: true })
  t.ok(await store.claim(body(), 'tree/a/b/other'))
  t.equal(text('tree/a/b/other'), 'bytes')
})

t.test('a claim of a file that is gone is an error', async (t) => {
  const { store } = make()
  await t.rejects(store.claim('/nothing/at/all', 'tree/file'), { code: 'ENOENT' })
})

t.test('a write replaces the whole file, and says who may read it', async (t) => {
  const time = new Date('2026-01-02T03:04:05Z')
  const [uid = 0, gid = 0] = [process.getuid?.(), process.getgid?.()]
  const table: [what: string, options: WriteOptions, mode: number, mtimeMs?: number][] = [
    ['nothing said', {}, 0o644],
    ['a time', { time }, 0o644, time.getTime()],
    ['a secret', { secret: true }, 0o600],
    ['a secret of a time', { secret: true, time }, 0o600, time.getTime()],
    ['a stamp', { stamp: { uid, gid, mode: 0o640 } }, 0o640],
    ['a secret with a stamp', { secret: true, stamp: { uid, gid, mode: 0o640 } }, 0o640],
  ]
  for (const [what, options, mode, mtimeMs] of table) {
    const { store, at, text, temps } = make()
    await store.write('tree/file', 'before, and longer')
    await store.write('tree/file', 'after', options)
    t.equal(text('tree/file'), 'after', what)
    t.equal(statSync(at('tree/file')).mode & 0o777, mode, what)
    if (mtimeMs !== undefined) t.equal(statSync(at('tree/file')).mtimeMs, mtimeMs, what)
    t.same(temps(), [], what)
  }
})

t.test('a staged file has no name until it is placed', async (t) => {
  const { store, at, text, temps } = make()
  const staged = await store.stage('content')
  t.same(readdirSync(at('tree')), [])
  t.equal(temps().length, 1)
  await store.sweep()
  t.equal(temps().length, 1, 'a sweep leaves it')
  await store.place(staged, 'tree/file')
  t.equal(text('tree/file'), 'content')
  await store.unstage(await store.stage('other'))
  t.same(temps(), [])
})

t.test('what cannot be placed leaves nothing behind', async (t) => {
  const { store, at, temps } = make()
  mkdirSync(at('tree/folder/in'), { recursive: true })
  for (const path of ['tree/none/file', 'tree/folder']) await t.rejects(store.write(path, 'x'), path)
  await t.rejects(store.symlinkOver('x', 'tree/folder'))
  await t.rejects(store.writeMaking('tree/folder', 'x'))
  t.same(temps(), [])
  t.same(readdirSync(at('tree')), ['folder'])
})

t.test('a view gets its name in a folder that may be missing, or go at any moment', async (t) => {
  const { store, at, text, temps } = make()
  await store.writeMaking('tree/a/b/view', '1')
  rmSync(at('tree/a'), { recursive: true })
  await store.writeMaking('tree/a/b/view', '2')
  t.equal(text('tree/a/b/view'), '2')
  await store.symlinkOver('view', 'tree/a/c/link')
  t.equal(await store.linkText('tree/a/c/link'), 'view')
  t.same(temps(), [])
})

t.test('lines are only ever added, and a torn one is removed', async (t) => {
  const { store, at, text } = make()
  mkdirSync(at('tree'), { recursive: true })
  await store.appendLines('tree/log', 'a\n')
  await store.appendLines('tree/log', 'b\nc\n')
  t.equal(text('tree/log'), 'a\nb\nc\n')
  for (const [torn, left] of [
    ['a\nb', 'a\n'],
    ['a', ''],
    ['', ''],
    [`a\n${'x'.repeat(9000)}`, 'a\n'],
  ] as const) {
    writeFileSync(at('tree/log'), torn)
    await store.appendLines('tree/log', 'new\n')
    t.equal(text('tree/log'), `${left}new\n`, JSON.stringify(torn.slice(0, 5)))
  }
})

t.test('a record is a new file that only its owner reads', async (t) => {
  const { store, at, text } = make()
  await store.record('state/journal/a.json', '{}')
  t.equal(text('state/journal/a.json'), '{}')
  t.equal(statSync(at('state/journal/a.json')).mode & 0o777, 0o600)
  await t.rejects(store.record('state/journal/a.json', 'other'), { code: 'EEXIST' })
  t.equal(text('state/journal/a.json'), '{}')
})

t.test('a link is another name of the file, over whatever had the name', async (t) => {
  const table: [what: string, before: (at: (path: string) => string) => void][] = [
    ['nothing', () => {}],
    ['another file', (at) => writeFileSync(at('tree/name'), 'old')],
    ['the same file', (at) => linkSync(at('tree/file'), at('tree/name'))],
    ['a symbolic link', (at) => symlinkSync('nowhere', at('tree/name'))],
  ]
  for (const [what, before] of table) {
    const { store, at, inode, temps } = make()
    writeFileSync(at('tree/file'), 'new')
    before(at)
    await store.linkOver('tree/file', 'tree/name')
    t.equal(inode('tree/name'), inode('tree/file'), what)
    t.equal(statSync(at('tree/name')).nlink, 2, what)
    t.same(temps(), [], what)
    await store.relink('tree/file', 'tree/name') // once more, as after a crash
    t.equal(inode('tree/name'), inode('tree/file'), what)
    t.same(temps(), [], `${what}: nothing is left of a rename between two names of one file`)
  }
  const { store, at, temps } = make()
  writeFileSync(at('tree/name'), 'old')
  await t.rejects(store.linkOver('tree/none', 'tree/name'), { code: 'ENOENT' })
  t.equal(readFileSync(at('tree/name'), 'utf8'), 'old')
  t.same(temps(), [])
})

t.test('a symbolic link takes the place of a file or of another link', async (t) => {
  const { store, at, temps } = make()
  await store.symlinkOver('one', 'access/public/a')
  await store.symlinkOver('two', 'access/public/a')
  writeFileSync(at('access/public/b'), 'x')
  await store.symlinkOver('three', 'access/public/b')
  t.equal(readlinkSync(at('access/public/a')), 'two')
  t.equal(readlinkSync(at('access/public/b')), 'three')
  t.same(temps(), [])
})

t.test('removing says whether there was something', async (t) => {
  const { store, at, temps } = make()
  writeFileSync(at('tree/file'), 'x')
  mkdirSync(at('tree/folder/in'), { recursive: true })
  writeFileSync(at('tree/folder/in/file'), 'x')
  t.equal(await store.remove('tree/none'), false)
  t.equal(await store.removeFolder('tree/none'), false)
  t.equal(await store.removeFolder('tree/file/none'), false)
  await t.rejects(store.remove('tree/folder'), 'a folder is no file')
  t.equal(await store.remove('tree/file'), true)
  t.equal(await store.removeFolder('tree/folder'), true)
  t.same(readdirSync(at('tree')), [])
  t.same(temps(), [])
})

t.test('reading what is not there is no error', async (t) => {
  const { store, at } = make()
  writeFileSync(at('tree/file'), 'x')
  symlinkSync('nowhere', at('tree/link'))
  for (const path of ['tree/none', 'tree/file/none']) {
    t.equal(await store.status(path), undefined, path)
    t.equal(await store.exists(path), false, path)
    t.equal(await store.read(path), undefined, path)
    t.same(await store.names(path), [], path)
    t.equal(await store.linkText(path), undefined, path)
  }
  t.equal((await store.read('tree/file'))?.toString(), 'x')
  t.same((await store.names('tree')).sort(), ['file', 'link'])
  t.equal(await store.exists('tree/link'), true, 'a link that leads nowhere is there')
  t.equal(await store.linkText('tree/link'), 'nowhere')
  t.equal(await store.linkText('tree/file'), undefined)
})
