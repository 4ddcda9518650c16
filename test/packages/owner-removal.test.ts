// An owner goes: with its packages and the records of their sums, and whatever is being published meanwhile.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { addOwner } from '../../src/access/owners.js'
import { Refusal } from '../../src/errors.js'
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
