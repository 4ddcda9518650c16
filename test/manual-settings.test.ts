// The table of settings in the manual, row by row: the default that it names is the one that counts, what it says can be
// set is taken, and what is beyond is refused with a line that names the setting.

import t from 'tap'
import { readConfig, settingNames, type Config } from '../src/config.js'
import { table, MANUAL } from './support/documents.js'

/** `takes` are values, each with how its field is read; `refuses` are values that the row excludes. */
type Row = {
  field: keyof Config
  takes: [value: string, read: unknown][]
  refuses?: string[]
  with?: Record<string, string>
}

const number = (field: keyof Config, takes: number[], refuses: (number | string)[]): Row => ({
  field,
  takes: takes.map((value) => [String(value), value]),
  refuses: [...refuses.map(String), '-1', '1.5', '1 MiB'],
})
const flag = (field: keyof Config): Row => ({
  field,
  takes: [
    ['0', false],
    ['1', true],
  ],
  refuses: ['2', 'yes', 'true'],
})
const TLS = { PLINTH_TLS_CERT: '/c', PLINTH_TLS_KEY: '/k' }

const listens = (...values: string[]): [string, unknown][] => values.map((value) => [value, undefined])

const ROWS: Record<string, Row> = {
  PLINTH_DATA: { field: 'data', takes: [['/srv/plinth', '/srv/plinth']] },
  PLINTH_LISTEN: {
    field: 'listen',
    takes: listens(
      '127.0.0.1:8080',
      '[::1]:8080',
      '*:80',
      'unix:/run/plinth/http.sock',
      '127.0.0.1:1,[::1]:1',
    ),
    refuses: ['8080', '127.0.0.1', '127.0.0.1:70000', `unix:/${'x'.repeat(107)}`],
  },
  PLINTH_PUBLIC_URL: {
    field: 'publicUrl',
    takes: [
      ['https://plinth.example.com', 'https://plinth.example.com'],
      ['https://corp.example/plinth', 'https://corp.example/plinth'],
    ],
    refuses: [
      'plinth.example.com',
      'ftp://plinth.example.com',
      'https://a:b@plinth.example.com',
      'https://x/?y',
    ],
  },
  PLINTH_TRUSTED_PROXIES: {
    field: 'trustedProxies',
    takes: listens('127.0.0.1', '10.0.0.0/8,unix:', '::1'),
    refuses: ['proxy.example.com', '10.0.0.0/33'],
  },
  PLINTH_IMPORT_PREFIXES: {
    field: 'importPrefixes',
    takes: listens(
      'go.corp.example=team,go.corp.example/x=secret',
      Array.from({ length: 64 }, (_, i) => `go${i}.corp.example=team`).join(),
    ),
    refuses: ['go.corp.example', Array.from({ length: 65 }, (_, i) => `go${i}.corp.example=team`).join()],
  },
  PLINTH_ADMIN_TOKEN: {
    field: 'adminToken',
    takes: [['x'.repeat(20), 'x'.repeat(20)]],
    refuses: ['x'.repeat(19)],
  },
  PLINTH_MAX_MODULE_BYTES: number('maxModuleBytes', [1, 524_288_000], [0, 524_288_001]),
  PLINTH_MAX_FILE_BYTES: number('maxFileBytes', [1, 2 ** 50], [0]),
  PLINTH_STRICT: flag('strict'),
  PLINTH_MIN_FREE_BYTES: number('minFreeBytes', [0, 2 ** 50], []),
  PLINTH_MAX_UPLOADS: number('maxUploads', [1, 10_000], [0, 10_001]),
  PLINTH_BODY_IDLE_SECONDS: number('bodyIdleSeconds', [1, 86_400], [0, 86_401]),
  PLINTH_BODY_SECONDS: number('bodySeconds', [1, 86_400], [0, 86_401]),
  PLINTH_BODY_MIN_RATE: number('bodyMinRate', [0, 2 ** 30], []),
  PLINTH_STOP_SECONDS: number('stopSeconds', [1, 86_400], [0, 86_401]),
  PLINTH_README_IMAGES: flag('readmeImages'),
  PLINTH_INBOX: flag('inbox'),
  PLINTH_INBOX_SETTLE_SECONDS: number('inboxSettleSeconds', [0, 86_400], [86_401]),
  PLINTH_STANDBY: flag('standby'),
  PLINTH_RUNTIME: {
    field: 'runtime',
    takes: [['/run/p', '/run/p']],
    refuses: ['/run/$x', `/${'x'.repeat(100)}`],
  },
  PLINTH_LEASE_SECONDS: number('leaseSeconds', [1, 3600], [0, 3601]),
  PLINTH_NGINX: { field: 'nginx', takes: [['/usr/sbin/nginx', '/usr/sbin/nginx']] },
  PLINTH_NGINX_USER: { field: 'nginxUser', takes: [['www-data', 'www-data']], refuses: ['a b', 'a;'] },
  PLINTH_TLS_CERT: {
    field: 'tls',
    takes: [['/c', { cert: '/c', key: '/k' }]],
    with: { PLINTH_TLS_KEY: '/k' },
  },
  PLINTH_TLS_KEY: {
    field: 'tls',
    takes: [['/k', { cert: '/c', key: '/k' }]],
    with: { PLINTH_TLS_CERT: '/c' },
  },
  PLINTH_HTTP_LISTEN: {
    field: 'httpListen',
    takes: listens('*:80', '127.0.0.1:80,[::1]:80'),
    refuses: ['80'],
    with: TLS,
  },
  PLINTH_HSTS: { ...number('hsts', [1, 31_536_000], [0]), with: TLS },
  PLINTH_FAILED_LOGINS: number('failedLogins', [1, 1000], [0]),
  PLINTH_WRITE_RATE: number('writeRate', [0, 1000], []),
  PLINTH_REMOTE_COMMANDS: flag('remoteCommands'),
  PLINTH_API_RATE: number('apiRate', [1, 1000], [0]),
  PLINTH_CONNECTIONS_PER_ADDRESS: number('connectionsPerAddress', [0, 1000], []),
  PLINTH_SHARED_CACHE_SECONDS: number('sharedCacheSeconds', [0, 1, 86_400], [86_401]),
  PLINTH_METRICS: {
    field: 'metrics',
    takes: listens('127.0.0.1:9464', '[::1]:9464', 'unix:/run/plinth/metrics.sock'),
    refuses: ['0.0.0.0:9464', '*:9464', '192.0.2.1:9464', '9464'],
  },
  PLINTH_LOG_LEVEL: {
    field: 'logLevel',
    takes: ['debug', 'info', 'warn', 'error'].map((level) => [level, level]),
    refuses: ['trace', 'INFO'],
  },
  PLINTH_ACCESS_LOG: {
    field: 'accessLog',
    takes: [
      ['1', 'own'],
      ['/var/log/plinth/access.log', '/var/log/plinth/access.log'],
    ],
    refuses: ['data/access.log'],
  },
  PLINTH_AUDIT_LOG: {
    field: 'auditLog',
    takes: [
      ['1', 'own'],
      ['/var/log/plinth/audit.log', '/var/log/plinth/audit.log'],
    ],
    refuses: ['data/audit.log'],
  },
  PLINTH_INTERNAL_LISTEN: {
    field: 'internalListen',
    takes: [
      ['10.0.0.11:8081', { host: '10.0.0.11', port: 8081 }],
      ['[fd00::11]:8081', { host: 'fd00::11', port: 8081 }],
      ['machine-a.example:8081', { host: 'machine-a.example', port: 8081 }],
    ],
    refuses: ['8081', '*:8081', '0.0.0.0:8081', '[::]:8081', 'unix:/run/x.sock', '127.0.0.1:8080'],
  },
}

/** Where nothing is set. */
const NONE: unknown[] = [undefined, '']
const isNone = (value: unknown): boolean =>
  NONE.includes(value) || (Array.isArray(value) && value.length === 0)

t.test('every row of the table of settings', async (t) => {
  const rows = table(MANUAL, 'Settings').flatMap(([names = '', fallback = '']) =>
    [...names.matchAll(/`(\w+)`/g)].map(([, name = '']) => ({ name, fallback })),
  )
  t.same(rows.map(({ name }) => name).sort(), [...settingNames].sort(), 'all settings, and nothing else')
  t.same(Object.keys(ROWS).sort(), [...settingNames].sort(), 'each with a check')
  const unset = readConfig({})
  for (const { name, fallback } of rows) {
    const { field, takes, refuses = [], with: more = {} } = ROWS[name] as Row
    // `none`, `generated` and a list of users are no values: nothing is set then
    const value = /^`([^`]*)`$/.exec(fallback)?.[1]
    if (value === undefined) t.ok(isNone(unset[field]), `${name}: ${fallback}`)
    else t.same(readConfig({ [name]: value }), unset, `${name}: the default is ${value}`)
    for (const [text, read] of takes) {
      const config = readConfig({ ...more, [name]: text })
      if (read === undefined) t.notOk(isNone(config[field]), `${name}=${text}`)
      else t.same(config[field], read, `${name}=${text}`)
    }
    for (const text of refuses)
      t.throws(() => readConfig({ ...more, [name]: text }), { message: new RegExp(name) }, `${name}=${text}`)
    if (name === 'PLINTH_HTTP_LISTEN' || name === 'PLINTH_HSTS')
      t.throws(
        () => readConfig({ [name]: takes[0]?.[0] ?? '' }),
        /needs PLINTH_TLS_CERT/,
        `${name}: https alone`,
      )
    if (field === 'tls') t.throws(() => readConfig(more), /set together/, `${name} is not set alone`)
  }
})
