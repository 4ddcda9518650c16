// What was deleted from an immutable owner comes back only as it was. What a tombstone says of it survives whatever
// happens to it, and to the owner.

import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { addOwner, setOwner } from '../../src/access/owners.js'
import { NameTaken } from '../../src/errors.js'
import { inspectTombstones } from '../../src/inspection/tombstones.js'
import { genericFile, goneFile, moduleViews, versionFile } from '../../src/layout.js'
import { removeOwner } from '../../src/packages/owner-removal.js'
import { parseTombstone } from '../../src/packages/tombstone.js'
import { settledViolations } from '../support/invariants.js'
import { openParts, withMethods } from '../support/parts.js'
import { memoryFolder } from '../support/temp-folder.js'

const MODULE = 'example.com/M'
const at = { owner: 'admin', module: MODULE, version: 'v1.0.0' }
const ofFile = { owner: 'admin', name: 'tool', version: '1.0' }
const OTHER = { 'other.go': 'package m\n' }
const STONE = goneFile(versionFile(at, 'zip'))
const H1 = 'h1:[A-Za-z0-9+/]{43}='

const refusalOf = (publishing: Promise<void>): Promise<Error> =>
  publishing.then(
    () => new Error('it was not refused'),
    (error: unknown) => error as Error,
  )

async function open(immutable = true) {
  const data = join(memoryFolder(), 'data')
  const parts = await openParts(data)
  const set = (isImmutable: boolean) => setOwner(parts.store, { name: 'admin', immutable: isImmutable })
  if (immutable) await set(true)
  const stones = (): string[] =>
    readdirSync(join(data, 'state/gone'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.json'),
    )
  const publish = (more = {}): Promise<void> => parts.publishModule(MODULE, 'v1.0.0', more)
  return { data, ...parts, set, stones, publish, path: (path: string) => join(data, path) }
}

t.test('a version: the same content is welcome again, other content is not', async (t) => {
  const { data, modules, publish, path, stones } = await open()
  await publish()
  const taken = await refusalOf(publish(OTHER))
  t.match(taken.message, /v1\.0\.0 exists already, and owner admin is immutable: publish a new version\n/)
  t.ok(taken instanceof NameTaken, 'so it is compared, where that is asked for')
  t.same(stones(), [], 'what is there needs none')
  await modules.remove(at)
  const text = readFileSync(path(STONE), 'utf8')
  const stone = JSON.parse(text) as Record<string, string>
  t.match(stone, { owner: 'admin', module: MODULE, version: 'v1.0.0', h1: /^h1:/, goModH1: /^h1:/ })
  const day = String(stone['time']).slice(0, 10)
  const refusal = new RegExp(
    `^example.com/M v1\\.0\\.0 was deleted on ${day}, and owner admin is immutable: .*\\(${H1}\\).*\\(${H1}\\)\\. Publish a new version$`,
  )
  await t.rejects(publish(OTHER), { status: 409, message: refusal })
  await t.rejects(publish(OTHER), { message: new RegExp(String(stone['h1']).replaceAll(/[+/]/g, '\\$&')) })
  t.notOk((await refusalOf(publish(OTHER))) instanceof NameTaken, 'nothing is there to compare with')
  t.notOk(existsSync(path('tree/api/packages/admin/go/example.com')), 'nothing was claimed')
  await publish()
  t.equal(readFileSync(path(STONE), 'utf8'), text, 'it stays')
  await modules.remove(at)
  t.equal(readFileSync(path(STONE), 'utf8'), text, 'and is the same')
  t.same(await settledViolations(data), [])
})

t.test('a file: one of a version, and a version with all', async (t) => {
  const { files, publishFile, stones, data } = await open()
  await publishFile('1.0', 'a', 'a')
  await publishFile('1.0', 'b', 'b')
  await t.rejects(
    publishFile('1.0', 'a', 'x'),
    /exists already in tool 1\.0, and owner admin is immutable: publish/,
  )
  await files.removeFile(ofFile, 'a')
  const refusal =
    /^file "a" of tool 1\.0 was deleted on \d{4}-\d\d-\d\d, .*\(sha256 ca978112\w+\).*\(sha256 2d711642\w+\)/
  await t.rejects(publishFile('1.0', 'a', 'x'), { status: 409, message: refusal })
  await publishFile('1.0', 'a', 'a')
  await files.removeVersion(ofFile)
  t.equal(stones().length, 2)
  for (const name of ['a', 'b'])
    await t.rejects(publishFile('1.0', name, 'x'), /was deleted on/, `${name} of a deleted version`)
  await publishFile('1.0', 'c', 'x')
  await publishFile('1.0', 'b', 'b')
  t.same(await settledViolations(data), [])
})

t.test('the hash of a file without a record is that of its bytes', async (t) => {
  const { files, publishFile, path } = await open()
  await publishFile('1.0', 'a', 'a')
  rmSync(path('state/sums'), { recursive: true })
  await (await openParts(path('.'))).store.prepare()
  await files.removeVersion(ofFile)
  await t.rejects(publishFile('1.0', 'a', 'x'), /was deleted on/)
  await publishFile('1.0', 'a', 'a')
})

t.test('hashes come from the zip when the facts are gone or damaged', async (t) => {
  for (const damage of [undefined, '', '{"h1":"h1:x","goModH1":"h1:y"}', '\0\0\0', '{}']) {
    const { modules, publish, path } = await open()
    await publish()
    const facts = path(moduleViews(at).facts('v1.0.0'))
    if (damage === undefined) rmSync(facts)
    else writeFileSync(facts, damage)
    await modules.remove(at)
    await t.rejects(publish(OTHER), /was deleted on/, String(damage))
    await t.resolves(publish(), String(damage))
  }
})

t.test('a version that nobody can read stays until the owner is mutable', async (t) => {
  const { modules, publish, path, set, stones } = await open()
  await publish()
  rmSync(path(moduleViews(at).facts('v1.0.0')))
  writeFileSync(path(versionFile(at, 'zip')), 'no zip')
  await t.rejects(modules.remove(at), {
    status: 409,
    message: /cannot be deleted: owner admin is immutable, .*--mutable/,
  })
  t.ok(existsSync(path(versionFile(at, 'zip'))))
  t.ok(existsSync(path(versionFile(at, 'info'))), 'nothing was taken away')
  await set(false)
  await modules.remove(at)
  t.same(stones(), [])
})

t.test('a tombstone is on the disk before anything is taken away, or nothing is', async (t) => {
  const data = join(memoryFolder(), 'data')
  let failing = ''
  const seen: string[] = []
  const parts = await openParts(data, (store) => {
    const watch =
      (name: 'remove' | 'sync' | 'syncAll' | 'writeMaking') =>
      async (...args: unknown[]): Promise<never> => {
        seen.push(`${name} ${String(args[0])}`)
        if (failing === name) throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })
        return (store[name] as (...all: unknown[]) => Promise<never>)(...args)
      }
    return withMethods(store, {
      remove: watch('remove'),
      syncAll: watch('syncAll'),
      writeMaking: watch('writeMaking'),
    })
  })
  await setOwner(parts.store, { name: 'admin', immutable: true })
  await parts.publishModule(MODULE, 'v1.0.0')
  for (failing of ['writeMaking', 'syncAll']) {
    await t.rejects(parts.modules.remove(at), /EIO/)
    t.ok(existsSync(join(data, versionFile(at, 'info'))), `${failing} failed, and nothing has begun`)
    t.same(readdirSync(join(data, 'state/journal')), [])
  }
  failing = ''
  seen.length = 0
  await parts.modules.remove(at)
  const folder = STONE.slice(0, STONE.lastIndexOf('/'))
  t.equal(seen[0], `syncAll ${folder}`, 'also the name that a sync has failed for')
  t.same(await settledViolations(data), [])
})

t.test('when the owner becomes mutable it counts for nothing, later it counts again', async (t) => {
  const { modules, publish, set, path } = await open()
  await publish()
  await modules.remove(at)
  const text = readFileSync(path(STONE), 'utf8')
  await set(false)
  await publish(OTHER)
  await modules.remove(at)
  t.equal(readFileSync(path(STONE), 'utf8'), text, 'a delete leaves it alone')
  await set(true)
  await t.rejects(publish(OTHER), /was deleted on/)
  await publish()
  await set(false)
  await modules.remove(at)
  await publish(OTHER)
  await set(true)
  await modules.remove(at)
  await t.rejects(publish(), /was deleted on/, 'what was there last is what counts')
  await publish(OTHER)
})

t.test('an owner that was never immutable keeps nothing', async (t) => {
  const { modules, files, publish, publishFile, stones, set } = await open(false)
  await publish()
  await publishFile('1.0', 'a', 'a')
  await modules.remove(at)
  await files.removeVersion(ofFile)
  t.same(stones(), [])
  await set(true)
  await publish(OTHER)
  await publishFile('1.0', 'a', 'other')
})

t.test('a damaged tombstone lets nothing be published there, and verify names it', async (t) => {
  const { modules, files, publish, publishFile, path, store } = await open()
  await publish()
  await publishFile('1.0', 'a', 'a')
  await modules.remove(at)
  await files.removeVersion(ofFile)
  const good = readFileSync(path(STONE), 'utf8')
  const ofOther = readFileSync(path(goneFile(genericFile(ofFile, 'a'))), 'utf8')
  t.same(await inspectTombstones(store), [], 'right ones are no findings')
  const cut = good.slice(0, 40)
  for (const text of [
    '',
    '{}',
    cut,
    good.replace('h1:', 'h2:'),
    good.replace('v1.0.0', 'v1.0.1'),
    ofOther,
    '\0',
  ]) {
    writeFileSync(path(STONE), text)
    await t.rejects(publish(), { status: 409, message: /was deleted, .* is damaged/ }, JSON.stringify(text))
    t.match(await inspectTombstones(store), [{ path: STONE, fault: /it does not say what a deleted/ }])
  }
  writeFileSync(path(STONE), good)
  await publish()
  writeFileSync(path(STONE), cut)
  await modules.remove(at)
  await t.rejects(publish(OTHER), /was deleted on/, 'a delete writes it anew')
})

t.test('what is no tombstone is not taken for one', async (t) => {
  const stone = { owner: 'a', module: 'm.x/m', version: 'v1.0.0', time: '2026-01-01T00:00:00.000Z' }
  const h1 = `h1:${'A'.repeat(43)}=`
  const right = { ...stone, h1, goModH1: h1 }
  t.same(parseTombstone(JSON.stringify(right)), right)
  const wrong: object[] = [
    { ...right, owner: '../x' },
    { ...right, owner: 5 },
    { ...right, version: '' },
    { ...right, time: 'soon' },
    { ...right, h1: `${h1}x` },
    { ...stone, h1 },
    { ...stone, module: undefined, name: 't', file: 'f', sha256: 'abc' },
    { ...stone, module: undefined, name: 't', sha256: 'a'.repeat(64) },
  ]
  for (const value of wrong) t.equal(parseTombstone(JSON.stringify(value)), undefined, JSON.stringify(value))
  for (const text of ['', 'null', '5', '[]', '"x"']) t.equal(parseTombstone(text), undefined, text)
})

t.test('an owner that is removed takes its tombstones along, and nobody else’s', async (t) => {
  const { modules, publish, store, stones, ...parts } = await open()
  await addOwner(store, { name: 'other', public: true, immutable: true })
  const ofOther = goneFile(versionFile({ ...at, owner: 'other' }, 'zip'))
  const text = (owner: string) =>
    JSON.stringify({ ...JSON.parse(readFileSync(parts.path(STONE), 'utf8')), owner })
  await publish()
  await modules.remove(at)
  await store.writeMaking(ofOther, text('other'))
  const needs = { ...parts, store }
  await removeOwner(needs, 'admin', false)
  t.same(
    stones().map((name) => `state/gone/${name}`),
    [ofOther],
    'of one without packages, too',
  )
  await addOwner(store, { name: 'admin', public: true, immutable: true })
  await publish(OTHER)
  await modules.remove(at)
  await publish(OTHER)
  await removeOwner(needs, 'admin', true)
  t.equal(stones().length, 1)
})

t.test('a removal that was cut off can be said again while a tombstone is left', async (t) => {
  const { modules, publish, store, stones, ...parts } = await open()
  await publish()
  await modules.remove(at)
  const dies = (): Promise<never> => Promise.reject(new Error('the process dies here'))
  const dying = {
    ...parts,
    store: withMethods(store, { remove: (path) => (path === STONE ? dies() : store.remove(path)) }),
  }
  await t.rejects(removeOwner(dying, 'admin', false), /dies here/)
  t.equal(stones().length, 1)
  t.match(await inspectTombstones(store), [
    { path: STONE, fault: /nobody declared .*admin/, mend: /owner remove admin$/ },
  ])
  await removeOwner({ ...parts, store }, 'admin', false)
  t.same(stones(), [])
  await t.rejects(removeOwner({ ...parts, store }, 'admin', false), /no owner/)

  const again = await open()
  await again.publish()
  await again.modules.remove(at)
  await again.publish()
  const cut = { ...again, store: withMethods(again.store, { removeFolder: dies }) }
  await t.rejects(removeOwner(cut, 'admin', true), /dies here/)
  t.same(again.stones(), [], 'they go before the packages')
  await removeOwner(again, 'admin', true)
})
