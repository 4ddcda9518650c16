import { createHash } from 'node:crypto'
import t from 'tap'
import { statedSha256 } from '../../src/http/stated-sha256.js'

const hex = createHash('sha256').update('x').digest('hex')
const base64 = Buffer.from(hex, 'hex').toString('base64')
const of = (headers: Record<string, string>) => statedSha256((name) => headers[name] ?? '')

t.test('all three headers are read', async (t) => {
  t.equal(of({}), undefined)
  t.equal(of({ 'X-Checksum-Sha256': hex.toUpperCase() }), hex)
  t.equal(of({ 'Repr-Digest': `sha-256=:${base64}:` }), hex)
  t.equal(of({ 'Content-Digest': `sha-512=:AAAA:, sha-256=:${base64}:` }), hex)
  t.equal(of({ 'Content-Digest': 'sha-512=:AAAA:' }), undefined, 'another algorithm is not ours to check')
  t.equal(of({ 'X-Checksum-Sha256': hex, 'Repr-Digest': `sha-256=:${base64}:` }), hex)
})

t.test('a malformed sum is refused, not ignored', async (t) => {
  t.throws(() => of({ 'X-Checksum-Sha256': hex.slice(1) }), { message: /malformed|different/ })
  t.throws(() => of({ 'Repr-Digest': `sha-256=${base64}` }), { message: /malformed|different/ })
  t.throws(() => of({ 'Content-Digest': 'sha-256=:AAAA:' }), { message: /malformed|different/ })
})

t.test('two that differ are refused', async (t) => {
  t.throws(() => of({ 'X-Checksum-Sha256': '0'.repeat(64), 'Repr-Digest': `sha-256=:${base64}:` }), {
    message: /malformed|different/,
  })
})
