import t from 'tap'
import { readConfig } from '../../src/config.js'
import { nginxParts } from '../../src/nginx/conf-parts.js'

const TLS = { PLINTH_TLS_CERT: '/etc/a b/cert.pem', PLINTH_TLS_KEY: '/etc/a b/key.pem' }
const parts = (env: Record<string, string>, version = 1_022_001): Record<string, string> =>
  nginxParts(readConfig(env), version, undefined)

t.test('plain http', async (t) => {
  t.same(parts({}), {
    'main.conf': '',
    'http.conf': 'limit_req_zone $failing zone=failing:1m rate=5r/s;\n',
    'listen.conf': 'listen 127.0.0.1:8080;\n',
    'headers.conf': 'add_header X-Content-Type-Options nosniff always;\n',
  })
})

t.test('root chooses whom the workers run as', async (t) => {
  const user = { name: 'www-data', group: 'www' }
  t.equal(nginxParts(readConfig({}), 0, user)['main.conf'], 'user www-data www;\n')
})

t.test('HTTP/2 is spelt as this nginx wants it', async (t) => {
  t.match(
    parts(TLS, 1_025_000)['listen.conf'],
    'listen 127.0.0.1:8080 ssl http2;\nssl_certificate "/etc/a b/cert.pem";',
  )
  t.match(
    parts(TLS, 1_025_001)['listen.conf'],
    'listen 127.0.0.1:8080 ssl;\nhttp2 on;\nssl_certificate "/etc/a b/cert.pem";',
  )
})

t.test('the redirect names the port of https where it is not the usual one', async (t) => {
  const http = (listen: string) =>
    parts({ ...TLS, PLINTH_LISTEN: listen, PLINTH_HTTP_LISTEN: '*:80' })['http.conf']
  t.match(http('*:443'), 'listen *:80;\n    return 308 https://$host$request_uri;')
  t.match(http('[::1]:8443'), 'return 308 https://$host:8443$request_uri;')
})

t.test('HSTS only when it is asked for', async (t) => {
  t.notMatch(parts(TLS)['headers.conf'], 'Strict')
  t.match(
    parts({ ...TLS, PLINTH_HSTS: '3600' })['headers.conf'],
    'Strict-Transport-Security "max-age=3600" always;',
  )
})
