import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { folders } from '../../src/layout.js'
import { kindOf, type ObjectKind } from '../../src/mirror/object-kind.js'
import { PublicFolder, type LocalFile } from '../../src/mirror/public-folder.js'
import { Transfer, type MirrorTools } from '../../src/mirror/transfer.js'
import { memoryFolder } from '../support/temp-folder.js'

const PATH = 'go/example.com/m/@v/v1.0.0.zip'
const KEY = `team/${PATH}`
const KIND = kindOf(PATH) as ObjectKind

/** An owner with one file, and a bucket. `meanwhile` runs after an upload has read the file. */
function fixture(meanwhile: (upload: number, file: string) => void) {
  const data = memoryFolder()
  const owner = join(data, 'tree/team')
  mkdirSync(join(owner, 'go/example.com/m/@v'), { recursive: true })
  mkdirSync(join(data, folders.public), { recursive: true })
  symlinkSync(owner, join(data, folders.public, 'team'))
  const file = join(owner, PATH)
  writeFileSync(file, 'first')
  utimesSync(file, 1000, 1000)
  const bucket = new Map<string, string>()
  const lists = new Map<string, readonly string[]>()
  let uploads = 0
  const rclone = {
    upload: async (folder: string, list: string) => {
      for (const key of lists.get(list) ?? []) bucket.set(key, readFileSync(join(folder, key), 'utf8'))
      meanwhile(++uploads, file)
    },
    remove: async (list: string) => lists.get(list)?.forEach((key) => bucket.delete(key)),
  }
  const work = {
    list: async (keys: readonly string[]) => {
      lists.set(String(lists.size), keys)
      return String(lists.size - 1)
    },
    drop: async () => {},
    temp: () => join(data, 'temp'),
  }
  const { signal } = new AbortController()
  const tools = { data, rclone, work, signal, dryRun: false, onChange: () => {} } as unknown as MirrorTools
  const transfer = new Transfer(tools, 'team', new PublicFolder(join(data, folders.public, 'team'), signal))
  const seen: LocalFile = { path: PATH, size: 5, time: 1_000_000, md5: '', kind: KIND }
  return { transfer, bucket, seen, uploads: () => uploads }
}

/** Puts another file of the same size in the place of `file`. */
function replace(file: string, content: string, second: number): void {
  writeFileSync(`${file}.new`, content)
  utimesSync(`${file}.new`, second, second)
  renameSync(`${file}.new`, file)
}

t.test('a file that stays is uploaded once', async (t) => {
  const { transfer, bucket, seen, uploads } = fixture(() => {})
  await transfer.upload([seen])
  t.same([...bucket], [[KEY, 'first']])
  t.equal(uploads(), 1)
  t.same([...transfer.moved], [])
})

t.test('one that is replaced meanwhile by one of the same size is uploaded again', async (t) => {
  const { transfer, bucket, seen } = fixture((upload, file) => {
    if (upload === 1) replace(file, 'other', 2000)
  })
  await transfer.upload([seen])
  t.same([...bucket], [[KEY, 'other']])
  t.same([...transfer.moved], [KIND.of], 'its names wait for the next pass')
})

t.test('one that is replaced each time leaves no old bytes', async (t) => {
  const { transfer, bucket, seen, uploads } = fixture((upload, file) =>
    replace(file, `the ${upload}`, 2000 + upload),
  )
  await transfer.upload([seen])
  t.same([...bucket], [])
  t.equal(uploads(), 3)
})

t.test('one that is gone is left to the pass that removes', async (t) => {
  const { transfer, bucket, seen, uploads } = fixture((_, file) => rmSync(file))
  await transfer.upload([seen])
  t.same([...bucket], [[KEY, 'first']])
  t.equal(uploads(), 1)
})
