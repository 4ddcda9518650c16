import { open } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { syncHandle, syncs, type SyncEvent } from '../../src/store/sync.js'
import { tempFolder } from '../support/temp-folder.js'

t.test('each sync is told to whoever listens, and nothing is timed for nobody', async (t) => {
  const folder = tempFolder()
  const file = await open(join(folder, 'x'), 'w')
  const events: SyncEvent[] = []
  const hear = (event: unknown): void => void events.push(event as SyncEvent)
  syncs.subscribe(hear)
  for (const of of ['file', 'folder', 'body'] as const) await syncHandle(file, of)
  await file.close()
  await t.rejects(syncHandle(file, 'file'), { code: 'EBADF' })
  t.same(
    events.map(({ of, failed }) => `${of} ${failed}`),
    ['file false', 'folder false', 'body false', 'file true'],
  )
  for (const { seconds } of events) t.ok(seconds >= 0 && seconds < 60)

  syncs.unsubscribe(hear)
  const { now } = performance
  let looks = 0
  performance.now = () => (looks++, now.call(performance))
  t.teardown(() => void (performance.now = now))
  const again = await open(join(folder, 'x'), 'w')
  await syncHandle(again, 'file')
  await again.close()
  t.equal(looks, 0)
  t.equal(events.length, 4)
})
