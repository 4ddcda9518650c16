// The time of publication lasts: on file systems that lose times, and over a crash.

import { readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { settledViolations } from '../support/invariants.js'
import { onForgetfulDisk } from '../support/forgetful-times.js'
import { openParts } from '../support/parts.js'
import { memoryFolder } from '../support/temp-folder.js'

const ZIP = 'tree/api/packages/admin/go/example.com/m/@v/v1.0.0.zip'
const FILE = 'tree/api/packages/admin/generic/tool/1.0/x'
const LONG_AGO = new Date('2001-02-03T04:05:06Z')

const timeOf = (data: string, path: string): string => statSync(join(data, path)).mtime.toISOString()

t.test('a disk that loses the time which is set before a sync', async (t) => {
  const data = join(memoryFolder(), 'data')
  const { publishModule, publishFile } = await openParts(data)
  const lost = await onForgetfulDisk(async () => {
    await publishModule('example.com/m', 'v1.0.0')
    await publishFile('1.0', 'x', 'content')
  })
  t.ok(lost >= 4, `${lost} times were lost: of zip, mod, info and file`)
  t.same(await settledViolations(data), [])
})

t.test('a disk that keeps no time takes no package, and nothing is left', async (t) => {
  const data = join(memoryFolder(), 'data')
  const { publishModule, publishFile } = await openParts(data)
  await onForgetfulDisk(async () => {
    await t.rejects(publishModule('example.com/m', 'v1.0.0'), /does not keep the time/)
    await t.rejects(publishFile('1.0', 'x', 'content'), /does not keep the time/)
  }, false)
  t.same(readdirSync(join(data, 'state/journal')), [])
  t.same(await settledViolations(data), [])
})

t.test('recovery takes the time of publication from the journal', async (t) => {
  const data = join(memoryFolder(), 'data')
  const { store, ownerViews, publishModule, publishFile } = await openParts(data)
  await publishModule('example.com/m', 'v1.0.0')
  await publishFile('1.0', 'x', 'content')
  await ownerViews.settle()
  // What a publish leaves that dies before its entry goes: a second name of the record.
  const records = readdirSync(join(data, 'state/sums'), { recursive: true, encoding: 'utf8' })
  for (const [index, name] of records.filter((record) => record.endsWith('.json')).entries())
    writeFileSync(join(data, `state/journal/${index}.json`), (await store.read(`state/sums/${name}`)) ?? '')
  const before = [ZIP, FILE].map((path) => timeOf(data, path))
  for (const path of [ZIP, FILE]) utimesSync(join(data, path), LONG_AGO, LONG_AGO)
  await (await openParts(data)).recover()
  t.same(
    [ZIP, FILE].map((path) => timeOf(data, path)),
    before,
  )
  t.same(await settledViolations(data), [])
})

t.test('an entry of an earlier version has no time: the file keeps its own', async (t) => {
  const data = join(memoryFolder(), 'data')
  const { store, ownerViews, publishModule } = await openParts(data)
  await publishModule('example.com/m', 'v1.0.0')
  await ownerViews.settle()
  const names = readdirSync(join(data, 'state/sums'), { recursive: true, encoding: 'utf8' })
  const record = names.find((name) => name.endsWith('.json')) ?? ''
  const { time, ...entry } = JSON.parse(String(await store.read(`state/sums/${record}`))) as { time: string }
  t.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  writeFileSync(join(data, 'state/journal/old.json'), JSON.stringify(entry))
  utimesSync(join(data, ZIP), LONG_AGO, LONG_AGO)
  await (await openParts(data)).recover()
  t.equal(timeOf(data, ZIP), LONG_AGO.toISOString())
  t.same(await settledViolations(data), [])
})
