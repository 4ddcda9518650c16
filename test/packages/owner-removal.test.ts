// An owner goes: with its packages and the records of their sums, and whatever is being published meanwhile.

import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { addOwner } from '../../src/access/owners.js'
import { Refusal } from '../../src/errors.js'
import { enableDatabase } from '../../src/go/enable-database.js'
import { removeOwner } from '../../src/packages/owner-removal.js'
import type { Store } from '../../src/store/store.js'
import { settledViolations } from '../support/invariants.js'
import { memoryFolder } from '../support/temp-folder.js'
import { openParts, withMethods } from '../support/parts.js'
import { until } from '../support/until.js'

/** A store whose claims wait until they are let through. */
function holdClaims() {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => (open = resolve))
  let arrive = (): void => {}
  const arrived = new Promise<void>((resolve) => (arrive = resolve))
  const wrap = (store: Store): Store =>
    withMethods(store, {
      claim: async (...args) => {
        arrive()
        await opened
        return store.claim(...args)
      },
    })
  return { open: () => open(), arrived, wrap }
}

const isDeclared = (data: string): boolean => existsSync(join(data, 'access/owners/admin.json'))

t.test('everything of the owner goes, and nothing of another', async (t) => {
  const data = join(memoryFolder(), 'data')
  const parts = await openParts(data)
  await addOwner(parts.store, { name: 'other', public: true })
  await parts.publishModule('example.com/m', 'v1.0.0')
  await parts.publishModule('example.com/m', 'v1.1.0')
  await parts.publishFile('1.0', 'x', 'content')
  await t.rejects(removeOwner(parts, 'admin', false), /holds packages/)
  t.ok(isDeclared(data))
  await removeOwner(parts, 'admin', true)
  t.notOk(isDeclared(data))
  t.same(await settledViolations(data), [], 'no record of a sum is left')
  t.notOk(existsSync(join(data, 'tree/api/packages/admin')))
  await t.rejects(removeOwner(parts, 'admin', true), /no owner/)
})

t.test('a removal that was cut off can be said again', async (t) => {
  const data = join(memoryFolder(), 'data')
  const parts = await openParts(data)
  await parts.publishModule('example.com/m', 'v1.0.0')
  const removeFolder = (): Promise<boolean> => Promise.reject(new Error('the process dies here'))
  const dying = { ...parts, store: withMethods(parts.store, { removeFolder }) }
  await t.rejects(removeOwner(dying, 'admin', true), /dies here/)
  await t.rejects(removeOwner(parts, 'admin', false), /no owner/)
  await removeOwner(parts, 'admin', true)
  t.same(await settledViolations(data), [])
  t.notOk(existsSync(join(data, 'tree/api/packages/admin')))
})

t.test('what is being published is waited for, and goes too', async (t) => {
  const data = join(memoryFolder(), 'data')
  const gate = holdClaims()
  const parts = await openParts(data, gate.wrap)
  const publishing = parts.publishModule('example.com/m', 'v1.0.0')
  await gate.arrived
  let removed = false
  const removing = removeOwner(parts, 'admin', true).then(() => (removed = true))
  await until(() => !isDeclared(data), 1)
  const late = parts.publishFile('1.0', 'x', 'content')
  await t.rejects(late, /no owner/, 'what comes now finds none')
  t.notOk(removed)
  gate.open()
  await publishing
  await removing
  t.same(await settledViolations(data), [])
  t.notOk(existsSync(join(data, 'tree/api/packages/admin')))
})

t.test('an owner that is published to meanwhile stays when its packages are to stay', async (t) => {
  const data = join(memoryFolder(), 'data')
  const gate = holdClaims()
  const parts = await openParts(data, gate.wrap)
  const publishing = parts.publishFile('1.0', 'x', 'content')
  await gate.arrived
  const removing = removeOwner(parts, 'admin', false)
  const refused = t.rejects(removing, Refusal)
  await until(() => !isDeclared(data), 1)
  gate.open()
  await publishing
  await refused
  t.ok(isDeclared(data))
  t.same(await settledViolations(data), [])
})

const NEVER = new AbortController().signal
const STATE = 'state/sumdb/admin'

async function enable(
  parts: Awaited<ReturnType<typeof openParts>>,
  name = 'sum.corp.example',
): Promise<void> {
  for await (const _ of enableDatabase(parts, { owner: 'admin', name, dry: false }, NEVER));
}

/** What is kept of databases whose owners are gone. */
const kept = (data: string): string[][] =>
  readdirSync(join(data, 'state/sumdb-removed')).map((name) => [
    name.replace(/\.[0-9a-f-]{36}$/, ''),
    ...readdirSync(join(data, 'state/sumdb-removed', name)).sort(),
  ])

t.test('its checksum database goes to nobody', async (t) => {
  const data = join(memoryFolder(), 'data')
  const parts = await openParts(data)
  await parts.publishModule('corp.example/m', 'v1.0.0')
  await enable(parts)
  await removeOwner(parts, 'admin', true)
  t.same(parts.databases.owners(), [], 'nothing is recorded any more')
  t.notOk(existsSync(join(data, STATE)))
  t.same(kept(data), [['admin', 'heads', 'key', 'records']])
  t.equal(statSync(join(data, 'state/sumdb-removed')).mode & 0o777, 0o700)
  t.same(await settledViolations(data), [])

  await addOwner(parts.store, { name: 'admin', public: true })
  await parts.publishModule('corp.example/m', 'v1.0.0')
  t.equal(await parts.databases.statusOf('admin'), undefined, 'a later owner of the name has none')
  await t.rejects(enable(parts), /had a key before/)
  await enable(parts, 'sum2.corp.example')
  t.equal(parts.databases.logOf('admin')?.size, 1)
  t.equal(parts.databases.logOf('admin')?.signer.name, 'sum2.corp.example')

  await t.test('an owner without packages, with a database', async (t) => {
    await parts.modules.remove({ owner: 'admin', module: 'corp.example/m', version: 'v1.0.0' })
    await removeOwner(parts, 'admin', false)
    t.equal(kept(data).length, 2)
    t.notOk(existsSync(join(data, 'tree/api/packages/admin')))
    t.same(await settledViolations(data), [])
  })
})

t.test('wherever a removal is cut off, no later owner has the key, and it can be said again', async (t) => {
  const calls: (keyof Store)[] = ['remove', 'move', 'sync', 'removeFolder']
  for (const [call, isEmpty] of calls.flatMap((each) => [[each, true] as const, [each, false] as const]))
    for (let nth = 1; ; nth++) {
      const data = join(memoryFolder(), 'data')
      const parts = await openParts(data)
      await parts.publishModule('corp.example/m', 'v1.0.0')
      await enable(parts)
      if (isEmpty) await parts.modules.remove({ owner: 'admin', module: 'corp.example/m', version: 'v1.0.0' })
      let count = 0
      const dies = (...args: unknown[]): unknown => {
        if (++count === nth) throw new Error('the process dies here')
        return (parts.store[call] as (...of: unknown[]) => unknown)(...args)
      }
      const store = withMethods(parts.store, { [call]: dies })
      const died = await removeOwner({ ...parts, store }, 'admin', true).then(
        () => false,
        () => true,
      )
      if (!died) {
        t.ok(nth > 1, `${call} is called`)
        break
      }
      const after = await openAgain(data)
      const isWhole = existsSync(join(data, 'tree/api/packages/admin/go/sumdb'))
      t.ok(isWhole || !existsSync(join(data, STATE)), `${call} ${nth}: the key is not left behind`)
      await removeOwner(after, 'admin', true).catch((error: unknown) => {
        if (!/no owner/.test(String(error))) throw error // it was over
      })
      t.notOk(existsSync(join(data, STATE)), `${call} ${nth}`)
      t.same(kept(data).length, 1, `${call} ${nth}`)
      t.notOk(existsSync(join(data, 'tree/api/packages/admin')), `${call} ${nth}`)
    }
})

/** The parts of the next start, which does not declare the owner. */
async function openAgain(data: string): Promise<Awaited<ReturnType<typeof openParts>>> {
  const declared = isDeclared(data)
  const parts = await openParts(data)
  await parts.recover()
  if (!declared) rmSync(join(data, 'access/owners/admin.json'))
  return parts
}
