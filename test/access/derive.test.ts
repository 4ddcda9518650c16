import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { deriveAccess, deriveHoldingLock, isMarker, readersText } from '../../src/access/derive.js'
import { readAccounts } from '../../src/access/files.js'
import { addOwner } from '../../src/access/owners.js'
import { accountText, ownerText, type Account } from '../../src/access/rights.js'
import { Store } from '../../src/store/store.js'
import { withMethods } from '../support/parts.js'
import { memoryFolder } from '../support/temp-folder.js'

const NOON = Date.parse('2026-06-01T12:00:00.000Z')
const hashOf = (name: string): string => `{SSHA}${name.padEnd(48, 'A')}`
const account = (name: string, more: Partial<Account> = {}): Account => ({
  name,
  hash: hashOf(name),
  admin: false,
  read: [],
  write: [],
  created: '2026-01-01T00:00:00.000Z',
  ...more,
})
const lineOf = (name: string): string => `${name}:${hashOf(name)}\n`

/** A data folder with a private owner, a public one, and accounts of all kinds. */
async function make() {
  const data = memoryFolder()
  for (const folder of ['accounts', 'owners', 'public', 'readers'])
    mkdirSync(join(data, 'access', folder), { recursive: true, mode: 0o700 })
  for (const folder of ['tree', 'state/tmp']) mkdirSync(join(data, folder), { recursive: true })
  const store = new Store(data)
  const accounts = [
    account('root', { admin: true }),
    account('reader', { read: ['shut'] }),
    account('writer', { write: ['shut'] }),
    account('nobody'),
    account('brief', { read: ['shut'], expires: new Date(NOON).toISOString() }),
  ]
  for (const one of accounts)
    await store.write(`access/accounts/${one.name}.json`, accountText(one), { secret: true })
  for (const owner of [
    { name: 'shut', public: false },
    { name: 'open', public: true },
  ])
    await store.write(`access/owners/${owner.name}.json`, ownerText(owner), { secret: true })
  return {
    store,
    at: (path: string) => store.at(path),
    derive: async (now = NOON, on = store) => deriveHoldingLock(on, await readAccounts(on), now),
    readers: (owner: string) => readFileSync(store.at(`access/readers/${owner}`), 'utf8'),
    names: (folder: string) => readdirSync(store.at(`access/${folder}`)).sort(),
  }
}

const SHUT = ['reader', 'root', 'writer'].map(lineOf).join('')

t.test('who may read is told in a line, until it expires', async (t) => {
  const one = account('a', { read: ['x'], expires: new Date(NOON).toISOString() })
  const table: [what: string, accounts: Account[], owner: string, now: number, text: string][] = [
    ['nobody', [], 'x', NOON, ''],
    ['a reader', [one], 'x', NOON - 1, lineOf('a')],
    ['a reader of another owner', [one], 'y', NOON - 1, ''],
    ['a reader whose time is over', [one], 'x', NOON, ''],
    ['a writer', [account('b', { write: ['x'] })], 'x', NOON, lineOf('b')],
    ['an admin', [account('c', { admin: true })], 'x', NOON, lineOf('c')],
    ['an admin whose time is over', [{ ...one, admin: true }], 'x', NOON, ''],
    [
      'several, in their order',
      [account('c', { admin: true }), one],
      'x',
      NOON - 1,
      lineOf('c') + lineOf('a'),
    ],
  ]
  for (const [what, accounts, owner, now, text] of table)
    t.equal(readersText(accounts, owner, now), text, what)
})

t.test('readers and markers come from the files of accounts and owners', async (t) => {
  const { store, at, derive, readers, names } = await make()
  await derive()
  t.equal(readers('shut'), SHUT)
  t.equal(readers('open'), lineOf('root'))
  t.same(names('readers'), ['open', 'shut'])
  t.same(names('public'), ['open'])
  t.ok(statSync(at('access/public/open')).isDirectory(), 'the marker leads to a folder')
  t.ok(await isMarker(store, 'open'))
  t.notOk(await isMarker(store, 'shut'))
  await derive(NOON - 1)
  t.equal(readers('shut'), ['brief', 'reader', 'root', 'writer'].map(lineOf).join(''))
})

t.test('whatever is wrong is put right, and a second time changes nothing', async (t) => {
  const table: [what: string, damage: (at: (path: string) => string) => void][] = [
    [
      'readers of an owner that is not declared',
      (at) => writeFileSync(at('access/readers/gone'), lineOf('x')),
    ],
    [
      'a folder in the place of readers',
      (at) => replace(at('access/readers/shut'), (path) => mkdirSync(path)),
    ],
    [
      'a link in the place of readers',
      (at) => replace(at('access/readers/shut'), (path) => symlinkSync('open', path)),
    ],
    ['other readers', (at) => writeFileSync(at('access/readers/shut'), lineOf('x'))],
    ['readers that all may read', (at) => chmodSync(at('access/readers/shut'), 0o644)],
    ['no readers', (at) => rmSync(at('access/readers/shut'))],
    [
      'a marker of a private owner',
      (at) => symlinkSync('../../tree/api/packages/shut', at('access/public/shut')),
    ],
    ['a marker of an owner that is not declared', (at) => symlinkSync('x', at('access/public/gone'))],
    [
      'a marker that leads elsewhere',
      (at) => replace(at('access/public/open'), (path) => symlinkSync('/etc', path)),
    ],
    [
      'a file in the place of a marker',
      (at) => replace(at('access/public/open'), (path) => writeFileSync(path, '')),
    ],
    [
      'a folder in the place of a marker',
      (at) => replace(at('access/public/open'), (path) => mkdirSync(join(path, 'x'), { recursive: true })),
    ],
    ['no marker', (at) => rmSync(at('access/public/open'))],
    ['no folder behind the marker', (at) => rmSync(at('tree/api/packages/open'), { recursive: true })],
    ['a public folder that is shut', (at) => chmodSync(at('tree/api/packages/open'), 0o700)],
    ['a private folder that is open', (at) => chmodSync(at('tree/api/packages/shut'), 0o755)],
    ['no folder of a private owner', (at) => rmSync(at('tree/api/packages/shut'), { recursive: true })],
    ['an open folder that nobody declared', (at) => mkdirSync(at('tree/api/packages/gone'))],
    ['a file among the owners', (at) => writeFileSync(at('tree/api/packages/file'), '')],
    ['a link among the owners', (at) => symlinkSync('/usr', at('tree/api/packages/link'))],
  ]
  for (const [what, damage] of table) {
    const { store, at, derive, readers, names } = await make()
    await derive()
    damage(at)
    await derive()
    t.same(names('readers'), ['open', 'shut'], what)
    t.same(names('public'), ['open'], what)
    t.equal(readers('shut'), SHUT, what)
    t.equal(statSync(at('access/readers/shut')).mode & 0o777, 0o600, what)
    t.ok(await isMarker(store, 'open'), what)
    for (const [owner, mode] of [
      ['open', 0o755],
      ['shut', 0o700],
      ['gone', 0o700],
      ['file', 0o644],
    ] as const) {
      const status = statSync(at(`tree/api/packages/${owner}`), { throwIfNoEntry: false })
      if (status || owner === 'open' || owner === 'shut')
        t.equal((status?.mode ?? 0) & 0o777, mode, `${what}: ${owner}`)
    }
    const before = statSync(at('access/readers/shut')).ino
    await derive()
    t.equal(statSync(at('access/readers/shut')).ino, before, `${what}: not written again`)
  }
})

t.test('an upload to an owner whose folder was removed makes it again, and opens it to nobody', async (t) => {
  const { store, at, derive } = await make()
  await derive()
  for (const [owner, mode] of [
    ['open', 0o755],
    ['shut', 0o700],
  ] as const) {
    await store.claim(await newFile(store), `tree/api/packages/${owner}/generic/tool/1.0/before`)
    rmSync(at(`tree/api/packages/${owner}`), { recursive: true })
    t.ok(await store.claim(await newFile(store), `tree/api/packages/${owner}/generic/tool/1.0/after`))
    t.equal(statSync(at(`tree/api/packages/${owner}`)).mode & 0o777, mode, owner)
    t.equal(statSync(at(`tree/api/packages/${owner}/generic`)).mode & 0o777, 0o755, 'in it nothing changes')
  }
})

const newFile = async (store: Store): Promise<string> => (await store.stage('x')).temp

const replace = (path: string, make: (path: string) => void): void => {
  rmSync(path, { recursive: true })
  make(path)
}

t.test("nginx's workers enter what is not public by their group", async (t) => {
  const { at, derive } = await make()
  const isRoot = process.getuid?.() === 0
  const gid = isRoot ? 65_534 : (process.getgid?.() ?? 0)
  chownSync(at('access/readers'), process.getuid?.() ?? 0, gid)
  chmodSync(at('access/readers'), 0o750)
  await derive()
  const shut = statSync(at('tree/api/packages/shut'))
  t.same([shut.mode & 0o777, shut.gid], [0o750, gid])
  t.equal(statSync(at('tree/api/packages/open')).mode & 0o777, 0o755)
})

t.test('a private owner has a shut folder before it is declared', async (t) => {
  const { store, at } = await make()
  const cut: Partial<Store> = { write: () => Promise.reject(new Error('the process dies here')) }
  await t.rejects(addOwner(withMethods(store, cut), { name: 'new', public: false }), /dies here/)
  t.equal(statSync(at('tree/api/packages/new')).mode & 0o777, 0o700)
})

t.test('what is damaged closes', async (t) => {
  const table: [what: string, path: string, content: string, readers: string, markers: string[]][] = [
    ['an account', 'access/accounts/reader.json', '{', ['root', 'writer'].map(lineOf).join(''), ['open']],
    ['an owner', 'access/owners/open.json', '{', SHUT, []],
    [
      'no account of ours',
      'access/accounts/.json',
      accountText(account('x', { admin: true })),
      SHUT,
      ['open'],
    ],
  ]
  for (const [what, path, content, expected, markers] of table) {
    const { at, derive, readers, names } = await make()
    await derive()
    writeFileSync(at(path), content)
    await derive()
    t.equal(readers('shut'), expected, what)
    t.same(names('public'), markers, what)
  }
})

t.test('what closes comes before what opens', async (t) => {
  const { store, at, derive, names } = await make()
  await derive()
  await store.write('access/owners/shut.json', ownerText({ name: 'shut', public: true }))
  await store.write('access/owners/open.json', ownerText({ name: 'open', public: false }))
  await store.remove('access/accounts/reader.json')
  const cut: Partial<Store> = { symlinkOver: () => Promise.reject(new Error('the process dies here')) }
  await t.rejects(derive(NOON, withMethods(store, cut)), /dies here/)
  t.same(names('public'), [], 'one is closed, the other is not open yet')
  t.notMatch(readFileSync(at('access/readers/shut'), 'utf8'), 'reader:')
  await derive()
  t.same(names('public'), ['shut'])
  t.equal(readlinkSync(at('access/public/shut')), '../../tree/api/packages/shut')
})

t.test('readers that cannot be written are none', async (t) => {
  const { store, at, derive } = await make()
  await derive()
  await store.remove('access/accounts/reader.json')
  const full: Partial<Store> = { write: () => Promise.reject(new Error('ENOSPC: no space left')) }
  await t.rejects(derive(NOON, withMethods(store, full)), /ENOSPC/)
  t.notOk(existsSync(at('access/readers/shut')), 'rather than somebody who may not any more')
})

t.test('without a data folder there is nothing to derive', async (t) => {
  const folder = join(memoryFolder(), 'none')
  await t.rejects(deriveAccess(new Store(folder)), {
    status: 404,
    message: /nothing in this data folder yet/,
  })
  t.notOk(existsSync(folder))
})
