// What commands ask of checksum databases, one beside another, and cut off in the middle.

import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readConfig } from '../../src/config.js'
import { doWithDatabases, type DatabaseEvent, type DatabaseRequest } from '../../src/service/database-jobs.js'
import type { Parts } from '../../src/service/parts.js'
import { openParts } from '../support/parts.js'
import { memoryFolder } from '../support/temp-folder.js'

const NAME = 'sum.corp.example/admin'

async function database() {
  const data = join(memoryFolder(), 'data')
  const opened = await openParts(data)
  const parts = { ...opened, config: readConfig({ PLINTH_DATA: data }) } as unknown as Parts
  const job = (request: DatabaseRequest, signal = new AbortController().signal) =>
    doWithDatabases(parts, request, signal)
  return {
    data,
    parts: opened,
    job,
    /** Runs a job to its end. */
    run: async (request: DatabaseRequest, signal?: AbortSignal): Promise<DatabaseEvent | undefined> => {
      let last: DatabaseEvent | undefined
      for await (const event of job(request, signal)) last = event
      return last
    },
    inTree: (name: string, path: string): string =>
      join(data, 'tree/api/packages/admin/go/sumdb', name, path),
    names: (): string => readFileSync(join(data, 'state/sumdb-names'), 'utf8'),
  }
}

const enabling = { action: 'enable', owner: 'admin', name: NAME, dry: false } as const

t.test('one command at a time changes databases: two would give one name two keys', async (t) => {
  const { job, run, parts, names } = await database()
  await parts.publishModule('corp.example/m', 'v1.0.0')
  const first = job(enabling)
  t.match(await first.next(), { done: false })
  for (const request of [
    enabling,
    { ...enabling, owner: 'other' },
    { action: 'disable', owner: 'admin' },
    { action: 'rotate', owner: 'admin', name: 'sum.corp.example/new', fresh: false },
  ] as const)
    await t.rejects(run(request), {
      status: 409,
      message: /another command is changing .* of admin: run this one when/,
    })
  t.match(await run({ action: 'show', owner: 'admin' }), { databases: [{ status: 'enabling' }] })
  t.match(await run({ ...enabling, name: NAME, dry: true }), { done: true })
  await first.return(undefined)
  await run(enabling)
  await t.rejects(run({ action: 'recover', owner: 'admin' }), { status: 409, message: /in order/ })
  t.match(await run({ action: 'rotate', owner: 'admin', name: 'sum.corp.example/new', fresh: false }), {
    databases: [{ status: 'enabled', name: 'sum.corp.example/new', earlier: [NAME], size: 1 }],
  })
  t.match(
    names(),
    /^sum\.corp\.example\/admin admin [0-9a-f]{8}\nsum\.corp\.example\/new admin [0-9a-f]{8}\n$/,
  )
})

t.test(
  'a rotation that is left alone or interrupted ends at its next record, and changes nothing',
  async (t) => {
    const { job, run, parts, inTree, names } = await database()
    for (let n = 0; n < 3; n++) await parts.publishModule('corp.example/m', `v1.${n}.0`)
    await run(enabling)
    const before = names()
    const rotating = { action: 'rotate', owner: 'admin', name: 'sum.corp.example/new', fresh: false } as const
    const interrupted = new AbortController()
    interrupted.abort()
    await t.rejects(run(rotating, interrupted.signal), /interrupted: run it again/)
    const left = job(rotating)
    await left.next()
    await left.return(undefined)
    t.equal(names(), before)
    t.match(await run({ action: 'show' }), { databases: [{ name: NAME, earlier: [], size: 3 }] })
    await parts.publishModule('corp.example/m', 'v1.3.0')
    t.match(await run(rotating), { databases: [{ name: 'sum.corp.example/new', earlier: [NAME], size: 4 }] })
    t.ok(existsSync(inTree('sum.corp.example/new', 'lookup/corp.example/m@v1.3.0')))
  },
)

t.test(
  'dropping earlier names leaves the one in force, which a rotation that was cut off had put aside',
  async (t) => {
    const { data, run, parts, inTree } = await database()
    await parts.publishModule('corp.example/m', 'v1.0.0')
    await run(enabling)
    const state = join(data, 'state/sumdb/admin')
    mkdirSync(join(state, 'before/1'), { recursive: true })
    for (const file of ['key', 'heads']) copyFileSync(join(state, file), join(state, 'before/1', file))
    t.match(await run({ action: 'show' }), { databases: [{ name: NAME, earlier: [] }] })
    t.match(await run({ action: 'drop', owner: 'admin' }), { dropped: [] })
    t.ok(existsSync(inTree(NAME, 'supported')))
    await run({ action: 'rotate', owner: 'admin', name: 'sum.corp.example/new', fresh: false })
    t.match(await run({ action: 'drop', owner: 'admin' }), { dropped: [NAME] })
    t.notOk(existsSync(inTree(NAME, 'supported')))
    t.ok(existsSync(inTree('sum.corp.example/new', 'supported')))
  },
)

t.test('what is damaged in the truth is found at the next start, and read again from the tree', async (t) => {
  const { data, run, parts, inTree } = await database()
  for (let n = 0; n < 5; n++) await parts.publishModule('corp.example/m', `v1.${n}.0`)
  await run(enabling)
  await parts.publishModule('corp.example/m', 'v1.5.0')
  const before = await run({ action: 'show', owner: 'admin' })
  const latest = readFileSync(inTree(NAME, 'latest'), 'utf8')
  const state = join(data, 'state/sumdb/admin')
  const [records, heads] = [join(state, 'records'), join(state, 'heads')]
  const change = (path: string, to: (bytes: Buffer) => Buffer): void =>
    writeFileSync(path, to(readFileSync(path)))
  const damages: [what: string, damage: () => void][] = [
    [
      'a byte of the first record',
      () => change(records, (bytes) => bytes.fill(bytes.readUInt8(40) ^ 1, 40, 41)),
    ],
    [
      'a byte of the last record',
      () => change(records, (bytes) => bytes.fill('!', bytes.length - 9, bytes.length - 8)),
    ],
    ['records that are cut off', () => change(records, (bytes) => bytes.subarray(0, -10))],
    ['no records', () => change(records, () => Buffer.alloc(0))],
    ['lost records', () => rmSync(records)],
    ['no heads', () => change(heads, () => Buffer.alloc(0))],
    ['lost heads', () => rmSync(heads)],
    ['heads that are none', () => change(heads, (bytes) => bytes.fill('x'))],
  ]
  for (const [what, damage] of damages) {
    damage()
    await parts.databases.open('admin')
    await t.rejects(
      parts.publishModule('corp.example/new', 'v1.0.0'),
      { status: 503, message: /sumdb recover admin/ },
      what,
    )
    t.match(
      await run({ action: 'show', owner: 'admin' }),
      { databases: [{ refusal: /sumdb recover admin/ }] },
      what,
    )
    await run({ action: 'recover', owner: 'admin' })
    t.same(await run({ action: 'show', owner: 'admin' }), before, what)
    t.equal(readFileSync(inTree(NAME, 'latest'), 'utf8'), latest, what)
  }
  await parts.publishModule('corp.example/new', 'v1.0.0')
  for (const damage of [damages[0], damages[4], damages[6]]) {
    damage?.[1]()
    await parts.databases.open('admin')
    const rotating = { action: 'rotate', owner: 'admin', name: 'sum.corp.example/new', fresh: false } as const
    await t.rejects(
      run(rotating),
      { status: 409, message: /cannot be taken over.*--fresh/ },
      damage?.[0] ?? '',
    )
    await run({ action: 'recover', owner: 'admin' })
  }
})
