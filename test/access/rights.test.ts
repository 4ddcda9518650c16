import t from 'tap'
import {
  accountText,
  isExpired,
  mayRead,
  mayWrite,
  ownerText,
  parseAccount,
  parseOwner,
  type Account,
} from '../../src/access/rights.js'
import { readersText } from '../../src/access/derive.js'
import { hashToken, tokenHint } from '../../src/access/token.js'

const account = (name: string, more: Partial<Account> = {}): Account => ({
  name,
  hash: hashToken(`token-of-${name}`),
  admin: false,
  read: [],
  write: [],
  created: '2026-01-01T00:00:00.000Z',
  ...more,
})

t.test('rights: writing implies reading, admin everything', async (t) => {
  const table: [what: string, rights: Partial<Account>, reads: boolean, writes: boolean][] = [
    ['no right', {}, false, false],
    ['right to another owner', { read: ['other'], write: ['other2'] }, false, false],
    ['right to an owner whose name begins alike', { read: ['team2'], write: ['tea'] }, false, false],
    ['read', { read: ['other', 'team'] }, true, false],
    ['write', { write: ['team'] }, true, true],
    ['admin', { admin: true }, true, true],
  ]
  for (const [what, rights, reads, writes] of table) {
    t.equal(mayRead(account('a', rights), 'team'), reads, what)
    t.equal(mayWrite(account('a', rights), 'team'), writes, what)
  }
})

t.test('an account is what was stored', async (t) => {
  for (const one of [
    account('a'),
    account('b', { expires: '2027-01-01T00:00:00.000Z', write: ['team'] }),
    account('c', { hint: tokenHint('token-of-c') }),
  ])
    t.same(parseAccount(one.name, accountText(one)), one)
})

t.test('a damaged account can do nothing', async (t) => {
  const good = JSON.parse(accountText(account('a'))) as Record<string, unknown>
  const damage: Record<string, unknown>[] = [
    { hash: undefined },
    { hash: '{PLAIN}token' },
    { hash: '' },
    { admin: 'true' },
    { admin: undefined },
    { read: 'team' },
    { read: undefined },
    { write: [1] },
    { write: ['../x'] },
    { write: ['a:b'] },
    { expires: 'soon' },
    { expires: null },
    { expires: 5 },
    { created: undefined },
  ]
  t.ok(parseAccount('a', JSON.stringify(good)))
  for (const change of damage)
    t.equal(parseAccount('a', JSON.stringify({ ...good, ...change })), undefined, JSON.stringify(change))
  for (const text of ['', '{', 'null', '[]', '"x"', JSON.stringify(good).slice(0, -1)])
    t.equal(parseAccount('a', text), undefined, text)
})

t.test('a hint that is none is left out', async (t) => {
  const one = account('a')
  for (const hint of [null, 5, '', 'x', '0123456', '0123456789', '0123456X'])
    t.same(parseAccount('a', JSON.stringify({ ...one, hint })), one, JSON.stringify(hint))
})

t.test('an owner is public only when its file says so', async (t) => {
  t.same(parseOwner('a', ownerText({ name: 'a', public: true })), { name: 'a', public: true })
  for (const text of [
    '',
    '{',
    '{}',
    'null',
    '[true]',
    '{"public":"true"}',
    '{"public":1}',
    '{"public":false}',
  ])
    t.equal(parseOwner('a', text).public, false, text)
})

t.test('an owner is immutable when its file says so, or says nothing that can be read', async (t) => {
  const immutable = { name: 'a', public: true, immutable: true as const }
  t.same(parseOwner('a', ownerText(immutable)), immutable)
  t.equal(ownerText({ name: 'a', public: true }), '{"public":true}\n', 'as programs of before wrote it')
  const mutable = ['{}', '{"public":false}', '{"public":true,"immutable":false}']
  for (const text of mutable) t.equal(parseOwner('a', text).immutable, undefined, text)
  const damaged = [
    '',
    '{',
    'null',
    '[true]',
    '{"public":true,"immut',
    '\0\0',
    '{"immutable":1}',
    '{"immutable":null}',
  ]
  for (const text of damaged) t.equal(parseOwner('a', text).immutable, true, text)
})

t.test('expiry', async (t) => {
  const one = account('a', { expires: '2026-06-01T00:00:00.000Z' })
  const at = Date.parse('2026-06-01T00:00:00.000Z')
  t.notOk(isExpired(one, at - 1))
  t.ok(isExpired(one, at))
  t.notOk(isExpired(account('b'), Number.MAX_SAFE_INTEGER))
  t.match(readersText([one], 'x', at - 1), '')
  const reader = { ...one, read: ['x'] }
  t.equal(readersText([reader], 'x', at - 1), `a:${one.hash}\n`)
  t.equal(readersText([reader], 'x', at), '', 'and nginx is told')
})
