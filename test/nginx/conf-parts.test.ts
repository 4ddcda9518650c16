import t from 'tap'
import { readConfig } from '../../src/config.js'
import { connectionsWith, nginxParts, WANTED_FILES } from '../../src/nginx/conf-parts.js'

const TLS = { PLINTH_TLS_CERT: '/etc/a b/cert.pem', PLINTH_TLS_KEY: '/etc/a b/key.pem' }
const machine = {
  version: 1_022_001,
  user: undefined,
  files: WANTED_FILES,
  processors: 2,
  hasStatus: true,
  ipv6: true,
}
const parts = (env: Record<string, string>, version = machine.version): Record<string, string> =>
  nginxParts(readConfig(env), { ...machine, version })

t.test(
  'a page loads nothing from elsewhere, but for the images of READMEs when a setting says so',
  async (t) => {
    const { 'plinth/page.conf': page = '' } = parts({})
    t.match(
      page,
      /Content-Security-Policy "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self';/,
    )
    t.notMatch(page, /unsafe|https:/)
    const { 'plinth/page.conf': withImages = '' } = parts({ PLINTH_README_IMAGES: '1' })
    t.equal(withImages, page.replace("img-src 'self'", "img-src 'self' https:"))
  },
)

t.test('plain http', async (t) => {
  const { 'plinth/page.conf': _page, ...others } = parts({ PLINTH_DATA: '/srv/a b' })
  t.same(others, {
    'main.conf': 'worker_processes auto;\nworker_rlimit_nofile 16512;\npid "state/nginx/nginx.pid";\n',
    'temp.conf': ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((kind) => `${kind}_temp_path "state/nginx/${kind.replace('client_', '')}";\n`)
      .join(''),
    'events.conf': 'worker_connections 8192;\n',
    'plinth/paths.conf': `map $host $plinth_data {
    default "/srv/a b/";
}
upstream plinth {
    server "unix:state/shim.sock";
}
`,
    'plinth/http.conf': `limit_req_zone $failing zone=plinth_failing:1m rate=5r/s;
limit_req_zone $binary_remote_addr zone=plinth_api:1m rate=100r/s;
limit_conn_zone $binary_remote_addr zone=plinth_addresses:10m;
limit_req_zone $writer zone=plinth_writes:1m rate=200r/s;
map $status $lone_id {
    default $request_id;
    200     "";
    206     "";
    301     "";
    302     "";
    304     "";
}
map $status $range_id {
    default $request_id;
}
map $host $base_path {
    default "";
}
`,
    'plinth/limits.conf': `limit_conn plinth_addresses 512;
limit_conn_status 429;
limit_req zone=plinth_writes burst=1200 delay=200;
limit_req_status 429;
`,
    'plinth/client.conf': 'proxy_set_header X-Forwarded-Proto $scheme;\n',
    'plinth/redirect.conf': '',
    'plinth/refused-log.conf':
      'access_log "/srv/a b/state/nginx/refused.log" refusal if=$http_authorization;\n',
    'plinth/listen.conf': 'listen 127.0.0.1:8080;\n',
    'plinth/headers.conf':
      'add_header X-Content-Type-Options nosniff always;\nadd_header X-Request-Id $answer_id always;\n',
    'plinth/cache.conf': 'add_header Cache-Control no-cache;\n',
    'plinth/refusal.conf':
      'add_header X-Content-Type-Options nosniff always;\nadd_header X-Request-Id $answer_id always;\n' +
      'add_header Cache-Control no-store always;\n',
    'plinth/access-log.conf': 'access_log off;\n',
    'plinth/go-import.conf':
      '"~^(?<asked>[a-z0-9][a-z0-9.-]{0,252})/(?!api(?:/|\\z))(?<whose>[A-Za-z0-9][A-Za-z0-9._-]{0,63})(?:/|\\z)" ' +
      '"$asked/$whose mod https://$asked/api/packages/$whose/go";\n',
  })
})

t.test(
  'shared caches keep what anybody may read, and a refusal in its place, for as long as is set',
  async (t) => {
    const all = parts({ PLINTH_SHARED_CACHE_SECONDS: '10', ...TLS, PLINTH_HSTS: '60' })
    t.equal(all['plinth/cache.conf'], 'add_header Cache-Control $shared_cache;\n')
    t.match(all['plinth/http.conf'], '"" "public, max-age=0, s-maxage=10, stale-if-error=86400";')
    t.match(all['plinth/http.conf'], 'default "private, no-cache";')
    // nginx of before 1.23 goes by the first of the two that it reads
    t.match(
      all['plinth/refusal.conf'],
      /Strict-Transport-Security.*\nadd_header X-Accel-Expires .*\nadd_header Cache-Control no-store always;\n$/,
    )
  },
)

t.test('root chooses whom the workers run as', async (t) => {
  const user = { name: 'www-data', group: 'www' }
  t.match(nginxParts(readConfig({}), { ...machine, user })['main.conf'], 'user www-data www;\n')
})

t.test('a worker takes no more connections than it may open files for', async (t) => {
  const table: [files: number, connections: number][] = [
    [WANTED_FILES * 10, 8192],
    [WANTED_FILES, 8192],
    [4096, 1984],
    [1024, 448],
    [200, 64],
  ]
  for (const [files, connections] of table) t.equal(connectionsWith(files), connections, String(files))
  const { 'main.conf': main, 'events.conf': events } = nginxParts(readConfig({}), { ...machine, files: 1024 })
  t.equal(main, 'worker_processes auto;\nworker_rlimit_nofile 1024;\npid "state/nginx/nginx.pid";\n')
  t.equal(events, 'worker_connections 448;\n')
})

t.test('0 is no limit of the requests of an address', async (t) => {
  for (const name of ['plinth/http.conf', 'plinth/limits.conf']) {
    t.notMatch(parts({ PLINTH_CONNECTIONS_PER_ADDRESS: '0' })[name], 'limit_conn')
    t.notMatch(parts({ PLINTH_WRITE_RATE: '0' })[name], 'plinth_writes')
  }
})

t.test('an nginx with another working directory is told the whole path of the socket', async (t) => {
  const config = readConfig({ PLINTH_DATA: '/srv/a b' })
  const { 'plinth/paths.conf': paths } = nginxParts(config, machine, `${config.data}/state`)
  t.match(paths, 'server "unix:/srv/a b/state/shim.sock";')
})

t.test('TLS 1.2 has no suite with CBC', async (t) => {
  t.match(parts(TLS)['plinth/listen.conf'], 'ssl_ciphers ECDHE+AESGCM:ECDHE+CHACHA20;\n')
})

t.test('HTTP/2 is spelt as this nginx wants it', async (t) => {
  t.match(
    parts(TLS, 1_025_000)['plinth/listen.conf'],
    'listen 127.0.0.1:8080 ssl http2;\nssl_certificate "/etc/a b/cert.pem";',
  )
  t.match(
    parts(TLS, 1_025_001)['plinth/listen.conf'],
    'listen 127.0.0.1:8080 ssl;\nhttp2 on;\nssl_certificate "/etc/a b/cert.pem";',
  )
})

t.test('every address has its line, and * is both families where the machine has both', async (t) => {
  const listen = (text: string, ipv6: boolean, env: Record<string, string> = {}) =>
    nginxParts(readConfig({ ...env, PLINTH_LISTEN: text }), { ...machine, ipv6 })['plinth/listen.conf']
  const lines = (...addresses: string[]) => addresses.map((address) => `listen ${address};\n`).join('')
  t.equal(listen('127.0.0.1:8080,[::1]:8080', true), lines('127.0.0.1:8080', '[::1]:8080'))
  t.equal(listen('*:80', true), lines('0.0.0.0:80', '[::]:80'))
  t.equal(listen('*:80', false), lines('0.0.0.0:80'))
  t.equal(listen('*:80,0.0.0.0:80,[::]:80', true), lines('0.0.0.0:80', '[::]:80'), 'nginx takes none twice')
  t.equal(listen('[::]:80', false), lines('[::]:80'), 'what is asked for is not left out')
  t.equal(listen('unix:/a b/s,localhost:1', true), lines('"unix:/a b/s"', 'localhost:1'))
  const options = ['"unix:/s" ssl http2', '0.0.0.0:443 ssl http2', '[::]:443 ssl http2']
  t.match(
    listen('unix:/s,*:443', true, TLS),
    new RegExp(`^${lines(...options).replaceAll(/[[\]]/g, '\\$&')}ssl_cert`),
  )
})

t.test('trusted proxies say who the client is, and nobody else does', async (t) => {
  const proxies = (text: string) => parts({ PLINTH_TRUSTED_PROXIES: text })
  t.same(proxies(''), parts({}), 'without them there is not one directive')
  const { 'plinth/client.conf': client, 'plinth/http.conf': http } = proxies('10.0.0.0/8, fd00::1,unix:')
  t.equal(
    client,
    `set_real_ip_from 10.0.0.0/8;
set_real_ip_from fd00::1;
set_real_ip_from unix:;
real_ip_header X-Forwarded-For;
real_ip_recursive on;
proxy_set_header X-Forwarded-Proto $client_scheme;
`,
  )
  t.match(
    http,
    'geo $realip_remote_addr $proxy_address {\n    default 0;\n    10.0.0.0/8 1;\n    fd00::1 1;\n}\n',
  )
  t.match(http, '    default $proxy_address;\n    "unix:" 1;\n}\n')
  t.notMatch(proxies('::1')['plinth/http.conf'], '"unix:"')
  const redirect = parts({ ...TLS, PLINTH_HTTP_LISTEN: '*:80', PLINTH_TRUSTED_PROXIES: '::1' })
  t.match(
    redirect['plinth/redirect.conf'],
    'include plinth/client.conf;',
    'a redirect is counted for the client',
  )
})

t.test('the redirect names the port of https where it is not the usual one', async (t) => {
  const http = (listen: string) =>
    parts({ ...TLS, PLINTH_LISTEN: listen, PLINTH_HTTP_LISTEN: '*:80' })['plinth/redirect.conf']
  t.match(http('*:443'), '    listen 0.0.0.0:80;\n    listen [::]:80;\n')
  t.match(http('*:443'), '    return 308 https://$host$request_uri;')
  t.match(http('[::1]:8443'), 'return 308 https://$host:8443$request_uri;')
  t.match(http('unix:/s,[::1]:8443'), 'return 308 https://$host:8443$request_uri;')
  t.match(http('unix:/s'), 'return 308 https://$host$request_uri;')
})

t.test('the redirect goes to the public URL, if that is one of https', async (t) => {
  const http = (url: string) =>
    parts({ ...TLS, PLINTH_LISTEN: '*:8443', PLINTH_HTTP_LISTEN: '*:80', PLINTH_PUBLIC_URL: url })[
      'plinth/redirect.conf'
    ]
  t.match(http('https://plinth.example.com'), 'return 308 https://plinth.example.com$request_uri;')
  t.match(http('http://plinth.example.com'), 'return 308 https://$host:8443$request_uri;')
})

t.test('redirects lead below the path of the public URL', async (t) => {
  const { 'plinth/http.conf': http } = parts({ PLINTH_PUBLIC_URL: 'https://a.example:8443/b/c/' })
  t.match(http, 'default "/b/c";\n')
})

t.test('go is told the public URL, and import paths have no port', async (t) => {
  const table: [url: string, told: string][] = [
    ['https://a.example', '"a.example/$whose mod https://a.example/api/packages/$whose/go"'],
    ['https://a.example:8443', '"a.example/$whose mod https://a.example:8443/api/packages/$whose/go"'],
    ['http://a.example/b/c', '"a.example/b/c/$whose mod http://a.example/b/c/api/packages/$whose/go"'],
  ]
  for (const [url, told] of table) {
    const line = parts({ PLINTH_PUBLIC_URL: url })['plinth/go-import.conf'] ?? ''
    t.match(line, ` ${told};\n`)
    t.notMatch(line, '$asked', 'nothing of the request but the owner')
  }
})

t.test('import prefixes come before owners, and the longest comes first', async (t) => {
  const env = { PLINTH_IMPORT_PREFIXES: 'go.corp.example=team,go.corp.example/x=secret' }
  const lines = (more: object) => parts({ ...env, ...more })['plinth/go-import.conf']?.split('\n') ?? []
  t.match(lines({}).slice(0, 3), [
    '"~^go\\.corp\\.example/x(?:/|\\z)" "go.corp.example/x mod https://go.corp.example/api/packages/secret/go";',
    '"~^go\\.corp\\.example(?:/|\\z)" "go.corp.example mod https://go.corp.example/api/packages/team/go";',
    /^"~\^\(\?<asked>/,
  ])
  const [line] = lines({ PLINTH_PUBLIC_URL: 'https://a.example:8443/b' })
  t.match(line, ' "go.corp.example/x mod https://a.example:8443/b/api/packages/secret/go";')
})

t.test('an access log is one directive, and gives each answer an id', async (t) => {
  const { 'plinth/access-log.conf': logs, 'plinth/http.conf': http } = parts({
    PLINTH_ACCESS_LOG: '/var/log/a b/access.log',
  })
  t.equal(logs, 'access_log "/var/log/a b/access.log" access buffer=32k flush=1s;\n')
  t.match(
    http,
    'map $status $lone_id {\n    default $request_id;\n}\nmap $status $range_id {\n    default "";\n}',
  )
  const { 'plinth/access-log.conf': own } = parts({ PLINTH_ACCESS_LOG: '1', PLINTH_DATA: '/srv/plinth' })
  t.match(own, 'access_log "/srv/plinth/state/nginx/access.log" access ')
})

t.test('HSTS only when it is asked for', async (t) => {
  t.notMatch(parts(TLS)['plinth/headers.conf'], 'Strict')
  t.match(
    parts({ ...TLS, PLINTH_HSTS: '3600' })['plinth/headers.conf'],
    'Strict-Transport-Security "max-age=3600" always;',
  )
})

t.test('nginx tells its figures with metrics alone, on a socket', async (t) => {
  const plain = parts({})['plinth/http.conf'] ?? ''
  const http = parts({ PLINTH_METRICS: '127.0.0.1:9464' })['plinth/http.conf'] ?? ''
  t.ok(http.startsWith(plain), 'the rest stays')
  t.equal(
    http.slice(plain.length),
    `server {
    listen "unix:state/control/nginx.sock";
    access_log off;
    location = /status { stub_status; }
    location / { return 404; }
}
`,
  )
  const without = nginxParts(readConfig({ PLINTH_METRICS: '127.0.0.1:9464' }), {
    ...machine,
    hasStatus: false,
  })
  t.equal(without['plinth/http.conf'], plain, 'an nginx that cannot')
  const foreign = nginxParts(readConfig({ PLINTH_METRICS: '127.0.0.1:9464' }), machine, '/srv/p/state')
  t.match(foreign['plinth/http.conf'], 'listen "unix:/srv/p/state/control/nginx.sock";')
})

t.test('one of several machines has workers to spare for files that are waited for', async (t) => {
  const workersOf = (env: NodeJS.ProcessEnv, processors = 2): string | undefined =>
    /^worker_processes (.*);$/m.exec(
      nginxParts(readConfig(env), { ...machine, processors })['main.conf'] ?? '',
    )?.[1]
  t.equal(workersOf({}), 'auto')
  t.equal(workersOf({ PLINTH_RUNTIME: '/run/plinth' }), 'auto', 'a machine alone')
  const several = { PLINTH_RUNTIME: '/run/plinth', PLINTH_STANDBY: '1' }
  t.equal(workersOf(several), '16')
  t.equal(workersOf(several, 64), '64')
  const listenOf = (env: Record<string, string>, version?: number) =>
    parts(env, version)['plinth/listen.conf']
  const listen = { PLINTH_LISTEN: '10.0.0.1:80,unix:/s' }
  t.equal(listenOf({ ...several, ...listen }), 'listen 10.0.0.1:80 deferred;\nlisten "unix:/s";\n')
  t.equal(listenOf(listen), 'listen 10.0.0.1:80;\nlisten "unix:/s";\n')
  t.match(listenOf({ ...several, ...TLS }), 'listen 127.0.0.1:8080 ssl http2 deferred;\n')
  t.match(listenOf({ ...several, ...TLS }, 1_025_001), 'listen 127.0.0.1:8080 ssl deferred;\nhttp2 on;\n')
})

t.test('the files of the machine are in its own folder', async (t) => {
  const own = readConfig({ PLINTH_DATA: '/srv/p', PLINTH_RUNTIME: '/run/plinth', PLINTH_ACCESS_LOG: '1' })
  const texts = nginxParts(own, machine)
  t.match(texts['main.conf'], 'pid "/run/plinth/nginx/nginx.pid";\n')
  t.match(texts['temp.conf'], 'client_body_temp_path "/run/plinth/nginx/body";\nproxy_temp_path ')
  t.match(texts['plinth/paths.conf'], 'server "unix:/run/plinth/shim.sock";')
  t.match(texts['plinth/refused-log.conf'], 'access_log "/run/plinth/nginx/refused.log" ')
  t.match(texts['plinth/access-log.conf'], 'access_log "/run/plinth/nginx/access.log" ')
  for (const [name, text] of Object.entries(texts))
    t.notMatch(text, /state\/(?:nginx|control|shim|start)/, `${name} names nothing that machines share`)
  t.match(parts({})['temp.conf'], 'proxy_temp_path "state/nginx/proxy";\n')
})
