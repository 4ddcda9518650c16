// Undoing can fail, too: what is left then is put right before the next answer about that package.

import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Refusal, Unsettled } from '../../src/errors.js'
import type { CheckPool } from '../../src/modzip/check-pool.js'
import type { Store } from '../../src/store/store.js'
import { settledViolations } from '../support/invariants.js'
import { tempFolder } from '../support/temp-folder.js'
import { openParts, withMethods } from '../support/parts.js'

/** A disk that answers EIO to some of the store's calls while it is `broken`. */
function failing(methods: (keyof Store)[]) {
  const disk = { broken: false }
  const wrap = (store: Store): Store =>
    new Proxy(store, {
      get(target, name: keyof Store) {
        const value = target[name]
        // The store has private fields, so its methods run on the store itself.
        if (!methods.includes(name) || !disk.broken)
          return typeof value === 'function' ? value.bind(target) : value
        return () => Promise.reject(Object.assign(new Error('EIO: i/o error'), { code: 'EIO' }))
      },
    })
  return { disk, wrap }
}

const at = { owner: 'admin', module: 'example.com/m', version: 'v1.1.0' }
const journalOf = (data: string): string[] => readdirSync(join(data, 'state/journal'))

t.test('a publish whose undoing failed is withdrawn before the next answer', async (t) => {
  const data = join(tempFolder(), 'data')
  const { disk, wrap } = failing(['syncAll', 'remove'])
  const parts = await openParts(data, wrap)
  await parts.publishModule('example.com/m', 'v1.0.0')
  disk.broken = true
  await t.rejects(parts.publishModule('example.com/m', 'v1.1.0'), Unsettled)
  t.equal(journalOf(data).length, 1)
  await t.rejects(parts.modules.remove(at), /EIO/, 'no answer while it cannot be put right')
  disk.broken = false
  await t.rejects(parts.modules.remove(at), /is not there/, 'the 404 agrees with list')
  t.same(await settledViolations(data), [])
  await parts.publishModule('example.com/m', 'v1.1.0')
  t.same(await settledViolations(data), [])
})

t.test('what the client was told to be undone is not completed by a restart', async (t) => {
  const data = join(tempFolder(), 'data')
  const { disk, wrap } = failing(['syncAll', 'remove'])
  const parts = await openParts(data, wrap)
  disk.broken = true
  await t.rejects(parts.publishModule('example.com/m', 'v1.0.0'), Unsettled)
  await t.rejects(parts.publishFile('1.0', 'x', 'content'), Unsettled)
  const next = await openParts(data)
  await next.recover()
  t.same(await settledViolations(data), [])
  t.notOk(existsSync(join(data, 'tree/api/packages/admin/go/example.com')))
  t.notOk(existsSync(join(data, 'tree/api/packages/admin/generic/tool')))
})

t.test('a delete that failed is finished before the next answer', async (t) => {
  const data = join(tempFolder(), 'data')
  const { disk, wrap } = failing(['syncAll', 'prune', 'removeFolder'])
  const parts = await openParts(data, wrap)
  await parts.publishModule('example.com/m', 'v1.0.0')
  await parts.publishModule('example.com/m', 'v1.1.0')
  await parts.publishFile('1.0', 'x', 'content')
  await parts.publishFile('2.0', 'x', 'content')
  disk.broken = true
  await t.rejects(parts.modules.remove(at), Unsettled)
  await t.rejects(parts.files.removeFile({ owner: 'admin', name: 'tool', version: '1.0' }, 'x'), Unsettled)
  const other = { owner: 'admin', name: 'tool', version: '2.0' }
  await t.rejects(parts.files.removeVersion(other), /EIO/, 'the package is put right first')
  t.equal(journalOf(data).length, 2)
  disk.broken = false
  await t.rejects(parts.modules.remove(at), Refusal)
  await parts.publishFile('1.0', 'x', 'other content')
  await parts.files.removeVersion(other)
  t.same(await settledViolations(data), [])
})

t.test(
  'the start settles what an earlier version of the journal says, drops what is torn, leaves what it does not know',
  async (t) => {
    const data = join(tempFolder(), 'data')
    const parts = await openParts(data)
    await parts.publishModule('example.com/m', 'v1.1.0')
    await parts.store.write('state/journal/old.json', JSON.stringify({ op: 'delete', ...at }))
    await parts.store.write('state/journal/odd.json', '{"op":"dance"}')
    await parts.store.write('state/journal/torn.json', '{"op":"delete","owner":"admin","mod')
    await parts.store.write('state/journal/empty.json', '')
    await parts.store.write('state/journal/zeros.json', Buffer.alloc(150))
    await parts.recover()
    await parts.recover()
    t.same(journalOf(data), ['odd.json'])
    t.notOk(existsSync(join(data, 'tree/api/packages/admin/go/example.com')))
  },
)

t.test('an entry that another machine has removed is still seen here: nothing is settled', async (t) => {
  const data = join(tempFolder(), 'data')
  const parts = await openParts(data)
  await parts.publishModule('example.com/m', 'v1.1.0')
  await parts.publishFile('1.0', 'x', 'content')
  const file = { owner: 'admin', name: 'tool', version: '1.0', file: 'x' }
  const stale: Record<string, string> = {
    'module.json': JSON.stringify({ op: 'delete', ...at }),
    'file.json': JSON.stringify({ op: 'delete', ...file }),
  }
  const journal = 'state/journal'
  // CephFS has shown such names, and what they were, for more than a minute after its metadata server died.
  const wrap = (store: Store): Store =>
    withMethods(store, {
      names: async (folder) => [
        ...(await store.names(folder)),
        ...(folder === journal ? Object.keys(stale) : []),
      ],
      read: async (path) =>
        path.startsWith(`${journal}/`)
          ? Buffer.from(stale[path.slice(journal.length + 1)] ?? '')
          : store.read(path),
    })
  const next = await openParts(data, wrap)
  await next.recover()
  t.ok(existsSync(join(data, 'tree/api/packages/admin/go/example.com/m/@v/v1.1.0.zip')))
  t.ok(existsSync(join(data, 'tree/api/packages/admin/generic/tool/1.0/x')))
  t.same(next.log, [])
  t.same(await settledViolations(data), [])
})

t.test('a published zip that could not be read in time is no reason to withdraw it', async (t) => {
  const data = join(tempFolder(), 'data')
  await (await openParts(data)).publishModule('example.com/m', 'v1.1.0')
  // a power cut may bring back the entry of a publish that was answered
  writeFileSync(join(data, 'state/journal/back.json'), JSON.stringify({ op: 'publish', ...at }))
  const slow = { read: async () => ({ ok: false, unsure: true, problems: [{ rule: 'slow' }] }) }
  const parts = await openParts(data, undefined, slow as unknown as CheckPool)
  await parts.recover()
  t.ok(existsSync(join(data, 'tree/api/packages/admin/go/example.com/m/@v/v1.1.0.zip')))
  t.equal(journalOf(data).length, 1, 'it is tried again')
  t.match(parts.log.join(), /could not be settled/)
  await (await openParts(data)).recover()
  t.same(await settledViolations(data), [])
  t.equal(journalOf(data).length, 0)
})
