import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { signatureOf } from '../../src/store/reading.js'
import { Store } from '../../src/store/store.js'
import { ThreadStore } from '../../src/store/thread-store.js'
import { memoryFolder } from '../support/temp-folder.js'

const signature = (status: Stats | undefined): string | undefined => status && signatureOf(status)

t.test('a blocking store reads what the other one reads', async (t) => {
  const data = memoryFolder()
  let reads = 0
  const stores = [new Store(data), new ThreadStore(data, () => void reads++)] as const
  mkdirSync(join(data, 'folder'))
  writeFileSync(join(data, 'empty'), '')
  writeFileSync(join(data, 'small'), 'bytes')
  writeFileSync(join(data, 'large'), Buffer.alloc(700_001, 'ab'))
  symlinkSync('small', join(data, 'link'))
  const paths = ['empty', 'small', 'large', 'link', 'folder', 'nothing', 'small/below']
  for (const path of paths) {
    const [ours, theirs] = await Promise.all(
      stores.map(async (store) => ({
        status: signature(await store.status(path)),
        exists: await store.exists(path),
        bytes: await store.read(path).catch((error: NodeJS.ErrnoException) => error.code),
        sum: await store.sum(path).catch((error: NodeJS.ErrnoException) => error.code),
        link: await store.linkText(path),
        names: await store.names(path).catch((error: NodeJS.ErrnoException) => error.code),
      })),
    )
    t.same(theirs, ours, path)
  }
  const before = reads
  await stores[1].sum('large')
  t.ok(reads - before >= 3, 'it tells before each piece that it reads')
})

t.test('a pipe in the place of a file is empty, and nobody waits for its writer', async (t) => {
  const data = memoryFolder()
  execFileSync('mkfifo', [join(data, 'pipe')])
  const store = new ThreadStore(data, () => {})
  t.equal((await store.read('pipe'))?.length, 0)
  t.equal((await store.sum('pipe')).size, 0)
})

t.test('an error that is none of a missing file is told', async (t) => {
  const data = memoryFolder()
  mkdirSync(join(data, 'x'))
  const store = new ThreadStore(data, () => {})
  await t.rejects(store.read('x'), { code: 'EISDIR' })
  if (process.getuid?.() === 0) return
  chmodSync(join(data, 'x'), 0)
  await t.rejects(store.names('x'), { code: 'EACCES' })
})
