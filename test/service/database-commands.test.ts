// What commands do with checksum databases: when they fail half-way, when two come at the same time, and when the files
// of a database are damaged.

import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { folders, sumdbFolder, sumdbNamesPath, sumdbState, versionFile } from '../../src/layout.js'
import { removeOwner } from '../../src/packages/owner-removal.js'
import { doWithDatabases, type DatabaseRequest } from '../../src/service/database-jobs.js'
import type { Parts } from '../../src/service/parts.js'
import type { Store } from '../../src/store/store.js'
import { newSigner } from '../../src/sumdb/note.js'
import { noteName } from '../../src/sumdb/names.js'
import { openParts, withMethods } from '../support/parts.js'
import { memoryFolder } from '../support/temp-folder.js'

const NAME = 'sum.corp.example/team'
const NEXT = 'sum.corp.example/next'

const config = { publicUrl: 'https://plinth.corp.example' }

async function open(data: string, wrap?: (store: Store) => Store) {
  const opened = await openParts(data, wrap)
  await opened.recover()
  const parts = { ...opened, config } as unknown as Parts
  /** Does what is asked, to the end. */
  const ask = async (request: DatabaseRequest, signal = new AbortController().signal) => {
    for await (const event of doWithDatabases(parts, request, signal)) if ('done' in event) return event
    throw new Error('it has no end')
  }
  const enable = () => ask({ action: 'enable', owner: 'admin', name: NAME, dry: false })
  const rotate = (name = NEXT) => ask({ action: 'rotate', owner: 'admin', name, fresh: false })
  return { ...opened, parts, ask, enable, rotate }
}

const newData = (): string => join(memoryFolder(), 'data')
const recorded = (data: string): string => readFileSync(join(data, sumdbState('admin'), 'records'), 'latin1')

t.test('a rotation that failed makes the present name none of before', async (t) => {
  const data = newData()
  const failing = (store: Store): Store =>
    withMethods(store, {
      move: async (from, to) => {
        if (from.endsWith('next/key')) throw new Error('no space')
        return store.move(from, to)
      },
    })
  const { enable, rotate, ask, publishModule } = await open(data, failing)
  await publishModule('corp.example/m', 'v1.0.0')
  await enable()
  await t.rejects(rotate(), { message: 'no space' })
  t.strictSame((await ask({ action: 'drop', owner: 'admin' })).databases[0]?.earlier, [])
  t.ok(existsSync(join(data, sumdbFolder('admin', NAME), 'supported')), 'it is still shown')
  t.equal((await ask({ action: 'drop', owner: 'admin' })).dropped?.length, 0)
})

t.test('of two commands at the same time one is refused, and no record is lost', async (t) => {
  const data = newData()
  const { enable, rotate, ask, publishModule, databases } = await open(data)
  await publishModule('corp.example/m', 'v1.0.0')
  await enable()
  const answers = await Promise.allSettled([
    rotate(),
    rotate('sum.corp.example/other'),
    ask({ action: 'disable', owner: 'admin' }),
    ask({ action: 'recover', owner: 'admin' }),
    ask({ action: 'rotate', owner: 'admin', name: 'sum.corp.example/fresh', fresh: true }),
    publishModule('corp.example/n', 'v1.0.0'),
  ])
  t.strictSame(
    answers.slice(0, 5).map((answer) => answer.status),
    ['fulfilled', 'rejected', 'rejected', 'rejected', 'rejected'],
  )
  for (const answer of answers.slice(1, 5))
    if (answer.status === 'rejected') t.match(answer.reason, { status: 409, message: /another command/ })
  t.equal(await databases.nameOf('admin'), NEXT)
  if (answers[5]?.status === 'fulfilled') t.match(recorded(data), 'corp.example/n v1.0.0 ')
  await rotate('sum.corp.example/third')
})

t.test('an owner does not go while its database is changed, and nothing of it comes back', async (t) => {
  const { enable, rotate, publishModule, store, journal, ownerViews, databases } = await open(newData())
  await publishModule('corp.example/m', 'v1.0.0')
  await enable()
  const needs = { store, journal, ownerViews, databases }
  const rotating = rotate()
  await t.rejects(removeOwner(needs, 'admin', true), { status: 409, message: /another command/ })
  await rotating
  await removeOwner(needs, 'admin', true)
  t.notOk(await store.exists(sumdbState('admin')))
})

t.test('one name gets one key, whoever asks for it', async (t) => {
  const { store } = await open(newData())
  const made = await Promise.allSettled(
    ['a', 'b', 'c'].map((owner) => noteName(store, owner, newSigner(owner === 'c' ? NEXT : NAME))),
  )
  t.strictSame(
    made.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  t.match((await store.read(sumdbNamesPath))?.toString(), /^\S+\/team a \S+\n\S+\/next c \S+\n$/)
})

t.test('who asked goes away: the work ends before anybody else may begin', async (t) => {
  const data = newData()
  let [isSlow, writing] = [false, 0]
  let enter = (): void => {}
  const entered = new Promise<void>((resolve) => (enter = resolve))
  let goOn = (): void => {}
  const gate = new Promise<void>((resolve) => (goOn = resolve))
  const slow = (store: Store): Store =>
    withMethods(store, {
      writeMaking: async (...args) => {
        if (!isSlow) return store.writeMaking(...args)
        writing++
        enter()
        await gate
        await store.writeMaking(...args)
        writing--
      },
    })
  const { enable, rotate, publishModule, parts } = await open(data, slow)
  for (let nth = 0; nth < 3; nth++) await publishModule('corp.example/m', `v1.${nth}.0`)
  await enable()
  isSlow = true
  const left = new AbortController()
  const events = doWithDatabases(
    parts,
    { action: 'rotate', owner: 'admin', name: NEXT, fresh: false },
    left.signal,
  )
  await events.next()
  await entered
  left.abort()
  const returned = events.return(undefined)
  goOn()
  await returned
  t.equal(writing, 0)
  t.equal(await parts.databases.nameOf('admin'), NAME)
  await rotate()
  const unhandled: unknown[] = []
  process.on('unhandledRejection', (reason) => unhandled.push(reason))
  const refused = doWithDatabases(
    parts,
    { action: 'rotate', owner: 'admin', name: NAME, fresh: false },
    AbortSignal.timeout(60_000),
  )
  await refused.next()
  for (let look = 0; look < 50; look++) await parts.databases.nameOf('admin') // it fails before anybody asks again
  await refused.return(undefined)
  await t.rejects(rotate(NAME), { message: /had a key before/ })
  t.strictSame(unhandled, [])
})

t.test('a rotation takes over all records or none', async (t) => {
  const data = newData()
  const { enable, publishModule } = await open(data)
  await publishModule('corp.example/m', 'v1.0.0')
  await enable()
  for (let nth = 1; nth < 4; nth++) await publishModule('corp.example/m', `v1.${nth}.0`)
  const before = recorded(data)
  const heads = join(data, sumdbState('admin'), 'heads')
  const lines = readFileSync(heads, 'latin1').split('\n')
  writeFileSync(heads, lines.map((line, nth) => (nth === 1 ? `x${line}` : line)).join('\n'))
  const { rotate, databases } = await open(data)
  t.match(databases.refusalOf('admin'), /damaged/)
  await t.rejects(rotate(), { status: 409, message: /cannot be taken over/ })
  t.equal(recorded(data), before)
})

t.test('a disabled database is not opened by recovering it', async (t) => {
  const { enable, ask, databases, publishModule } = await open(newData())
  await publishModule('corp.example/m', 'v1.0.0')
  await enable()
  await ask({ action: 'disable', owner: 'admin' })
  await t.rejects(ask({ action: 'recover', owner: 'admin' }), { status: 409, message: /disabled/ })
  t.equal(databases.of('admin'), undefined)
})

t.test('a disabled database whose key is lost comes back under another name', async (t) => {
  const data = newData()
  const { enable, ask, publishModule, rotate, store } = await open(data)
  await publishModule('corp.example/m', 'v1.0.0')
  await enable()
  await ask({ action: 'disable', owner: 'admin' })
  rmSync(join(data, sumdbState('admin'), 'key'))
  await t.rejects(ask({ action: 'enable', owner: 'admin', dry: false }), { message: /rotate admin/ })
  await rotate()
  const supported = `${sumdbFolder('admin', NEXT)}/supported`
  t.notOk(await store.exists(supported), 'it is not shown before every version was looked at')
  await ask({ action: 'enable', owner: 'admin', dry: false })
  t.ok(await store.exists(supported))
  t.match(recorded(data), 'corp.example/m v1.0.0 ')
})

t.test('a file that cannot be read stops its owner, and no other', async (t) => {
  const data = newData()
  const { enable, publishModule } = await open(data)
  await publishModule('corp.example/m', 'v1.0.0')
  await enable()
  const state = join(data, sumdbState('admin'))
  rmSync(join(state, 'records'))
  const { databases, ask } = await open(data)
  t.match(databases.refusalOf('admin'), /recover admin/)
  await ask({ action: 'recover', owner: 'admin' })
  rmSync(join(state, 'key'))
  mkdirSync(join(state, 'key')) // for root, too, nothing that can be read
  const again = await open(data)
  t.match(again.databases.refusalOf('admin'), /could not be opened/)
  await t.rejects(again.publishModule('corp.example/m', 'v1.1.0'), { status: 503, message: /could not/ })
})

t.test('an operation that cannot be recorded when it is settled keeps nobody from its module', async (t) => {
  const data = newData()
  const at = { owner: 'admin', module: 'corp.example/m', version: 'v1.0.0' }
  const { enable, ask, publishModule, modules, store } = await open(data)
  await publishModule(at.module, at.version)
  await enable()
  await ask({ action: 'disable', owner: 'admin' })
  await modules.remove(at)
  await publishModule(at.module, at.version, { 'other.go': 'package m\n' })
  await ask({ action: 'enable', owner: 'admin', dry: false })
  const leave = () =>
    store.record(`${folders.journal}/${randomUUID()}.json`, JSON.stringify({ op: 'publish', ...at }))
  await leave() // a power cut brought it back
  await open(data)
  t.ok(await store.exists(versionFile(at, 'info')), 'what was visible stays')
  await store.remove(versionFile(at, 'info'))
  await leave()
  const again = await open(data)
  t.notOk(await store.exists(versionFile(at, 'zip')), 'what nobody has seen goes')
  await again.publishModule(at.module, 'v1.1.0')
})
