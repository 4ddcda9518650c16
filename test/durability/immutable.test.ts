// What the promise of an immutable owner costs in calls to the system: any other owner pays nothing for it.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ownerText } from '../../src/access/rights.js'
import { ownerFile } from '../../src/layout.js'
import { needs } from '../support/programs.js'
import { newData } from '../support/service.js'
import { startPublisher } from './publisher.js'
import type { Act } from './steps.js'
import { traced } from './strace.js'

const MODULE = { module: 'example.com/m', version: 'v1.0.0' }
const FILE = { name: 'tool', version: '1.0', file: 'a' }

t.test('calls for owners and tombstones', needs('strace'), async (t) => {
  const data = await newData({ fast: true })
  const publisher = await startPublisher(data)
  t.teardown(() => publisher.end())
  const file = `/${ownerFile('admin')}`
  /** The calls of an act on the owner's file, and on tombstones. */
  const callsOf = async (act: Act): Promise<string[]> => {
    const calls = await traced(publisher.thread, data, [], async () => {
      const answer = await publisher.act(act)
      if (answer !== 'done') throw new Error(answer)
    })
    return calls
      .filter(({ on }) => on.includes(file) || on.includes('/state/gone'))
      .map(({ name, on }) => `${name} ${on.includes(file) ? file : 'tombstone'}`)
  }
  const acts: Act[] = [
    { op: 'publish', ...MODULE },
    { op: 'delete', ...MODULE },
    { op: 'publish', ...FILE },
    { op: 'delete', ...FILE },
  ]
  for (const act of acts) await publisher.act(act) // the file is read once
  for (const act of acts) t.same(await callsOf(act), [`statx ${file}`], JSON.stringify(act))
  t.same(
    await callsOf({ op: 'publish', ...FILE }),
    [`statx ${file}`],
    'one look, as before anybody could be immutable',
  )
  await publisher.act({ op: 'delete', name: 'tool', version: '1.0' })

  writeFileSync(join(data, ownerFile('admin')), ownerText({ name: 'admin', public: true, immutable: true }))
  for (const act of acts) t.match(await callsOf(act), [`statx ${file}`], 'a change of the file is seen')
  for (const act of acts) {
    const calls = await callsOf(act)
    const [owner, ...others] = calls
    t.equal(owner, `statx ${file}`)
    t.ok(
      others.every((call) => call.endsWith(' tombstone')),
      calls.join(),
    )
    if (act.op === 'publish')
      t.equal(others.filter((call) => call.startsWith('openat')).length, 1, calls.join())
  }
})
