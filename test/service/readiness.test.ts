import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { mock } from 'node:test'
import t from 'tap'
import type { Journal } from '../../src/packages/journal.js'
import type { OwnerViews } from '../../src/packages/owner-views.js'
import type { CertificateWatch } from '../../src/service/certificate-watch.js'
import type { ClockWatch } from '../../src/service/clock-watch.js'
import { Readiness } from '../../src/service/readiness.js'
import type { FreeSpace } from '../../src/store/free-space.js'
import { signLock } from '../../src/store/lock.js'
import type { Store } from '../../src/store/store.js'
import { memoryFolder } from '../support/temp-folder.js'

const FREE = { size: 2 ** 40, free: 2 ** 30, floor: 2 ** 20, promised: 0, inodesFree: 1000 }

/** A service where all is well, but for what is `given`. */
function made(given: {
  probe?: () => Promise<void>
  free?: () => Promise<typeof FREE>
  unsettled?: number
  behind?: number[]
  clock?: string
  certificate?: string | (() => string | undefined)
  checkMs?: number
}) {
  const data = memoryFolder()
  mkdirSync(join(data, 'state'))
  writeFileSync(join(data, 'state/lock'), '')
  signLock(data)
  const lines: object[] = []
  const looked = {
    log: (level: string, event: string, fields?: object) => void lines.push({ level, event, ...fields }),
    config: { data },
    store: { probe: given.probe ?? (async () => {}) } as Store,
    freeSpace: { figures: given.free ?? (async () => FREE) } as FreeSpace,
    journal: { unsettled: given.unsettled ?? 0 } as Journal,
    ownerViews: { behindSince: async () => given.behind?.map((ms) => Date.now() - ms) ?? [] } as OwnerViews,
    certificateWatch: {
      problem: async () =>
        typeof given.certificate === 'function' ? given.certificate() : given.certificate,
    } as CertificateWatch,
    clockWatch: { problem: () => given.clock } as ClockWatch,
  }
  return { data, lines, readiness: new Readiness(looked, given.checkMs ?? 60_000) }
}

const fails = (code: string) => async () => {
  throw Object.assign(new Error(`${code}: /srv/data/state/tmp/x`), { code })
}

t.test('each thing that can be wrong is said, and the others are well', async (t) => {
  const table: [what: string, given: Parameters<typeof made>[0], name: string, reason: string | RegExp][] = [
    ['below the floor', { free: async () => ({ ...FREE, free: 2 ** 20 - 1 }) }, 'disk', /less is free/],
    ['no inode', { free: async () => ({ ...FREE, inodesFree: 0 }) }, 'disk', /no inode/],
    ['not writable', { probe: fails('EROFS') }, 'disk', 'it cannot be checked (EROFS)'],
    ['the disk fails', { free: fails('EIO') }, 'disk', 'it cannot be checked (EIO)'],
    ['half-done', { unsettled: 2 }, 'journal', /^2 half-done operations/],
    ['a certificate', { certificate: 'it expired' }, 'certificate', 'it expired'],
    ['a clock', { clock: 'it was put back' }, 'clock', 'it was put back'],
    ['behind', { behind: [5, 61_000, 7] }, 'views', /^pages and JSON are \d+ s behind$/],
  ]
  for (const [what, given, name, reason] of table) {
    const { ready, checks } = await made(given).readiness.report()
    t.equal(ready, false, what)
    t.match(checks, [
      { name: 'lock' },
      { name: 'disk' },
      { name: 'journal' },
      { name: 'views' },
      { name: 'clock' },
      { name: 'certificate' },
    ])
    for (const check of checks)
      t.match(check, check.name === name ? { ok: false, reason } : { ok: true }, `${what}: ${check.name}`)
  }
  const well = made({ behind: [30_000] })
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

t.test('a check that hangs is late, not begun a second time, and its end is heard', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  const { now } = performance
  let passed = 0
  performance.now = () => now.call(performance) + passed
  t.teardown(() => {
    performance.now = now
    mock.timers.reset()
  })
  const pass = (ms: number): void => {
    passed += ms
    mock.timers.tick(ms)
  }

  let probes = 0
  let [goOn, begun] = [(): void => {}, (): void => {}]
  const probing = (): Promise<void> => new Promise((resolve) => (begun = resolve))
  const { readiness } = made({
    checkMs: 2000,
    probe: () => {
      probes++
      begun()
      return new Promise((resolve) => (goOn = resolve))
    },
  })
  for (const what of ['the first answer', 'the second']) {
    const probed = probes === 0 ? probing() : undefined
    const asked = readiness.report()
    await probed
    pass(2000)
    t.match((await asked).checks[1], { name: 'disk', ok: false, reason: 'no answer within 2 s' }, what)
    pass(2000)
  }
  t.equal(probes, 1, 'one write hangs, and not two')
  goOn()
  await new Promise(setImmediate)
  const probed = probing()
  const third = readiness.report()
  await probed
  goOn()
  t.match((await third).checks[1], { name: 'disk', ok: true })
})

t.test('the log tells once that a check fails, and once that it is over', async (t) => {
  let wrong: string | undefined
  const { now } = performance
  let passed = 0
  performance.now = () => now.call(performance) + passed
  t.teardown(() => void (performance.now = now))
  const disk = { probes: 0, fails: false }
  const { lines, readiness } = made({
    certificate: () => wrong,
    probe: async () => {
      disk.probes++
      if (disk.fails) await fails('EROFS')()
    },
  })
  /** What is logged by a look when the answer of before does not hold any more. */
  const logged = async (look: () => Promise<unknown>): Promise<object[]> => {
    passed += 10_000
    lines.length = 0
    await look()
    return [...lines]
  }
  const [look, report] = [() => readiness.look(), () => readiness.report()]
  t.same(await logged(look), [])
  t.equal(disk.probes, 0, 'nothing is written when nobody asks')

  wrong = 'the certificate expired'
  const begun = { level: 'warn', event: 'not ready', check: 'certificate', reason: wrong }
  t.same(await logged(look), [begun], 'nobody has asked')
  t.same(await logged(look), [], 'once')
  t.same(await logged(report), [])
  wrong = undefined
  t.match(await logged(look), [{ level: 'info', event: 'ready again', check: 'certificate', seconds: 30 }])
  t.same(await logged(look), [])

  disk.fails = true
  t.same(await logged(look), [], 'that can be seen by writing alone')
  t.match(await logged(report), [{ event: 'not ready', check: 'disk', reason: /EROFS/ }])
  t.same(await logged(look), [], 'what still fails is not taken for well')
  disk.fails = false
  t.match(await logged(look), [{ event: 'ready again', check: 'disk', seconds: 20 }])
})
