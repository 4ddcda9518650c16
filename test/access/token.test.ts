import { execFileSync } from 'node:child_process'
import t from 'tap'
import { hashToken, isTokenHash, newToken, tokenMatches } from '../../src/access/token.js'
import { needs } from '../support/programs.js'

t.test('a token has 160 bits or more, and no two are the same', async (t) => {
  const tokens = Array.from({ length: 100 }, newToken)
  t.equal(new Set(tokens).size, 100)
  for (const token of tokens) t.ok(Buffer.from(token.replace('plinth_', ''), 'base64url').length * 8 >= 160)
})

t.test('a hash is of its token and of no other', async (t) => {
  const hash = hashToken('secret')
  t.ok(isTokenHash(hash))
  t.ok(tokenMatches(hash, 'secret'))
  for (const other of ['', 'Secret', 'secret ', 'secre', 'x'.repeat(10_000)])
    t.notOk(tokenMatches(hash, other))
  t.not(hash, hashToken('secret'), 'salted')
  t.notMatch(hash, 'secret')
})

t.test('it is the {SSHA} that other programs make', needs('openssl'), async (t) => {
  const hash = hashToken('secret')
  const bytes = Buffer.from(hash.slice(6), 'base64')
  const theirs = execFileSync('openssl', ['dgst', '-sha1', '-binary'], {
    input: Buffer.concat([Buffer.from('secret'), bytes.subarray(20)]),
  })
  t.same(theirs, bytes.subarray(0, 20))
})

t.test('what is no hash', async (t) => {
  for (const text of [
    '',
    '{SSHA}',
    '{PLAIN}secret',
    `{SSHA}${'A'.repeat(47)}`,
    `{SSHA}${'A'.repeat(49)}`,
    '*',
  ])
    t.notOk(isTokenHash(text), text)
})
