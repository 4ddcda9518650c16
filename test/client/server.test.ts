// Addresses, credentials and .netrc files, as people write them.

import t from 'tap'
import { netrcLogin, withLogin } from '../../src/client/netrc.js'
import {
  getLine,
  privateGetLine,
  serverOf,
  uploadUrl,
  versionUrl,
  type ClientSettings,
} from '../../src/client/server.js'

t.test('a login is written into .netrc', async (t) => {
  const FRESH = 'machine h login a password b\n'
  const MACRO = 'macdef init\nmachine h login x password y\n'
  const TABLE: [before: string, after: string, why: string][] = [
    ['', FRESH, 'an empty file'],
    ['machine o login x password y', `${FRESH}machine o login x password y`, 'in front: the first fits'],
    ['default login x password y\n', `${FRESH}default login x password y\n`, 'in front of default'],
    ['machine h login x password y\n', FRESH, 'in its place'],
    ['machine h login x password y', FRESH.trimEnd(), 'without a newline at its end'],
    [
      'machine H\n\tlogin x\n\tpassword y\n',
      `${FRESH}machine H\n\tlogin x\n\tpassword y\n`,
      'on several lines',
    ],
    [
      'machine o login x password z\nmachine h login x password y\n# mine\n',
      `machine o login x password z\n${FRESH}# mine\n`,
      'behind another',
    ],
    ['machine h:8443 login x password y\n', `${FRESH}machine h:8443 login x password y\n`, 'another port'],
    [
      'machine h\nlogin x password y machine o login z password w\n',
      `${FRESH}machine h\nlogin x password y machine o login z password w\n`,
      'two on a line stay as they are',
    ],
    [MACRO, `${FRESH}${MACRO}`, 'in a macro'],
    [`${MACRO}\nmachine h login x password y\n`, `${MACRO}\n${FRESH}`, 'behind a macro'],
  ]
  for (const [before, after, why] of TABLE) {
    const text = withLogin(before, { machine: 'h', login: 'a', password: 'b' })
    t.equal(text, after, why)
    t.match(netrcLogin(text, 'h', '443'), { login: 'a', password: 'b' }, `${why}: it is found`)
  }
  const HOSTILE: [login: string, password: string][] = [
    ['x password y\nmachine o login a password b\n#', 'b'],
    ['a b', 'c'],
    ['', 'b'],
    ['a', 'b\nmacdef init'],
    ['a', 'b c'],
    ['a', '#b'],
    ['a', 'b"'],
    ['a', 'b\\'],
    ['a', ''],
  ]
  for (const [login, password] of HOSTILE)
    t.throws(
      () => withLogin('', { machine: 'h', login, password }),
      /has no name|has characters/,
      `${login} ${password}`,
    )
})

t.test('.netrc', async (t) => {
  const login = (text: string, host = 'h.example.com', port = '443'): string => {
    const found = netrcLogin(text, host, port)
    return found ? `${found.login}:${found.password}` : 'none'
  }
  const TABLE: [text: string, login: string, why: string][] = [
    ['machine h.example.com login a password b', 'a:b', 'one line'],
    ['machine h.example.com\n\tlogin a\n\tpassword b\n', 'a:b', 'three lines'],
    ['machine other login x password y\nmachine h.example.com login a password b', 'a:b', 'the second'],
    [
      'machine h.example.com login a password b\nmachine h.example.com login x password y',
      'a:b',
      'the first of two',
    ],
    [
      'machine h.example.com login x password y\nmachine h.example.com:443 login a password b',
      'a:b',
      'with its port',
    ],
    ['machine h.example.com:8443 login x password y', 'none', 'another port'],
    ['machine H.Example.com login a password b', 'a:b', 'in capitals'],
    ['default login a password b', 'a:b', 'for every host'],
    ['machine other login x password y\ndefault login a password b\n', 'a:b', 'the last is for all others'],
    ['machine other login x\npassword y', 'none', 'none'],
    ['machine h.example.com password b', ':b', 'no login'],
    ['machine h.example.com login a account z password b', 'a:b', 'an account'],
    ['machine h.example.com login a', 'none', 'no password'],
    ['machine h.example.com login "a b" password "c\\"d"', 'a b:c"d', 'in quotes'],
    [
      '# machine h.example.com login x password y\nmachine h.example.com login a password b',
      'a:b',
      'a comment',
    ],
    ['machine h.example.com login a password b#c', 'a:b#c', 'no comment'],
    [
      'macdef init\nmachine h.example.com login x password y\n\nmachine h.example.com login a password b',
      'a:b',
      'a macro',
    ],
    ['machine h.example.com login login password password', 'login:password', 'words of the file as values'],
    ['machine\r\nh.example.com login a password b\r\n', 'a:b', 'line ends of Windows'],
    ['login a password b', 'none', 'of no machine'],
    ['machine', 'none', 'cut off'],
    ['', 'none', 'empty'],
  ]
  for (const [text, expected, why] of TABLE) t.equal(login(text), expected, why)
  t.equal(login('machine ::1 login a password b', '::1', '80'), 'a:b')
})

const server = (settings: Partial<ClientSettings>, allowHttp = false) =>
  serverOf(
    { url: 'https://p.example.com', owner: 'team', token: 'secret', netrc: '', ...settings },
    allowHttp,
  )

t.test('what is published to', async (t) => {
  const plain = server({ url: 'https://p.example.com/' })
  t.equal(uploadUrl(plain), 'https://p.example.com/api/packages/team/go/upload')
  t.equal(
    uploadUrl(server({ url: 'https://p.example.com:8443/plinth/', owner: 'a/b' })),
    'https://p.example.com:8443/plinth/api/packages/a%2Fb/go/upload',
  )
  t.equal(
    versionUrl(plain, 'example.com/M', 'v1.0.0-RC1', 'zip'),
    'https://p.example.com/api/packages/team/go/example.com/!m/@v/v1.0.0-!r!c1.zip',
  )
  t.equal(
    getLine(plain, 'example.com/m', 'v1.0.0'),
    'GOPROXY=https://p.example.com/api/packages/team/go GONOSUMDB=example.com/m go get example.com/m@v1.0.0',
  )
  const own = 'GOPRIVATE=p.example.com go get p.example.com/team/m@v1.0.0'
  t.equal(getLine(plain, 'p.example.com/team/m', 'v1.0.0'), own)
  const before = (url?: string, module = 'p.example.com/team/m') =>
    privateGetLine({ url, owner: 'team' }, module, 'v1.0.0')
  t.equal(before('HTTPS://P.example.com:443/'), own)
  for (const url of ['', undefined, 'p.example.com', 'http://p.example.com', 'https://a:b@p.example.com'])
    t.equal(before(url), undefined, String(url))
  t.equal(before('https://p.example.com', 'example.com/m'), undefined)

  t.throws(() => server({ url: '' }), {
    message: 'the address of the Plinth is missing: --url or PLINTH_URL',
  })
  t.throws(() => server({ owner: '' }), { message: 'the owner is missing: --owner or PLINTH_OWNER' })
  for (const url of ['p.example.com', 'ftp://p.example.com', 'https://', 'file:///etc'])
    t.throws(() => server({ url }), { message: /is not the address of a Plinth/ }, url)
  t.throws(() => server({ url: 'https://p.example.com/api/packages/team/go' }), {
    message: /only the address/,
  })
  t.throws(() => server({ url: 'https://p.example.com/?a' }), { message: /only the address/ })
  const secret = t.throws(() => server({ url: 'https://a:hidden@p.example.com' })) as Error
  t.match(secret.message, 'holds a password')
  t.notMatch(secret.message, 'hidden')
})

t.test('credentials', async (t) => {
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`
  t.match(server({}), { authorization: 'token secret', mayRead: false })
  t.match(server({ token: 'secret\n' }), { authorization: 'token secret' })
  t.match(server({ account: 'ci' }), { authorization: basic('ci:secret'), mayRead: true })
  const netrc = 'machine p.example.com login alice password word'
  t.match(server({ token: '', netrc }), { authorization: basic('alice:word'), mayRead: true })
  t.match(server({ netrc }), { authorization: 'token secret' }, 'the variable comes first')
  t.throws(() => server({ token: undefined }), {
    message: /there is no token: set PLINTH_TOKEN, .* p\.example\.com/,
  })
  const bad = t.throws(() => server({ token: 'hid\nden' })) as Error
  t.match(bad.message, 'PLINTH_TOKEN is not a token')
  t.notMatch(bad.message, 'hid')
})

t.test('over plain http a token goes to this machine only', async (t) => {
  for (const host of ['localhost', '127.0.0.1:8080', '127.9.9.9', '[::1]:80', 'plinth.localhost'])
    t.ok(server({ url: `http://${host}` }), host)
  for (const host of [
    'p.example.com',
    '10.0.0.1',
    '127.0.0.1.example.com',
    'localhost.example.com',
    '[::2]',
    '0.0.0.0',
  ])
    t.throws(() => server({ url: `http://${host}` }), { message: /over plain http/ }, host)
  t.ok(server({ url: 'http://p.example.com' }, true))
})
