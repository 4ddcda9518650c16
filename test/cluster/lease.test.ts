// A machine that was cut off from the shared folder notices it, by an error or by the silence, and no other machine does.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Lease, watchLease } from '../../src/cluster/lease.js'
import { memoryFolder, tempFolder } from '../support/temp-folder.js'
import { until } from '../support/until.js'

/** A lease of two seconds, in memory, whose holder is asked by `isHolder`, and why it was lost. */
async function held(isHolder: () => Promise<boolean>, path = join(memoryFolder(), 'alive')) {
  const lost: string[] = []
  const lease = new Lease({ path, seconds: 2, isHolder }, (reason) => lost.push(reason))
  await lease.start()
  return { lease, lost, path }
}

t.test('a lease is renewed, and nothing is lost', async (t) => {
  let asked = 0
  const { lease, lost, path } = await held(async () => ++asked > 0)
  const first = readFileSync(path, 'utf8')
  t.match(first, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\n$/)
  await until(() => asked > 15) // longer than the lease holds
  t.not(readFileSync(path, 'utf8'), first)
  t.same(lost, [])
  await lease.end()
  t.notOk(existsSync(path), 'who ends in order leaves none')
})

t.test('a folder that answers nothing is lost once', async (t) => {
  let asked = 0
  const { lost } = await held(() => {
    asked++
    return new Promise(() => {})
  })
  await until(() => lost.length > 0)
  t.same(lost, ['the data folder has not answered for 2 s'])
  t.equal(asked, 1, 'a call that hangs is not made a second time')
})

t.test('a folder that another process has taken is lost', async (t) => {
  const { lost } = await held(async () => false)
  await until(() => lost.length > 0)
  t.same(lost, ['another process has taken the data folder'])
})

t.test('an error of a folder that is gone loses the lease, another one does not', async (t) => {
  let [code, asked] = ['ENOSPC', 0]
  const { lease, lost } = await held(() => {
    asked++
    return Promise.reject(Object.assign(new Error(`it says ${code}`), { code }))
  })
  await until(() => asked > 12) // longer than the lease holds
  t.same(lost, [], 'a full disk is still ours')
  code = 'ESHUTDOWN'
  await until(() => lost.length > 0)
  t.same(lost, ['the data folder is gone: it says ESHUTDOWN'])
  lease.stop()
})

t.test('a lease that cannot be written is none', async (t) => {
  const folder = tempFolder()
  mkdirSync(join(folder, 'alive'))
  await t.rejects(
    held(async () => true, join(folder, 'alive')),
    { code: 'EISDIR' },
  )
  rmSync(join(folder, 'alive'), { recursive: true })
  writeFileSync(join(folder, 'alive'), 'something that is longer than a time, and is of another program\n')
  const { lease, path } = await held(async () => true, join(folder, 'alive'))
  t.match(readFileSync(path, 'utf8'), /^[\dT:.-]{23}Z\n$/)
  lease.stop()
})

t.test('a standby tells once that the active service shows no life, and anew when it did', async (t) => {
  const path = join(memoryFolder(), 'alive')
  let told = 0
  const end = watchLease(path, 0.05, () => told++)
  t.teardown(end)
  writeFileSync(path, 'one')
  await until(() => told === 1)
  writeFileSync(path, 'two')
  await until(() => told === 2)
})
