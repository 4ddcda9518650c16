import t from 'tap'
import { parseCredentials } from '../../src/http/credentials.js'

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`

t.test('all the spellings of Gitea', async (t) => {
  t.same(parseCredentials(basic('admin:secret')), { account: 'admin', token: 'secret' })
  t.same(parseCredentials(basic('secret:')), { token: 'secret' })
  t.same(parseCredentials(basic('secret:x-oauth-basic')), { token: 'secret' })
  t.same(parseCredentials('token secret'), { token: 'secret' })
  t.same(parseCredentials('Bearer secret'), { token: 'secret' })
  t.same(parseCredentials('bearer  secret '), { token: 'secret' }, 'schemes have no case (RFC 9110)')
})

t.test('all else is no credentials', async (t) => {
  for (const header of [
    undefined,
    '',
    'Basic',
    'Basic !!!',
    basic('nocolon'),
    basic(':'),
    'Digest x',
    'token',
    'token a b',
    'secret',
  ]) {
    t.equal(parseCredentials(header), undefined, String(header))
  }
})
