import { mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { addAccount, changeAccount, removeAccount } from '../../src/access/accounts.js'
import { deriveAccess } from '../../src/access/derive.js'
import { readAccounts } from '../../src/access/files.js'
import { AccessKeeper } from '../../src/access/keeper.js'
import { KnownAccounts } from '../../src/access/known-accounts.js'
import { accountText, type Account, type Credentials } from '../../src/access/rights.js'
import { hashToken, tokenHint, tokenMatches } from '../../src/access/token.js'
import { accountFile, folders } from '../../src/layout.js'
import { Store } from '../../src/store/store.js'
import { withMethods } from '../support/parts.js'
import { memoryFolder } from '../support/temp-folder.js'

const NO_RIGHTS = { admin: false, read: [], write: [] }
const YEAR_MS = 365 * 24 * 3600 * 1000
const free = (): void => {}
const account = (name: string, more: Partial<Account> = {}): Account => ({
  name,
  hash: hashToken(`token-of-${name}`),
  hint: tokenHint(`token-of-${name}`),
  ...NO_RIGHTS,
  created: '2026-01-01T00:00:00.000Z',
  ...more,
})
const old = (name: string): Account => {
  const { hint: _, ...others } = account(name)
  return others
}

/**
 * A data folder with these accounts, and what is asked of it. `aged`: the files look as if they had changed an hour
 * ago, so that they can be trusted at once.
 */
async function make(accounts: readonly Account[], { aged = true } = {}) {
  const real = new Store(memoryFolder())
  await real.prepare()
  for (const one of accounts) writeFileSync(real.at(accountFile(one.name)), accountText(one))
  const seen = { read: [] as string[], status: 0, compared: [] as string[] }
  const counting: Partial<Store> = {
    read: (path) => {
      seen.read.push(path)
      return real.read(path)
    },
    status: async (path) => {
      seen.status++
      const status = await real.status(path)
      if (aged && status) status.ctimeMs -= 3600_000
      return status
    },
  }
  const store = withMethods(real, counting)
  const known = new KnownAccounts(store, (hash, token) => {
    seen.compared.push(hash)
    return tokenMatches(hash, token)
  })
  const find = async (credentials: Credentials, charge = free) => {
    const { account: found, claimed } = await known.authenticate(credentials, charge)
    return { found: found?.name, claimed }
  }
  const forget = (): void => void Object.assign(seen, { read: [], status: 0, compared: [] })
  return { real, store, seen, known, find, forget }
}

const many = (count: number, makeOne = account): Account[] =>
  Array.from({ length: count }, (_, i) => makeOne(`a${String(i).padStart(4, '0')}`))

t.test('whose credentials they are, with hints and without', async (t) => {
  const expired = { expires: new Date(Date.now() - YEAR_MS).toISOString() }
  const table: [credentials: Credentials, found: string | undefined, claimed: string | undefined][] = [
    [{ account: 'a', token: 'token-of-a' }, 'a', 'a'],
    [{ account: 'd', token: 'token-of-d' }, 'd', 'd'],
    [{ token: 'token-of-c' }, 'c', undefined],
    [{ account: 'a', token: 'token-of-d' }, undefined, 'a'],
    [{ account: 'a', token: 'wrong' }, undefined, 'a'],
    [{ account: 'nobody', token: 'token-of-a' }, 'a', undefined],
    [{ account: 'nobody', token: 'wrong' }, undefined, undefined],
    [{ account: '', token: 'token-of-a' }, 'a', undefined],
    [{ account: '../accounts/a', token: 'token-of-a' }, 'a', undefined],
    [{ account: 'nobody', token: 'token-of-b' }, undefined, undefined],
    [{ account: 'b', token: 'token-of-b' }, undefined, 'b'],
    [{ token: 'token-of-b' }, undefined, undefined],
    [{ token: '' }, undefined, undefined],
    [{ token: 'x'.repeat(8000) }, undefined, undefined],
  ]
  for (const makeOne of [account, old]) {
    const { find } = await make(
      ['a', 'b', 'c', 'd'].map((name) => ({ ...makeOne(name), ...(name === 'b' && expired) })),
    )
    for (const round of [1, 2])
      for (const [credentials, found, claimed] of table)
        t.same(
          await find(credentials),
          { found, claimed },
          `${JSON.stringify(credentials).slice(0, 60)} ${round}`,
        )
  }
})

t.test('with 300 accounts a request reads no file and compares one hash, a wrong one two', async (t) => {
  const { find, known, seen, forget } = await make(many(300))
  await known.all()
  t.equal(seen.read.length, 300, 'each once')
  const table: [what: string, credentials: Credentials, hashes: number][] = [
    ['right', { account: 'a0123', token: 'token-of-a0123' }, 1],
    // whose token is it?
    ['wrong', { account: 'a0123', token: 'wrong' }, 2],
    ["another's", { account: 'a0123', token: 'token-of-a0299' }, 2],
    ['no such account', { account: 'nobody', token: 'wrong' }, 2],
    ['right token with any name', { account: 'nobody', token: 'token-of-a0299' }, 2],
    ['right token alone', { token: 'token-of-a0299' }, 1],
    ['wrong token alone', { token: 'wrong' }, 1],
  ]
  for (const [what, credentials, hashes] of table) {
    forget()
    await find(credentials, () => t.fail(`${what}: charged`))
    t.same(seen.read, [], what)
    t.equal(seen.compared.length, hashes, what)
    t.equal(seen.status, hashes, what)
  }
})

t.test('tokens of earlier versions alone are compared in turns, until they were right once', async (t) => {
  const { find, known, seen, forget } = await make([...many(30, old), account('new')])
  await known.all()
  let charged = 0
  const charge = (): void => void charged++
  forget()
  t.same(await find({ token: 'wrong' }, charge), { found: undefined, claimed: undefined })
  t.equal(new Set(seen.compared).size, 31, 'each and nobody; the one with a hint not')
  t.equal(charged, 1)
  t.same(await find({ token: 'token-of-a0007' }, charge), { found: 'a0007', claimed: undefined })
  t.equal(charged, 2)
  forget()
  t.same(await find({ token: 'token-of-a0007' }, charge), { found: 'a0007', claimed: undefined })
  t.same(await find({ account: 'a0008', token: 'token-of-a0008' }, charge), {
    found: 'a0008',
    claimed: 'a0008',
  })
  t.same(await find({ token: 'token-of-a0008' }, charge), { found: 'a0008', claimed: undefined })
  t.equal(charged, 2)
  t.equal(seen.compared.length, 3)
  t.same(seen.read, [])
})

t.test('who asks for too much is refused before the work', async (t) => {
  const { find, known, seen, forget } = await make(many(30, old))
  await known.all()
  forget()
  const refusal = new Error('too many wrong credentials')
  await t.rejects(
    find({ token: 'token-of-a0007' }, () => {
      throw refusal
    }),
    refusal,
  )
  t.equal(seen.compared.length, 1, 'that of nobody')
  const asked = await Promise.allSettled(Array.from({ length: 100 }, () => find({ token: 'wrong' })))
  const refused = asked.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))
  t.equal(refused.length, 92)
  t.match(refused[0], { status: 429, headers: { 'Retry-After': '2' } })
  t.match(await find({ account: 'a0007', token: 'token-of-a0007' }, () => t.fail('charged')), {
    found: 'a0007',
  })
  t.match(await find({ token: 'token-of-a0009' }), { found: 'a0009' }, 'and afterwards it goes on')
})

t.test('a change counts from the next request on, whatever the clock says', async (t) => {
  const { real, known, find } = await make([old('a')], { aged: false })
  await known.all()
  let token = 'token-of-a'
  for (let i = 0; i < 30; i++) {
    t.match(await find({ account: 'a', token }), { found: 'a' })
    t.match(await find({ token }), { found: 'a' })
    const next = `token-${i}`
    const changed = { ...account('a'), hash: hashToken(next), hint: tokenHint(next) }
    await real.write(accountFile('a'), accountText(changed)) // as a command does, without a sync
    t.match(await find({ account: 'a', token }), { found: undefined, claimed: 'a' })
    t.match(await find({ token }), { found: undefined })
    token = next
  }
  await changeAccount(real, 'a', { token: 'rotated' })
  t.match(await find({ token: 'rotated' }), { found: 'a' })
  await changeAccount(real, 'a', { expires: new Date(Date.now() - 1).toISOString() })
  t.match(await find({ account: 'a', token: 'rotated' }), { found: undefined, claimed: 'a' })
  await changeAccount(real, 'a', { expires: null })
  t.match(await find({ account: 'a', token: 'rotated' }), { found: 'a' })
  await removeAccount(real, 'a')
  t.match(await find({ account: 'a', token: 'rotated' }), { found: undefined, claimed: undefined })
  t.match(await find({ token: 'rotated' }), { found: undefined })
  await addAccount(real, 'a', 'again', NO_RIGHTS)
  t.match(await find({ token: 'again' }), { found: 'a' })
})

t.test('a file that was just changed is read again, and another content in its place counts', async (t) => {
  const { real, find } = await make([account('a')], { aged: false })
  const path = real.at(accountFile('a'))
  const { mtime } = statSync(path)
  t.match(await find({ account: 'a', token: 'token-of-a' }), { found: 'a' })
  // The same inode and size, and as far as a clock of ticks can tell the same time.
  writeFileSync(path, accountText({ ...account('a'), hash: hashToken('else'), hint: tokenHint('else') }))
  utimesSync(path, mtime, mtime)
  t.match(await find({ account: 'a', token: 'token-of-a' }), { found: undefined })
  t.match(await find({ account: 'a', token: 'else' }), { found: 'a' })
})

t.test('after a change of one of 300 accounts one file is read', async (t) => {
  const { real, known, seen, find, forget } = await make(many(300))
  await known.all()
  forget()
  await addAccount(real, 'new', 'new token', NO_RIGHTS)
  t.match(await find({ token: 'new token' }), { found: 'new' })
  t.same(seen.read, [accountFile('new')])
  forget()
  await removeAccount(real, 'a0000')
  const { accounts } = await known.all()
  t.equal(accounts.length, 300)
  t.same(accounts, (await readAccounts(real)).accounts, 'the same as on the disk, in the same order')
  t.same(seen.read, [])
})

t.test('looks at the folder are shared, and one that began before a change does not count', async (t) => {
  const { real, known, seen, forget } = await make(many(100))
  await known.all()
  forget()
  await Promise.all(Array.from({ length: 50 }, () => known.all()))
  t.ok(seen.status <= 2 * 101, `${seen.status}: two looks`)
  const early = known.all()
  await addAccount(real, 'late', 'token', NO_RIGHTS)
  const late = known.all()
  await early
  t.ok((await late).accounts.some(({ name }) => name === 'late'))
})

t.test('tokens that nobody knows share a look after a change', async (t) => {
  const { find, known, seen, forget } = await make(many(50), { aged: false })
  await known.all()
  forget()
  await Promise.all(Array.from({ length: 8 }, (_, i) => find({ token: `wrong-${i}` })))
  t.ok(seen.read.length <= 100, `${seen.read.length}: two looks, not eight`)
})

t.test('a damaged file closes its account alone', async (t) => {
  const { real, known, find } = await make([account('a'), account('b'), account('c')])
  writeFileSync(real.at(accountFile('b')), '{')
  mkdirSync(real.at(accountFile('d')))
  const log: string[] = []
  const keeper = new AccessKeeper({
    store: real,
    accounts: known,
    log: (level, event, fields) => level === 'debug' || log.push(`${event}: ${fields?.['accounts']}`),
  })
  await keeper.start()
  await keeper.stop()
  t.same(log, ['damaged account: b, d'])
  t.same(await find({ account: 'b', token: 'token-of-b' }), { found: undefined, claimed: undefined })
  t.same(await find({ token: 'token-of-b' }), { found: undefined, claimed: undefined })
  t.match(await find({ token: 'token-of-c' }), { found: 'c' })
  await t.rejects(changeAccount(real, 'b', { expires: null }), /damaged/)
  writeFileSync(real.at(accountFile('b')), accountText(account('b')))
  t.match(await find({ account: 'b', token: 'token-of-b' }), { found: 'b' }, 'until it is mended')
})

t.test('nothing is kept of names and tokens that no account has', async (t) => {
  const { real } = await make([])
  const folder = await real.status(folders.accounts)
  if (folder) folder.ctimeMs -= 3600_000
  const status = async (path: string) => (path === folders.accounts ? folder : undefined)
  const empty = new KnownAccounts(withMethods(real, { status }), () => false)
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const ask = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++)
      await empty.authenticate({ account: `nobody-${i}`, token: `wrong-${i}` }, free)
  }
  // One collection leaves what others free only after it.
  const used = async (): Promise<number> => {
    for (let i = 0; i < 5; i++) {
      await new Promise(setImmediate)
      gc()
    }
    return process.memoryUsage().heapUsed
  }
  await ask(1000)
  const before = await used()
  await ask(50_000)
  const grown = (await used()) - before
  t.ok(grown < 2_000_000, `${grown} bytes`)
})

t.test('the hint is stored with a new token, and kept when the account changes', async (t) => {
  const { real } = await make([old('a')])
  const stored = (): unknown => (JSON.parse(readFileSync(real.at(accountFile('a')), 'utf8')) as Account).hint
  await changeAccount(real, 'a', { rights: { ...NO_RIGHTS, admin: true } })
  t.equal(stored(), undefined)
  await changeAccount(real, 'a', { token: 'new token' })
  t.equal(stored(), tokenHint('new token'))
  await changeAccount(real, 'a', { expires: null })
  t.equal(stored(), tokenHint('new token'))
  t.match(stored(), /^[0-9a-f]{8}$/)
})

t.test('deriving with what the service knows and with what is on the disk is the same', async (t) => {
  const { real, known } = await make([account('a', { admin: true }), account('b', { read: ['team'] })])
  await real.write('access/owners/team.json', '{"public":false}', { secret: true })
  await deriveAccess(real)
  const derived = readFileSync(real.at(`${folders.readers}/team`), 'utf8')
  await real.remove(`${folders.readers}/team`)
  await deriveAccess(real, () => known.all())
  t.equal(readFileSync(real.at(`${folders.readers}/team`), 'utf8'), derived)
})

t.test('an account whose file the disk could not read once is known at the next request', async (t) => {
  const real = new Store(memoryFolder())
  await real.prepare()
  for (const name of ['a', 'b']) writeFileSync(real.at(accountFile(name)), accountText(account(name)))
  let fails = false
  const aged = (store: Store): Store =>
    withMethods(store, {
      read: (path) =>
        fails && path === accountFile('a')
          ? Promise.reject(Object.assign(new Error('EIO: i/o error'), { code: 'EIO' }))
          : store.read(path),
      status: async (path) => {
        const status = await store.status(path)
        if (status) status.ctimeMs -= 3600_000 // as if it had not changed for an hour
        return status
      },
    })
  for (const credentials of [{ account: 'a', token: 'token-of-a' }, { token: 'token-of-a' }]) {
    const known = new KnownAccounts(aged(real))
    fails = true
    t.equal((await known.authenticate(credentials, free)).account, undefined)
    fails = false
    t.equal((await known.authenticate(credentials, free)).account?.name, 'a', JSON.stringify(credentials))
  }
})
