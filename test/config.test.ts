import t from 'tap'
import { isOwnerName } from '../src/access/rights.js'
import { environment, readConfig, unknownSettings } from '../src/config.js'

t.test('without settings there are safe defaults', async (t) => {
  const config = readConfig({})
  t.same(
    config.listen,
    [{ text: '127.0.0.1:8080', host: '127.0.0.1', port: 8080 }],
    'nobody outside reaches it unless it is said',
  )
  t.same(config.trustedProxies, [], 'nobody is believed who the client is')
  t.equal(config.data, `${process.cwd()}/data`)
  t.equal(config.maxModuleBytes, 524_288_000)
  t.equal(config.strict, false)
  t.equal(config.inbox, true)
  t.equal(readConfig({ PLINTH_INBOX: '0' }).inbox, false)
  t.equal(config.adminToken, undefined)
})

t.test('an empty value is an unset one', async (t) => {
  t.same(readConfig({ PLINTH_LISTEN: '', PLINTH_STRICT: '', PLINTH_MAX_FILE_BYTES: '' }), readConfig({}))
})

t.test('good values are taken', async (t) => {
  for (const listen of ['0.0.0.0:80', '[::1]:8080', '*:8080', 'localhost:65535', 'my-host.example:1']) {
    t.equal(readConfig({ PLINTH_LISTEN: listen }).listen[0]?.text, listen)
  }
  t.equal(readConfig({ PLINTH_MAX_FILE_BYTES: '1' }).maxFileBytes, 1)
  t.equal(readConfig({ PLINTH_DATA: '/srv/a b' }).data, '/srv/a b')
})

t.test('a bad value stops the start with a message that names it', async (t) => {
  const bad: Record<string, string[]> = {
    PLINTH_LISTEN: [
      '8080',
      '127.0.0.1',
      'a b:80',
      '127.0.0.1:0',
      '127.0.0.1:65536',
      '127.0.0.1:80;',
      '[::1:80',
      'x:y',
      ',',
      '127.0.0.1:80 127.0.0.2:80',
      '127.0.0.1:80,[::1]',
      '[1.2.3.4]:80',
      '[::g]:80',
      '[:::]:80',
      'unix:',
      'unix:/run/plinth/',
      'unix:/run/$x',
      'unix:/run/"x"',
      'unix:/run/a;b',
      `unix:/${'x'.repeat(107)}`,
      Array.from({ length: 33 }, (_, at) => `127.0.0.1:${at + 1}`).join(),
    ],
    PLINTH_TRUSTED_PROXIES: [
      'proxy.example.com',
      '10.0.0.0/33',
      'fd00::/129',
      '10.0.0/8',
      '10.0.0.0/8/8',
      '10.0.0.0/',
      '10.0.0.0/-1',
      '10.0.0.1;',
      '[::1]',
      'fe80::1%eth0',
      'unix:/run/x',
      'all',
      '0.0.0.0/0',
      '127.0.0.1,::/00',
      Array.from({ length: 65 }, (_, at) => `10.0.0.${at}`).join(),
    ],
    PLINTH_MAX_MODULE_BYTES: ['0', '-1', '1e3', '10MB', '524288001', 'x'],
    PLINTH_MAX_FILE_BYTES: ['0', '1.5', '99999999999999999999'],
    PLINTH_STRICT: ['yes', '2', 'true'],
    PLINTH_STANDBY: ['yes'],
    PLINTH_RUNTIME: ['data', 'data/run', '/run/"x"', `/run/${'x'.repeat(100)}`],
    PLINTH_LEASE_SECONDS: ['0', '1.5', '3601', '5s'],
    PLINTH_INBOX: ['yes', '2'],
    PLINTH_INBOX_SETTLE_SECONDS: ['-1', '1.5', '86401', '5s'],
    PLINTH_MIN_FREE_BYTES: ['-1', '10%'],
    PLINTH_MAX_UPLOADS: ['0', '10001'],
    PLINTH_BODY_MIN_RATE: ['-1', '1k'],
    PLINTH_BODY_IDLE_SECONDS: ['0', '1m'],
    PLINTH_BODY_SECONDS: ['0', '86401'],
    PLINTH_STOP_SECONDS: ['0', 'x'],
    PLINTH_ADMIN_TOKEN: ['short', 'with a space in it, long enough', 'with:colon:in:it:long:enough'],
    PLINTH_DATA: ['/srv/"x"', '/srv/$x', '/srv/a;b', '/srv/a\nb', `/${'x'.repeat(1001)}`],
    PLINTH_NGINX_USER: ['a b', 'x;'],
    PLINTH_FAILED_LOGINS: ['0', '-1', '1.5', 'x', '1000001'],
    PLINTH_WRITE_RATE: ['-1', '1.5', 'x', '1000001'],
    PLINTH_API_RATE: ['0', '-1', '1.5', 'x', '1000001'],
    PLINTH_REMOTE_COMMANDS: ['2', 'yes'],
    PLINTH_METRICS: ['9464', '0.0.0.0:9464', '*:9464', '127.0.0.1:8080', '127.0.0.1:x', 'unix:x'],
    PLINTH_ACCESS_LOG: ['data/tree/x', '/var/log/$x'],
    PLINTH_AUDIT_LOG: ['data/tree/x', 'data/state/audit.log', '/var/log/a;b'],
    PLINTH_LOG_LEVEL: ['trace', 'INFO', '1'],
    PLINTH_TLS_CERT: ['/only/one.pem'],
    PLINTH_TLS_KEY: ['/only/one.pem'],
    PLINTH_HTTP_LISTEN: ['80', '*:80'], // the second is right, but there is no https to redirect to
    PLINTH_HSTS: ['x', '3600'],
  }
  for (const [name, values] of Object.entries(bad)) {
    for (const value of values)
      t.throws(() => readConfig({ [name]: value }), { message: new RegExp(name) }, `${name}=${value}`)
  }
})

t.test('several places to listen at, and several proxies, are lists with commas', async (t) => {
  const listen = (text: string) => readConfig({ PLINTH_LISTEN: text }).listen
  t.same(listen('127.0.0.1:8080, [::1]:8080,127.0.0.1:8080,'), [
    { text: '127.0.0.1:8080', host: '127.0.0.1', port: 8080 },
    { text: '[::1]:8080', host: '::1', port: 8080 },
  ])
  const socket = `/${'\u00e9'.repeat(53)}` // 107 bytes
  t.same(listen(`unix:${socket}`), [{ text: `unix:${socket}`, socket }])
  t.throws(() => listen(`unix:${socket}x`), { message: /at most 107 bytes, and .* has 108$/ })
  const relative = `${process.cwd()}/run/s`
  t.same(listen('unix:run/../run/s'), [{ text: `unix:${relative}`, socket: relative }])
  const proxies = (text: string) => readConfig({ PLINTH_TRUSTED_PROXIES: text }).trustedProxies
  t.same(proxies('10.0.0.0/8, ::1 ,unix:,::1'), ['10.0.0.0/8', '::1', 'unix:'])
  t.throws(() => proxies('10.0.0.1,x'), { message: /^PLINTH_TRUSTED_PROXIES="x" is not valid: an address, / })
})

t.test('TLS has a certificate and a key, and what needs it is taken with it', async (t) => {
  const tls = { PLINTH_TLS_CERT: 'cert.pem', PLINTH_TLS_KEY: '/etc/key.pem' }
  t.same(readConfig(tls).tls, { cert: `${process.cwd()}/cert.pem`, key: '/etc/key.pem' })
  t.equal(readConfig({ ...tls, PLINTH_HTTP_LISTEN: '*:80' }).httpListen?.[0]?.text, '*:80')
  t.equal(readConfig({ ...tls, PLINTH_HSTS: '3600' }).hsts, 3600)
  for (const more of [
    { PLINTH_TLS_KEY: '/etc/$key' },
    { PLINTH_TLS_CERT: '/etc/"x".pem' },
    { PLINTH_HTTP_LISTEN: '80' },
    { PLINTH_HSTS: '-1' },
  ])
    t.throws(() => readConfig({ ...tls, ...more }), { message: new RegExp(Object.keys(more).join('')) })
})

t.test('metrics are off, or for this machine at a port that is not public', async (t) => {
  t.equal(readConfig({}).metrics, undefined)
  const address = { host: '127.0.0.1', port: 9464 }
  t.same(readConfig({ PLINTH_METRICS: '127.0.0.1:9464' }).metrics, address)
  t.same(readConfig({ PLINTH_METRICS: 'unix:/run/x' }).metrics, { path: '/run/x' })
  const tls = { PLINTH_TLS_CERT: '/c.pem', PLINTH_TLS_KEY: '/k.pem', PLINTH_LISTEN: '*:443' }
  t.same(readConfig({ ...tls, PLINTH_METRICS: '127.0.0.1:8080' }).metrics, { host: '127.0.0.1', port: 8080 })
  for (const [port = '', listen = ''] of [
    ['443', '*:443'],
    ['9464', '*:9464'],
  ])
    t.throws(
      () => readConfig({ ...tls, PLINTH_HTTP_LISTEN: '*:9464', PLINTH_METRICS: `[::1]:${port}` }),
      { message: `nginx listens on this port for everybody (${listen}): another port is expected` },
      port,
    )
})

t.test('the public URL is an address of letters, without a slash at its end', async (t) => {
  const good: [text: string, url: string][] = [
    ['https://plinth.example.com', 'https://plinth.example.com'],
    ['https://plinth.example.com/', 'https://plinth.example.com'],
    ['HTTPS://Plinth.Example.COM:443/', 'https://plinth.example.com'],
    ['http://plinth.example.com:80', 'http://plinth.example.com'],
    ['http://10.0.0.1:8080/a/B-c_d.e~f/', 'http://10.0.0.1:8080/a/B-c_d.e~f'],
    ['https://localhost:65535', 'https://localhost:65535'],
  ]
  for (const [text, url] of good) t.equal(readConfig({ PLINTH_PUBLIC_URL: text }).publicUrl, url, text)
  t.equal(readConfig({}).publicUrl, undefined)
  const bad = [
    'plinth.example.com',
    'ftp://plinth.example.com',
    'https://',
    'https:///x',
    'https://user:secret@plinth.example.com',
    'https://plinth.example.com:0',
    'https://plinth.example.com:65536',
    'https://plinth.example.com:',
    'https://plinth.example.com//',
    'https://plinth.example.com/a//b',
    'https://plinth.example.com/../x',
    'https://plinth.example.com/.x',
    'https://plinth.example.com/%22',
    'https://plinth.example.com/"',
    'https://plinth.example.com/$uri',
    'https://plinth.example.com/a;b',
    'https://plinth.example.com/a b',
    'https://plinth.example.com/a\nb',
    'https://plinth.example.com\n',
    'https://plinth.example.com?x',
    'https://plinth.example.com#x',
    'https://-x.example',
    'https://x..example-',
    'https://h\u00e9.example',
    'https://[::1]:8443',
    'https://1.2.3.4.5',
    'https://plinth.example.com/api/packages',
    'https://plinth.example.com/api/packages/team',
    `https://plinth.example.com/${'x'.repeat(1000)}`,
  ]
  for (const text of bad)
    t.throws(() => readConfig({ PLINTH_PUBLIC_URL: text }), { message: /^PLINTH_PUBLIC_URL="/ }, text)
})

t.test('import prefixes have an owner each, and a longer one comes first', async (t) => {
  const read = (text: string): string[] =>
    readConfig({ PLINTH_IMPORT_PREFIXES: text }).importPrefixes.map(
      ({ prefix, owner }) => `${prefix} ${owner}`,
    )
  t.same(readConfig({}).importPrefixes, [])
  t.same(read('go.corp.example=team'), ['go.corp.example team'])
  t.same(read('a.example=x, a.example/b/C~d=A.b-c_d ,\na.example/b=api,'), [
    'a.example/b/C~d A.b-c_d',
    'a.example/b api',
    'a.example x',
  ])
  const many = (count: number): string => Array.from({ length: count }, (_, at) => `x${at}.example=x`).join()
  t.equal(read(many(64)).length, 64)
  const bad = [
    'go.corp.example',
    '=team',
    'go.corp.example=',
    'go.corp.example==team',
    'go.corp.example=te am',
    'go.corp.example=-team',
    `go.corp.example=${'x'.repeat(65)}`,
    'go.corp.example=team\nx',
    'corp=team',
    'Go.Corp.Example=team',
    'https://go.corp.example=team',
    'go.corp.example:8443=team',
    'go.corp.example/=team',
    'go.corp.example//x=team',
    'go.corp.example/../x=team',
    'go.corp.example/$uri=team',
    'go.corp.example/"=team',
    'go.corp.example/(?=team',
    'go.corp.example/a b=team',
    'go.corp.example=team;x.example=y',
    'go.corp.example=team,go.corp.example=other',
    many(65),
  ]
  for (const text of bad) t.throws(() => read(text), { message: /^PLINTH_IMPORT_PREFIXES="/ }, text)
})

t.test('owners of import prefixes are named as owners are', async (t) => {
  const names = ['a', 'A.b-c_d', 'x'.repeat(64), '', '.a', '-a', 'a/b', 'a b', 'h\u00e9', 'x'.repeat(65)]
  for (const owner of names) {
    const read = () => readConfig({ PLINTH_IMPORT_PREFIXES: `go.corp.example=${owner}` })
    if (isOwnerName(owner)) t.equal(read().importPrefixes[0]?.owner, owner)
    else t.throws(read, owner)
  }
})

t.test('a bad token is not repeated in the message', async (t) => {
  t.throws(() => readConfig({ PLINTH_ADMIN_TOKEN: 'hunter2' }), { message: /^(?!.*hunter2)/ })
})

t.test('the token leaves the environment when it is read, and no child gets it', async (t) => {
  process.env['PLINTH_ADMIN_TOKEN'] = 'a-token-of-this-process-0123'
  t.teardown(() => delete process.env['PLINTH_ADMIN_TOKEN'])
  t.notOk('PLINTH_ADMIN_TOKEN' in environment(), 'not even before')
  t.equal(readConfig().adminToken, 'a-token-of-this-process-0123')
  t.notOk('PLINTH_ADMIN_TOKEN' in process.env)
  process.env['PLINTH_ADMIN_TOKEN'] = 'short'
  t.throws(() => readConfig())
  t.notOk('PLINTH_ADMIN_TOKEN' in process.env, 'a bad one leaves it, too')
})

t.test('settings that look like ours and are none are named', async (t) => {
  t.same(unknownSettings({ PLINTH_DATA: 'x', PLINTH_LISTN: 'y', PATH: 'z' }), ['PLINTH_LISTN'])
})
