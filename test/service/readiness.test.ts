import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Journal } from '../../src/packages/journal.js'
import type { OwnerViews } from '../../src/packages/owner-views.js'
import { Readiness } from '../../src/service/readiness.js'
import type { FreeSpace } from '../../src/store/free-space.js'
import { signLock } from '../../src/store/lock.js'
import type { Store } from '../../src/store/store.js'
import { memoryFolder } from '../support/temp-folder.js'

const FREE = { bytes: 2 ** 30, floor: 2 ** 20, inodes: 1000 as number | undefined }

/** A service where all is well, but for what is `given`. */
function made(given: {
  probe?: () => Promise<void>
  free?: () => Promise<typeof FREE>
  unsettled?: number
  behindMs?: number
}) {
  const data = memoryFolder()
  mkdirSync(join(data, 'state'))
  writeFileSync(join(data, 'state/lock'), '')
  signLock(data)
  const looked = {
    config: { data },
    store: { probe: given.probe ?? (async () => {}) } as Store,
    freeSpace: { free: given.free ?? (async () => FREE) } as FreeSpace,
    journal: { unsettled: given.unsettled ?? 0 } as Journal,
    ownerViews: { behindMs: given.behindMs ?? 0 } as OwnerViews,
  }
  return { data, readiness: new Readiness(looked, 20) }
}

const fails = (code: string) => async () => {
  throw Object.assign(new Error(`${code}: /srv/data/state/tmp/x`), { code })
}

t.test('each thing that can be wrong is said, and the others are well', async (t) => {
  const table: [what: string, given: Parameters<typeof made>[0], name: string, reason: string | RegExp][] = [
    ['below the floor', { free: async () => ({ ...FREE, bytes: 2 ** 20 - 1 }) }, 'disk', /less is free/],
    ['no inode', { free: async () => ({ ...FREE, inodes: 0 }) }, 'disk', /no inode/],
    ['not writable', { probe: fails('EROFS') }, 'disk', 'it cannot be checked (EROFS)'],
    ['the disk fails', { free: fails('EIO') }, 'disk', 'it cannot be checked (EIO)'],
    ['the disk hangs', { probe: () => new Promise(() => {}) }, 'disk', 'no answer within 0.02 s'],
    ['half-done', { unsettled: 2 }, 'journal', /^2 half-done operations/],
    ['behind', { behindMs: 61_000 }, 'views', 'pages and JSON are 61 s behind'],
  ]
  for (const [what, given, name, reason] of table) {
    const { ready, checks } = await made(given).readiness.report()
    t.equal(ready, false, what)
    t.match(checks, [{ name: 'lock' }, { name: 'disk' }, { name: 'journal' }, { name: 'views' }])
    for (const check of checks)
      t.match(check, check.name === name ? { ok: false, reason } : { ok: true }, `${what}: ${check.name}`)
  }
  const well = made({ behindMs: 59_000, free: async () => ({ ...FREE, inodes: undefined }) })
  t.same((await well.readiness.report()).ready, true, 'all is well')
})

t.test('the lock of another process, or none', async (t) => {
  for (const text of ['pid 1 on other', '']) {
    const { data, readiness } = made({})
    writeFileSync(join(data, 'state/lock'), text)
    t.match((await readiness.report()).checks[0], { name: 'lock', ok: false, reason: /has taken/ })
  }
})

t.test('who asks at the same time, or soon after, gets the same answer', async (t) => {
  let probes = 0
  const { readiness } = made({ probe: async () => void probes++ })
  const [one, two] = await Promise.all([readiness.report(), readiness.report()])
  t.equal(one, two)
  t.equal(probes, 1)
})

t.test('a check that hangs is not begun a second time, and its end is heard', async (t) => {
  let probes = 0
  let goOn = (): void => {}
  const { readiness } = made({
    probe: () => {
      probes++
      return new Promise((resolve) => (goOn = resolve))
    },
  })
  const { performance } = globalThis
  const { now } = performance
  let passed = 0
  t.teardown(() => (performance.now = now))
  performance.now = () => now.call(performance) + passed
  t.equal((await readiness.report()).ready, false)
  passed += 2000
  t.equal((await readiness.report()).ready, false)
  t.equal(probes, 1, 'one write hangs, and not two')
  goOn()
  passed += 2000
  await new Promise(setImmediate)
  const third = readiness.report()
  await new Promise(setImmediate)
  goOn()
  t.equal((await third).ready, true)
})
