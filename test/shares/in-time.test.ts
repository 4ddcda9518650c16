// A wait that has an end.

import t from 'tap'
import { inTime } from '../../src/shares/in-time.js'

t.test('what comes first counts, and a rejection is passed on', async (t) => {
  const never = new Promise<string>(() => {})
  t.equal(await inTime(60_000, 'late', Promise.resolve('here')), 'here')
  t.equal(await inTime(1, 'late', never), 'late')
  await t.rejects(inTime(60_000, 'late', Promise.reject(new Error('no'))), { message: 'no' })
})

t.test('no timer is left: it would keep a process that has ended its work', async (t) => {
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const before = timers()
  await inTime(60_000, 'late', Promise.resolve())
  await inTime(60_000, 'late', Promise.reject(new Error('no'))).catch(() => {})
  t.equal(timers(), before)
})
