import { appendFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { changedVersions, endOfLog, START } from '../../src/mirror/version-log-reader.js'
import { tempFolder } from '../support/temp-folder.js'

const line = (path: string, version: string): string =>
  `${JSON.stringify({ Path: path, Version: version, Timestamp: '2026-01-01T00:00:00Z' })}\n`

t.test('a log is read on from where the last pass stopped', async (t) => {
  const log = join(tempFolder(), 'index.ndjson')
  t.same(await endOfLog(log), START, 'there is none')
  t.same(await changedVersions(log, START, START, 9), new Map())
  writeFileSync(log, line('example.com/m', 'v1.0.0').repeat(100))
  const first = await endOfLog(log)
  appendFileSync(log, line('example.com/m', 'v1.1.0') + line('example.com/n', 'v1.0.0'))
  const second = await endOfLog(log)
  appendFileSync(log, '{"Path":"example.com/half')
  t.same(await endOfLog(log), second, 'a line without its end is for the next time')
  const expected = new Map([
    ['example.com/m', new Set(['v1.1.0'])],
    ['example.com/n', new Set(['v1.0.0'])],
  ])
  t.same(await changedVersions(log, first, second, 9), expected)
  t.equal(await changedVersions(log, first, second, 1), undefined, 'too many')
  t.equal(await changedVersions(log, second, first, 9), undefined, 'it is shorter than it was')
  writeFileSync(log, line('example.com/o', 'v1.0.0').repeat(200))
  t.equal(await changedVersions(log, first, await endOfLog(log), 999), undefined, 'another log')
  writeFileSync(log, `${line('example.com/m', 'v1.0.0')}not a line\n`)
  t.equal(await changedVersions(log, START, await endOfLog(log), 9), undefined, 'a damaged one')
  rmSync(log)
  t.equal(await changedVersions(log, first, first, 9), undefined, 'it is gone')
})
