import type { FileHandle } from 'node:fs/promises'
import t from 'tap'
import { keepsTimes, syncWithTime } from '../../src/store/lasting-time.js'

const TIME = new Date('2026-01-02T03:04:05Z')
const WRITTEN = new Date('2026-11-29T00:00:00Z')

/** A file on a disk that loses the first `losses` times, when it is synced; with the calls on it. */
function fileThatLoses(losses: number) {
  const calls: string[] = []
  let mtime = WRITTEN
  let left = losses
  const handle = {
    utimes: async (_: Date, time: Date) => {
      calls.push('utimes')
      mtime = time
    },
    sync: async () => {
      calls.push('sync')
      if (mtime !== WRITTEN && left-- > 0) mtime = WRITTEN
    },
    stat: async () => {
      calls.push('stat')
      return { mtime: new Date(mtime.getTime() + 999) } // finer than what counts
    },
  }
  return { calls, handle: handle as unknown as FileHandle }
}

for (const [what, isKept, losses, expected] of [
  ['of one machine', true, 0, 'utimes sync stat'],
  ['of several machines: the bytes come first', false, 0, 'sync utimes sync stat'],
  ['that lost a time: it is set again', true, 2, 'utimes sync stat utimes sync stat utimes sync stat'],
] as const)
  t.test(`a time on a file system ${what}`, async (t) => {
    const { calls, handle } = fileThatLoses(losses)
    await syncWithTime(handle, TIME, isKept)
    t.equal(calls.join(' '), expected)
  })

t.test('a file system that keeps no time is named, after some attempts', async (t) => {
  const { calls, handle } = fileThatLoses(Infinity)
  await t.rejects(syncWithTime(handle, TIME, false), {
    message: /does not keep the time of a file: 2026-01-02T03:04:05.000Z was set 5 times, and 2026-11-29T/,
  })
  t.equal(calls.filter((call) => call === 'utimes').length, 5)
})

t.test('disks keep times, network file systems may not, nor what nobody knows', async (t) => {
  t.ok(keepsTimes(0xef53), 'ext4')
  for (const type of [0x00c36400, 0x65735546, 0x6969, 0]) t.notOk(keepsTimes(type), type.toString(16))
})
