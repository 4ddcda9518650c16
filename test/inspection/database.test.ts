// What verify finds of a checksum database, and what rebuild mends, with a log that records and by reading alone.

import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { deriveAccess } from '../../src/access/derive.js'
import { addOwner } from '../../src/access/owners.js'
import { enableDatabase } from '../../src/go/enable-database.js'
import type { Fault } from '../../src/inspection/finding.js'
import { inspectTree, type Inspection } from '../../src/inspection/inspect.js'
import type { ChecksumLog } from '../../src/sumdb/log.js'
import { headText, newSigner, signatureOf, signerText } from '../../src/sumdb/note.js'
import type { Store } from '../../src/store/store.js'
import { openParts, withMethods } from '../support/parts.js'
import { memoryFolder } from '../support/temp-folder.js'

type Opened = Awaited<ReturnType<typeof openParts>>

const NEVER = new AbortController().signal
const NAME = 'sum.corp.example/team'
const DATABASE = `tree/api/packages/admin/go/sumdb/${NAME}`
const OTHER = 'tree/api/packages/admin/go/sumdb/sum.golang.org'
const STATE = 'state/sumdb/admin'
const MODULE = { owner: 'admin', module: 'corp.example/m', version: 'v1.0.0' }

const h1 = (nth: number): string => `h1:${Buffer.alloc(32, nth).toString('base64')}`
const sums = (nth: number) => ({ zip: h1(nth), mod: h1(nth + 1) })

async function inspect(parts: Opened, how: Partial<Inspection> = {}): Promise<Fault[]> {
  const faults: Fault[] = []
  let counted = 0
  for await (const event of inspectTree(parts, { mend: false, ...how }))
    if ('fault' in event) faults.push(event.fault)
    else counted = event.totals.faults
  if (counted !== faults.length) throw new Error(`${counted} faults were counted, ${faults.length} told`)
  return faults
}

const verifyAlone = async (data: string): Promise<Fault[]> =>
  inspect(await openParts(data), { noService: true })

const databaseOf = ({ databases }: Opened): ChecksumLog => {
  const log = databases.logOf('admin')
  if (!log) throw new Error('there is no log')
  return log
}

async function enable(parts: Opened, name = NAME): Promise<void> {
  for await (const _ of enableDatabase(parts, { owner: 'admin', name, dry: false }, NEVER));
}

/** Records what nobody published, up to `size` records, in groups of these sizes. */
async function grow(log: ChecksumLog, ...groups: number[]): Promise<void> {
  for (const group of groups) {
    const [size] = [log.size]
    const one = (nth: number): Promise<void> =>
      log.append({ module: `corp.example/A${(size + nth) % 7}`, version: `v0.0.${size + nth}` }, sums(nth))
    await Promise.all(Array.from({ length: group }, (_, nth) => one(nth)))
  }
}

/** A data folder with 2 modules and a database of 288 records, 32 of them after the first full tile. */
async function publish(): Promise<string> {
  const data = join(memoryFolder(), 'data')
  const parts = await openParts(data)
  await deriveAccess(parts.store)
  await parts.recover()
  await parts.publishModule('corp.example/m', 'v1.0.0')
  await enable(parts)
  await parts.publishModule('corp.example/m', 'v1.1.0')
  await grow(databaseOf(parts), 220, ...Array.from({ length: 40 }, () => 1), 5, 20)
  await parts.publishModule('corp.example/N', 'v0.1.0')
  await parts.ownerViews.settle()
  parts.ownerViews.stop()
  return data
}

let whole: Promise<string> | undefined
/** A copy of {@link publish}. */
async function published(): Promise<string> {
  const data = join(memoryFolder(), 'data')
  cpSync(await (whole ??= publish()), data, { recursive: true, preserveTimestamps: true })
  return data
}

const change = (path: string, at = -3): void => {
  const bytes = readFileSync(path)
  const place = at < 0 ? bytes.length + at : at
  bytes[place] = (bytes[place] ?? 0) ^ 1
  writeFileSync(path, bytes)
}

const LOOKUP = 'lookup/corp.example/m@v1.0.0'
/** The lookup of a record that grow() made. */
const lookup = (id: number): string => `lookup/corp.example/!a${id % 7}@v0.0.${id}`

/** What rebuild mends: below the database, how it is changed, and what is said. */
const DERIVED: [path: string, mutate: (path: string) => void, fault?: RegExp][] = [
  ['tile/8/0/000', (path) => change(path, 100)],
  ['tile/8/data/000', (path) => truncateSync(path, 500)],
  ['tile/8/0/001.p/6', rmSync, /missing/],
  ['tile/8/0/001.p/11', change],
  [
    'tile/8/0/001.p/32',
    (path) => {
      rmSync(path)
      mkdirSync(path)
    },
    /missing/,
  ],
  ['tile/8/1/000.p/1', change],
  ['tile/8/data/001.p/31', rmSync, /missing/],
  ['tile/8/data/001.p/32', change],
  [LOOKUP, rmSync, /missing/],
  [lookup(20), (path) => change(path, 50)],
  [lookup(21), (path) => writeFileSync(path, readFileSync(path, 'utf8').replace('21\n', '22\n'))],
  [lookup(22), change],
  [lookup(23), (path) => cpSync(join(dirname(path), '../..', lookup(30)), path)],
  [lookup(24), (path) => chmodSync(path, 0o600), /not everybody may read it/],
  [lookup(25), (path) => writeFileSync(path, '')],
  [`${lookup(26)}.x`, (path) => symlinkSync('x', path), /no record/],
  ['latest', (path) => writeFileSync(path, headOf(join(dirname(path), lookup(30))))],
  ['supported', rmSync, /missing/],
  ['lookup/corp.example/m@v9.9.9', (path) => cpSync(join(dirname(path), 'm@v1.1.0'), path), /no record/],
  ['lookup/notes.txt', (path) => writeFileSync(path, 'x'), /no record/],
  ['tile/8/0/002', (path) => writeFileSync(path, 'x'), /no record/],
  ['tile/8/0/001.p/33', (path) => writeFileSync(path, 'x'), /no record/],
  ['tile/8/0/000.p', mkdirSync, /no record/],
  ['tile/8/5', (path) => writeFileSync(path, 'x'), /no record/],
  ['notes.txt', (path) => writeFileSync(path, 'x'), /no record/],
]

const headOf = (path: string): string => readFileSync(path, 'utf8').replace(/^.*?\n\n/s, '')

/** What rebuild cannot mend: what is changed of the truth, and what is said where. */
const TRUTH: [what: string, mutate: (data: string) => void, fault: RegExp, at?: string][] = [
  [
    'a record was changed',
    (data) => change(join(data, STATE, 'records'), 70),
    /records are not those of the head/,
  ],
  [
    'a record was taken out',
    (data) => edit(join(data, STATE, 'records'), (text) => text.replace(/^.*?\n\n/s, '')),
    /sumdb recover admin/,
  ],
  [
    'the root of an old head was changed',
    (data) =>
      edit(join(data, STATE, 'heads'), (text) => text.replace(/ [A-Za-z0-9+/]{43}=/, ` ${h1(7).slice(3)}`)),
    /no signed head/,
  ],
  [
    'an old head has other bytes',
    (data) => edit(join(data, STATE, 'heads'), (text) => text.replace(/^1 \d+/, '1 20')),
    /says 20 bytes of records/,
  ],
  [
    'a line of the heads came twice',
    (data) => edit(join(data, STATE, 'heads'), (text) => text.replace(/^.*\n/, '$&$&')),
    /not longer than the one before/,
  ],
  [
    'the state is older than what was shown',
    (data) => edit(join(data, STATE, 'heads'), (text) => text.split('\n').slice(0, 6).join('\n') + '\n'),
    /it is older, restored from a backup perhaps/,
  ],
  [
    'the heads are gone',
    (data) => rmSync(join(data, STATE, 'heads')),
    /its records or its heads are missing/,
  ],
  [
    'another key',
    (data) => edit(join(data, STATE, 'key'), () => `${signerText(newSigner(NAME))}\n`),
    /damaged/,
  ],
  ['a damaged key', (data) => edit(join(data, STATE, 'key'), () => 'x'), /it is no key/, `${STATE}/key`],
  ['no key', (data) => rmSync(join(data, STATE, 'key')), /missing: nothing is recorded/, `${STATE}/key`],
  [
    'others can read the key',
    (data) => chmodSync(join(data, STATE, 'key'), 0o644),
    /others than the service's user/,
    `${STATE}/key`,
  ],
  ['others can enter', (data) => chmodSync(join(data, STATE), 0o755), /others than the service's user/],
  ['the database of another name', (data) => mkdirSync(join(data, OTHER)), /does not belong/, OTHER],
]

const edit = (path: string, to: (text: string) => string): void =>
  writeFileSync(path, to(readFileSync(path, 'latin1')))

t.test('verify names each file that is wrong, and rebuild mends what follows from the records', async (t) => {
  const data = await published()
  t.same(await verifyAlone(data), [], 'nothing is wrong with a database that nobody touched')
  const parts = await openParts(data)
  await parts.recover()
  for (const [path, mutate] of DERIVED) mutate(join(data, DATABASE, path))
  const wanted = DERIVED.map(([path, , fault = /not what follows from the records/]) => ({
    path: `${DATABASE}/${path}`,
    fault,
    byRebuild: true,
  }))
  const sorted = (faults: Fault[]): Fault[] => faults.sort((a, b) => position(a.path) - position(b.path))
  const position = (path: string): number => wanted.findIndex((one) => one.path === path)
  const names = (): number => readdirSync(data, { recursive: true }).length
  const before = names()
  t.match(sorted(await verifyAlone(data)), wanted, 'without a service')
  t.match(sorted(await inspect(parts)), wanted, 'with one')
  t.equal(names(), before, 'verify only reads')
  t.same(
    (await inspect(parts, { mend: true })).filter((one) => !one.mended),
    [],
  )
  t.same(await inspect(parts), [])
  t.same(await verifyAlone(data), [])
})

t.test('what is wrong with the truth is named, and rebuild leaves it as it is', async (t) => {
  const data = await published()
  const truth = (): string[] =>
    ['key', 'records', 'heads'].map((name) => {
      const path = join(data, STATE, name)
      return existsSync(path) ? readFileSync(path, 'base64') : ''
    })
  const aside = join(memoryFolder(), 'aside')
  cpSync(join(data, STATE), aside, { recursive: true })
  for (const [what, mutate, fault, at = STATE] of TRUTH)
    await t.test(what, async (t) => {
      mutate(data)
      const before = truth()
      t.match(await verifyAlone(data), [{ path: at, fault, byRebuild: false }])
      const parts = await openParts(data)
      await parts.recover()
      t.equal((await inspect(parts, { owner: 'admin', mend: true })).filter((one) => !one.mended).length, 1)
      t.same(truth(), before)
      rmSync(join(data, STATE), { recursive: true })
      cpSync(aside, join(data, STATE), { recursive: true })
      rmSync(join(data, OTHER), { recursive: true, force: true })
    })
  t.same(await verifyAlone(data), [])
})

t.test('all files of the tree are lost: rebuild writes what clients need', async (t) => {
  const data = await published()
  const folder = join(data, DATABASE)
  const files = (): string[] =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => !name.startsWith('tile/8/data/001.p/')) // older widths of it may be kept
      .sort()
  const before = files()
  const parts = await openParts(data)
  await parts.recover()
  rmSync(folder, { recursive: true })
  await inspect(parts, { mend: true })
  t.same(files(), before)
  const latest = readFileSync(join(folder, 'latest'), 'utf8')
  t.ok(readFileSync(join(folder, LOOKUP), 'utf8').endsWith(latest), 'a lookup has the last head')
  t.same(await inspect(parts), [])
  await grow(databaseOf(parts), 1, 3)
  t.same(await inspect(parts), [], 'an older head is right when the log has grown')
  t.same(await inspect(parts, { owner: 'admin' }), [])
})

t.test('after a rebuild all lookups have one head: it is looked for once, not once for each', async (t) => {
  const data = await published()
  const parts = await openParts(data)
  await parts.recover()
  rmSync(join(data, DATABASE, 'lookup'), { recursive: true })
  await inspect(parts, { mend: true })
  const { heads } = databaseOf(parts).truth
  let reads = 0
  const read = heads.read.bind(heads)
  heads.read = (from, to) => {
    reads++
    return read(from, to)
  }
  t.same(await inspect(parts, { owner: 'admin' }), [])
  t.ok(reads >= 1 && reads < 10, `${reads} reads of the heads for 288 lookups`)
})

t.test('a head that we signed and that is not on the timeline is found', async (t) => {
  const data = await published()
  const parts = await openParts(data)
  await parts.recover()
  const path = join(data, DATABASE, LOOKUP)
  const { signer } = databaseOf(parts)
  const [record] = /^.*?\n\n/s.exec(readFileSync(path, 'utf8')) ?? ['']
  for (const size of [1, 100, 280, 5000]) {
    const head = { size, root: Buffer.alloc(32, 1) }
    writeFileSync(path, record + headText(signer, head, signatureOf(signer, head)))
    t.match(await inspect(parts), [{ path: `${DATABASE}/${LOOKUP}` }], String(size))
  }
})

t.test('versions and their records', async (t) => {
  const data = await published()
  const parts = await openParts(data)
  await parts.recover()
  const log = databaseOf(parts)
  const path = `${DATABASE}/${LOOKUP}`
  const scope = { owner: 'admin', module: MODULE.module }

  await t.test('a lookup is lost: it is written again, and nothing is recorded twice', async (t) => {
    const { size } = log
    rmSync(join(data, path))
    t.match(await inspect(parts, scope), [{ path, fault: /its record is not/, byRebuild: true }])
    t.match(await inspect(parts, { mend: true, ...scope }), [{ mended: true }])
    t.equal(log.size, size)
    t.same(await inspect(parts), [])
  })

  await t.test('a version came without the service: it is recorded', async (t) => {
    const { size } = log
    const versions = join(data, 'tree/api/packages/admin/go/corp.example/m/@v')
    const other = join(memoryFolder(), 'other')
    const elsewhere = await openParts(other)
    await elsewhere.recover()
    await elsewhere.publishModule('corp.example/m', 'v1.2.0')
    elsewhere.ownerViews.stop()
    const zip = join(other, 'tree/api/packages/admin/go/corp.example/m/@v/v1.2.0.zip')
    cpSync(zip, join(versions, 'v1.2.0.zip'), { preserveTimestamps: true })
    const added = `${DATABASE}/lookup/corp.example/m@v1.2.0`
    t.match(
      (await inspect(parts)).filter((one) => one.path === added),
      [{ fault: /v1\.2\.0 is there, and its record is not/ }],
    )
    t.same(
      (await inspect(parts, { mend: true })).filter((one) => !one.mended),
      [],
    )
    t.equal(log.size, size + 1)
    t.same(await inspect(parts), [])
  })

  await t.test('a version has other content than is recorded: rebuild cannot mend it', async (t) => {
    await log.append({ module: 'corp.example/o', version: 'v1.0.0' }, sums(1))
    const versions = 'tree/api/packages/admin/go/corp.example/o/@v'
    await parts.databases.close('admin')
    await parts.publishModule('corp.example/o', 'v1.0.0')
    await parts.databases.open('admin')
    const at = `${DATABASE}/lookup/corp.example/o@v1.0.0`
    for (const mend of [false, true])
      t.match(await inspect(parts, { mend }), [
        {
          path: at,
          fault: /is recorded with h1:.* go refuses it/,
          mend: /delete .*sumdb rotate admin/,
          mended: false,
        },
      ])
    const sample = { share: 1e-9, seed: 'x' }
    t.match(await inspect(parts, { sample }), [{ path: at }], 'a sample knows it by the JSON of the version')
    t.match(await inspect(parts, { owner: 'admin', module: 'corp.example/o' }), [{ path: at }])
    await parts.modules.remove({ owner: 'admin', module: 'corp.example/o', version: 'v1.0.0' })
    t.notOk(existsSync(join(data, versions)))
    t.same(await inspect(parts), [], 'what is not there may be recorded')
  })

  await t.test('a record that came twice has one lookup', async (t) => {
    rmSync(join(data, path))
    const same = sumsOfRecord(data)
    await databaseOf(parts).append(MODULE, same)
    t.same(await inspect(parts), [])
  })
})

function sumsOfRecord(data: string): { zip: string; mod: string } {
  const records = readFileSync(join(data, STATE, 'records'), 'utf8')
  const [, zip = '', mod = ''] = /^corp\.example\/m v1\.0\.0 (\S+)\n\S+ \S+ (\S+)$/m.exec(records) ?? []
  return { zip, mod }
}

t.test('while the log grows nothing is found', async (t) => {
  for (const groups of [[1], [1, 1, 1, 1, 1], [250, 1]])
    await t.test(`by ${groups.join(', ')}`, async (t) => {
      const data = await published()
      let grown: Promise<void> | undefined
      // It grows when the first file of the database was looked at.
      const wrap = (store: Store): Store =>
        withMethods(store, {
          status: async (path) => {
            if (isInspecting && path.includes('/tile/8/'))
              await (grown ??= grow(databaseOf(parts), ...groups))
            return store.status(path)
          },
        })
      let isInspecting = false
      const parts = await openParts(data, wrap)
      await parts.recover()
      isInspecting = true
      t.same(await inspect(parts), [])
      t.equal(databaseOf(parts).size, 288 + groups.reduce((sum, each) => sum + each))
      t.same(await inspect(parts), [])
      t.same(await verifyAlone(data), [])
    })
})

t.test('databases that are not shown', async (t) => {
  const data = await published()
  const parts = await openParts(data)
  await parts.recover()
  const stopped = readFileSync(join(data, STATE, 'records'))

  await t.test('one of another owner, of a name above, and a file in its place', async (t) => {
    await addOwner(parts.store, { name: 'other', public: true })
    const stray = 'tree/api/packages/other/go/sumdb'
    mkdirSync(join(data, stray, 'x.example/lookup'), { recursive: true })
    t.match(await inspect(parts), [{ path: `${stray}/x.example`, fault: /does not belong/ }])
    rmSync(join(data, stray), { recursive: true })
    writeFileSync(join(data, stray), '')
    t.match(await inspect(parts), [{ path: stray, fault: /does not belong/ }])
    rmSync(join(data, stray))
    const old = join(data, STATE, 'before/1')
    mkdirSync(old, { recursive: true })
    writeFileSync(join(old, 'key'), `${signerText(newSigner('sum.corp.example'))}\n`)
    writeFileSync(join(dirname(join(data, DATABASE)), 'latest'), '')
    t.same(await inspect(parts), [], 'what has an earlier name may stay, also where the newer is below it')
    rmSync(join(data, STATE, 'before'), { recursive: true })
    rmSync(join(dirname(join(data, DATABASE)), 'latest'))
  })

  await t.test('a disabled one: its truth is held against itself, and versions are not', async (t) => {
    writeFileSync(join(data, STATE, 'status'), 'disabled\n')
    await parts.databases.close('admin')
    t.match(await inspect(parts), [
      { path: `tree/api/packages/admin/go/sumdb/sum.corp.example`, mend: /sumdb disable admin/ },
    ])
    renameSync(join(data, 'tree/api/packages/admin/go/sumdb'), join(data, '../aside'))
    t.same(await inspect(parts), [])
    change(join(data, STATE, 'records'), 70)
    t.match(await inspect(parts), [{ path: STATE, fault: /no head fits the records/ }])
    writeFileSync(join(data, STATE, 'records'), stopped)
    renameSync(join(data, '../aside'), join(data, 'tree/api/packages/admin/go/sumdb'))
    rmSync(join(data, STATE, 'status'))
  })

  await t.test('one that stopped says so, and how it is mended', async (t) => {
    writeFileSync(join(data, STATE, 'heads'), '')
    await parts.databases.open('admin')
    t.match(await inspect(parts), [
      { path: STATE, fault: /it records nothing: .*it is older/, mend: /sumdb recover admin/ },
    ])
  })

  await t.test('its owner is gone', async (t) => {
    rmSync(join(data, 'access/owners/admin.json'))
    const found = await inspect(parts)
    t.match(
      found.filter(({ path }) => path === STATE),
      [{ mend: /owner remove admin --with-packages/ }, {}],
    )
  })
})

t.test('a crash left the end of a commit', async (t) => {
  const data = await published()
  appendFileSync(join(data, STATE, 'records'), 'corp.example/')
  appendFileSync(join(data, STATE, 'heads'), '289 ')
  t.match(await verifyAlone(data), [
    { path: `${STATE}/records`, fault: /a crash left 13 bytes/, mend: /npm start/ },
    { path: `${STATE}/heads`, fault: /a crash left 4 bytes/ },
  ])
})
