// Hashes that are computed when they are first asked for, and kept.

import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { genericVersionFolder, hashesFile, versionFile } from '../../src/layout.js'
import { FileHashes } from '../../src/packages/file-hashes.js'
import { readFilesOf } from '../../src/packages/published.js'
import { openParts } from '../support/parts.js'
import { memoryFolder } from '../support/temp-folder.js'
import { until } from '../support/until.js'

const newData = (): string => join(memoryFolder(), 'data')
const hashed = (text: string) =>
  Object.fromEntries(
    ['md5', 'sha1', 'sha256', 'sha512'].map((name) => [name, createHash(name).update(text).digest('hex')]),
  )
const TOOL = { kind: 'generic', name: 'tool', version: '1.0' } as const

async function publishedTool(data: string) {
  const parts = await openParts(data)
  await parts.publishFile('1.0', 'x', 'content')
  await parts.publishFile('1.0', 'y', 'more')
  const found = await readFilesOf(parts.store, 'admin', TOOL)
  if (!found) throw new Error('the version is not there')
  return { ...parts, ...found, kept: join(data, hashesFile(found.at)) }
}

t.test('they are computed once, and kept', async (t) => {
  const data = newData()
  const { hashes, at, files, kept, store } = await publishedTool(data)
  t.notOk(existsSync(kept), 'an upload does not pay for them')
  t.same(await hashes.of(at, files), [hashed('content'), hashed('more')])
  writeFileSync(join(data, files[0]!.path), 'another')
  t.same(await new FileHashes(store).of(at, files), [hashed('content'), hashed('more')], 'not read again')
})

t.test('many who ask at once wait for one reading', async (t) => {
  const { hashes, at, files } = await publishedTool(newData())
  const all = await Promise.all(Array.from({ length: 200 }, () => hashes.of(at, files)))
  for (const each of all) t.same(each, [hashed('content'), hashed('more')])
})

t.test('a file that is kept wrong is not believed', async (t) => {
  const { hashes, at, files, kept } = await publishedTool(newData())
  await hashes.of(at, files)
  for (const text of ['', '{', 'null', '[1]', '[{"sha256":"x"}]', JSON.stringify([hashed('another')])]) {
    writeFileSync(kept, text)
    t.same(await hashes.of(at, files), [hashed('content'), hashed('more')], text)
  }
})

t.test('a new file of the version is hashed, the others are known', async (t) => {
  const data = newData()
  const { hashes, at, store, publishFile } = await publishedTool(data)
  const before = await readFilesOf(store, 'admin', TOOL)
  await hashes.of(at, before!.files)
  await publishFile('1.0', 'z', 'third')
  const { files } = (await readFilesOf(store, 'admin', TOOL))!
  writeFileSync(join(data, files[0]!.path), 'another')
  t.same(await hashes.of(at, files), ['content', 'more', 'third'].map(hashed))
})

t.test('bytes that are not those of the upload have no hashes', async (t) => {
  const data = newData()
  const { hashes, at, files } = await publishedTool(data)
  writeFileSync(join(data, files[1]!.path), 'another')
  await t.rejects(hashes.of(at, files), /its bytes are not those that were uploaded/)
  writeFileSync(join(data, files[1]!.path), 'more')
  t.same(await hashes.of(at, files), [hashed('content'), hashed('more')], 'asked again')
})

t.test('who waits too long hears when to come again, and the work goes on', async (t) => {
  const { store, at, files, kept } = await publishedTool(newData())
  const hasty = new FileHashes(store, 0)
  t.match(await hasty.of(at, files).catch((error: unknown) => error), {
    status: 503,
    headers: { 'Retry-After': '10' },
  })
  await until(() => existsSync(kept))
  t.same(await hasty.of(at, files), [hashed('content'), hashed('more')])
})

t.test('one address leaves the others room', async (t) => {
  const parts = await openParts(newData())
  const found = await Promise.all(
    Array.from({ length: 40 }, async (_, nth) => {
      await parts.publishFile(`${nth}`, 'x', `content ${nth}`)
      return (await readFilesOf(parts.store, 'admin', { ...TOOL, version: `${nth}` }))!
    }),
  )
  const asked = await Promise.allSettled(
    found.slice(1).map(({ at, files }) => parts.hashes.of(at, files, '192.0.2.1')),
  )
  const { at, files } = found[0]!
  t.equal(asked.filter(({ status }) => status === 'fulfilled').length, 16)
  t.match(
    asked.find((one) => one.status === 'rejected'),
    { reason: { status: 503 } },
  )
  t.same(await parts.hashes.of(at, files, '192.0.2.2'), [hashed('content 0')])
})

t.test('they go with the version', async (t) => {
  const data = newData()
  const { hashes, at, files, kept, store, publishModule, modules } = await publishedTool(data)
  await hashes.of(at, files)
  t.ok(existsSync(kept))
  await publishModule('example.com/m', 'v1.0.0')
  const MODULE = { kind: 'go', name: 'example.com/m', version: 'v1.0.0' } as const
  const zip = (await readFilesOf(store, 'admin', MODULE))!
  await hashes.of(zip.at, zip.files)
  const keptOfZip = join(
    data,
    hashesFile(versionFile({ owner: 'admin', module: MODULE.name, version: 'v1.0.0' }, 'zip')),
  )
  t.match(JSON.parse(readFileSync(keptOfZip, 'utf8')), [{ sha256: zip.files[0]!.sha256 }])
  await modules.remove({ owner: 'admin', module: MODULE.name, version: 'v1.0.0' })
  t.notOk(existsSync(keptOfZip))
  const open = await openParts(data)
  await open.files.removeFile({ owner: 'admin', name: 'tool', version: '1.0' }, 'x')
  t.ok(existsSync(kept), 'the version is still there')
  await open.files.removeFile({ owner: 'admin', name: 'tool', version: '1.0' }, 'y')
  t.notOk(existsSync(kept))
  t.equal(at, genericVersionFolder({ owner: 'admin', name: 'tool', version: '1.0' }))
  t.same(
    readdirSync(join(data, 'state/hashes'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.json'),
    ),
    [],
  )
})
