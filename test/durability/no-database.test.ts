// What an owner without a checksum database pays for those of others: not one system call.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { makeDatabase } from '../support/checksum-database.js'
import { needs } from '../support/programs.js'
import { newData, runService } from '../support/service.js'
import { tempFolder } from '../support/temp-folder.js'
import { startPublisher } from './publisher.js'
import type { Act } from './steps.js'
import { traced, type Call } from './strace.js'

const version = { module: 'example.com/m', version: 'v1.0.0' }
const ACTS: Act[] = [
  { op: 'publish', ...version },
  { op: 'delete', ...version },
]

/** The calls of a publish and a delete. */
async function callsOf(data: string): Promise<Call[]> {
  const publisher = await startPublisher(data)
  const calls = await traced(publisher.thread, data, [], async () => {
    for (const act of ACTS) await publisher.act(act)
  })
  await publisher.end()
  return calls
}

const about = (calls: Call[]): string[] =>
  calls.filter(({ on }) => on.includes('sumdb')).map(({ name, on }) => `${name} ${on}`)
const syncsOfVersions = (calls: Call[]): number =>
  calls.filter(({ name, on }) => name === 'fsync' && on.includes('/@v>')).length

t.test('without a database a publish and a delete make no call for it', needs('strace'), async (t) => {
  const data = await newData({ fast: true })
  const without = await callsOf(data)
  t.ok(without.length > 100)
  t.same(about(without), [])
  t.equal(syncsOfVersions(without), 1, 'the claim goes to the disk with the other names')

  await makeDatabase(data)
  const beside = await callsOf(data)
  t.not(about(beside).length, 0, 'one that there is would be seen')
  t.equal(syncsOfVersions(beside), 2)
})

t.test('a start looks once whether there are any', needs('strace'), async (t) => {
  const data = await newData({ fast: true })
  const log = join(tempFolder(), 'log')
  const service = runService(data, {}, ['strace', '-f', '-o', log, '-e', 'trace=%file'])
  await service.ready()
  // strace lets nothing end it
  process.kill(Number(/"event":"ready","pid":(\d+)/.exec(service.log())?.[1]), 'SIGTERM')
  await service.ended
  const calls = readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line.includes(`${data}/`) && line.includes('sumdb'))
  t.same(
    calls.map((line) => /(\w+)\(.*"(?:.*\/)?(state\/[^"]*)"/.exec(line)?.slice(1)),
    [['openat', 'state/sumdb']],
  )
})
