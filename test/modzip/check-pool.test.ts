import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test as Tap } from 'tap'
import { CheckPool } from '../../src/modzip/check-pool.js'
import { rawZip } from '../support/raw-zip.js'
import { tempFolder } from '../support/temp-folder.js'
import { until } from '../support/until.js'

const SCRIPT = new URL('../support/held-check.js', import.meta.url)

/** A pool whose threads hold each zip until it is let go. A zip's name begins with the letter of its account. */
function heldPool(t: Tap) {
  const folder = tempFolder()
  const pool = new CheckPool({ script: SCRIPT })
  t.teardown(() => pool.close())
  const path = (name: string): string => join(folder, name)
  return {
    read: (name: string, { size = 10, patient = false } = {}) => {
      writeFileSync(path(name), '')
      truncateSync(path(name), size)
      return pool.read(path(name), { account: name.charAt(0), patient })
    },
    letGo: (name: string) => writeFileSync(path(`${name}.go`), ''),
    /** Returns when a thread has sent its answer. Nothing of this process runs before, so it is not heard yet. */
    blockUntilSent: (name: string) => {
      while (!existsSync(path(`${name}.sent`)));
    },
    close: () => pool.close(),
    /** The lane of zips that nobody waits for. */
    patient: () => pool.figures.patient,
    /** Resolves when `count` zips wait for a thread: the pool looks at the size of each before. */
    queued: (count: number) => until(() => pool.figures.small.waiting === count),
    /** Names in the order in which their checks began. */
    begun: () =>
      readdirSync(folder)
        .filter((name) => name.endsWith('.begun'))
        .map((name) => ({ name: name.slice(0, -'.begun'.length), at: readFileSync(path(name), 'utf8') }))
        .sort((a, b) => (a.at < b.at ? -1 : 1))
        .map(({ name }) => name),
  }
}

const LARGE = { size: 5_000_000 }

for (const [lane, { size }] of [
  ['small', { size: 10 }],
  ['large', LARGE],
] as const)
  t.test(`${lane} zips of one account are checked one at a time, and others' go between`, async (t) => {
    const { read, letGo, begun } = heldPool(t)
    const bad = ['bad-1', 'bad-2', 'bad-3', 'bad-4'].map((name) => read(name, { size }))
    await until(() => begun().length > 0)
    const good = read('good-1', { size })
    letGo('good-1')
    t.ok((await good).ok === false, 'another account finds a thread while all zips of the first one hang')
    t.equal(begun().length, 2)
    for (const name of ['bad-1', 'bad-2', 'bad-3', 'bad-4']) letGo(name)
    await Promise.all(bad)
    t.equal(begun().length, 5)
  })

t.test('when accounts hold all threads, the next ones take turns', async (t) => {
  const { read, letGo, queued, begun } = heldPool(t)
  const accounts = ['a', 'b', 'c', 'd']
  const all = accounts.flatMap((account) => [1, 2, 3].map((i) => read(`${account}-${i}`)))
  await until(() => begun().length === accounts.length)
  const first = begun() // of one account, whichever was looked at first
  t.same(first.map((name) => name.charAt(0)).sort(), accounts)
  const good = [read('e-1'), read('e-2')]
  letGo('e-1')
  letGo('e-2')
  await queued(10) // two of each of the five accounts
  for (const name of first) letGo(name)
  await Promise.race(good)
  t.ok(begun().length < 12, 'the fifth account does not wait for what the others have waiting')
  for (const account of accounts) for (const i of [1, 2, 3]) letGo(`${account}-${i}`)
  await Promise.all([...all, ...good])
})

t.test('a zip that nobody waits for is in the way of none', async (t) => {
  const { read, letGo, begun } = heldPool(t)
  const patient = ['a-1', 'a-2'].map((name) => read(name, { patient: true }))
  await until(() => begun().length > 0)
  letGo('a-3')
  await read('a-3')
  for (const name of ['a-1', 'a-2']) letGo(name)
  await Promise.all(patient)
})

t.test('zips that nobody waits for are read on all processors, as long as no upload is', async (t) => {
  const { read, letGo, begun, patient } = heldPool(t)
  const most = availableParallelism()
  const names = Array.from({ length: most + 1 }, (_, i) => `a-${i}`)
  const all = [read('u-1')]
  await until(() => begun().length === 1)
  all.push(...names.map((name) => read(name, { patient: true })))
  await until(() => begun().length === 2)
  t.match(patient(), { running: 1, waiting: most }, 'one beside an upload')
  letGo('u-1')
  await all[0]
  letGo('a-0')
  await all[1]
  t.match(patient(), { running: most, waiting: 0 }, 'then one on each processor')
  for (const name of names) letGo(name)
  await Promise.all(all)
})

t.test('closing ends what is read and what waits, also while an answer is on its way', async (t) => {
  const { read, letGo, begun, queued, blockUntilSent, close } = heldPool(t)
  const sent = read('a-1')
  const held = read('b-1')
  await until(() => begun().length === 2)
  const waiting = read('a-2')
  const refused = t.rejects(waiting, /being stopped/, 'its turn does not come')
  const ended = t.rejects(held, /the checking thread ended/)
  await queued(1)
  letGo('a-1')
  blockUntilSent('a-1')
  await close()
  t.match(await sent, { ok: false, problems: [] }, 'what was answered is heard')
  await Promise.all([refused, ended])
  await t.rejects(read('c-1'), /being stopped/)
  t.equal(begun().length, 2)
})

t.test('a zip whose README takes all memory is read again with the README as it is', async (t) => {
  const folder = tempFolder()
  const pool = new CheckPool({ script: new URL('../support/forgetful-check.js', import.meta.url) })
  t.teardown(() => pool.close())
  const zip = join(folder, 'm.zip')
  writeFileSync(zip, '')
  const [mod, facts] = [join(folder, 'go.mod'), join(folder, 'facts.json')]
  t.strictSame(await pool.read(zip, { mod, facts }), { ok: false, problems: [{ rule: 'plain' }] })
  t.match(await pool.read(zip, {}), { unsure: true }, 'one of which nobody wants facts is too complex')
})

t.test('the pool reads many zips at once, and survives files that go away', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'plinth-pool-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const pool = new CheckPool()
  t.teardown(() => pool.close())
  const path = (i: number): string => join(folder, `${i}.zip`)
  for (let i = 0; i < 50; i++) {
    // every tenth is large enough for the other lane
    const content = Buffer.alloc(i % 10 === 0 ? 5_000_000 : 10, i)
    writeFileSync(path(i), rawZip([{ name: `example.com/m@v1.${i}.0/x`, content, method: 0 }]))
  }
  const readings = await Promise.all(Array.from({ length: 50 }, (_, i) => pool.read(path(i))))
  readings.forEach((reading, i) => t.equal(reading.ok && reading.zip.version, `v1.${i}.0`))

  await t.rejects(pool.read(join(folder, 'nothing.zip')), { code: 'ENOENT' })
  // gone between the look at its size and the thread's turn
  const late = Array.from({ length: 20 }, (_, i) =>
    pool.read(path(i)).catch((error: NodeJS.ErrnoException) => error.code),
  )
  for (let i = 0; i < 20; i++) rmSync(path(i))
  for (const result of await Promise.all(late))
    t.ok(result === 'ENOENT' || (typeof result === 'object' && result.ok))
  t.ok((await pool.read(path(30))).ok, 'and it still reads')
})
