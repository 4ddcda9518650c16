// Sentences of the manual that have a figure, a name or a limit: each is made here of what the code or a shipped file
// has, and the manual must say it in these words.

import t from 'tap'
import { constantOf, directiveOf } from './support/constants.js'
import { MANUAL, read } from './support/documents.js'
import { connectionsWith, WANTED_FILES } from '../src/nginx/conf-parts.js'

const MANUAL_WORDS = MANUAL.replaceAll(/\s+/g, ' ')

const thousands = (n: unknown): string => String(n).replaceAll(/\B(?=(?:\d{3})+$)/g, ',')
const mib = (n: unknown): string => `${Number(n) / 2 ** 20} MiB`
const seconds = (ms: unknown): string => `${Number(ms) / 1000} s`
const days = (ms: unknown): string => `${Number(ms) / 86_400_000} days`

/** A constant of a file of src/, and what the manual says with it. */
const OF_CODE: [file: string, name: string, says: (value: unknown) => string][] = [
  [
    'addresses/listen-address.ts',
    'MAX_SOCKET_PATH_BYTES',
    (n) => `the whole path has at most ${String(n)} bytes`,
  ],
  ['log.ts', 'MAX_CHARS', (n) => `Paths are cut at ${String(n)} characters`],
  [
    'nginx/log-files.ts',
    'MOST_REFUSED',
    (n) => `\`npm start\` rotates that log at ${mib(n)} and keeps one older one`,
  ],
  ['nginx/log-files.ts', 'MOST_ACCESS', (n) => `renames the file to \`access.log.1\` at ${mib(n)}`],
  ['nginx/log-files.ts', 'MOST_REFUSED', (n) => `and \`refused.log\` at ${mib(n)}`],
  [
    'views/module-index.ts',
    'MOST_ENTRIES',
    (n) => `the ${String(n)} highest versions with time, size, SHA-256`,
  ],
  ['views/module-index.ts', 'MOST_ENTRIES', (n) => `among the ${String(n)} highest of each package`],
  ['views/feed.ts', 'FEED_ENTRIES', (n) => `the ${String(n)} newest versions`],
  ['mirror/reconcile.ts', 'FEW', (n) => `more than ${String(n)} objects and a tenth of an owner's`],
  [
    'packages/version-index.ts',
    'MOST_VERSIONS',
    (n) => `An owner with over ${thousands(n)} versions has no lists (501)`,
  ],
  ['packages/file-hashes.ts', 'WAIT_MS', (ms) => `Who waits for them longer than ${seconds(ms)} gets 503`],
  [
    'http/api-answers.ts',
    'GITEA_VERSION',
    (v) => `| \`${String(v)}\`, the version of Gitea whose API this is |`,
  ],
  ['http/api-answers.ts', 'GITEA_VERSION', (v) => `as Gitea ${String(v).replace(/\.0$/, '')} has it`],
  ['http/api-paging.ts', 'DEFAULT_LIMIT', (n) => `\`limit\` is ${String(n)}, at most`],
  ['http/api-paging.ts', 'MOST', (n) => `at most ${String(n)} |`],
  ['inbox/inbox.ts', 'MAX_WATCHED', (n) => `With over ${thousands(n)} names in the inbox`],
  ['inbox/inbox.ts', 'LOOK_EVERY_MS', (ms) => `it is only looked at, every ${seconds(ms)}.`],
  ['inbox/place.ts', 'REJECTED', (name) => `An owner called \`${String(name)}\` cannot use it`],
  ['nginx/conf-parts.ts', 'MAX_CONNECTIONS', (n) => `A worker of nginx takes ${String(n)} connections`],
  [
    'service/restart-delay.ts',
    'LEAST_MS',
    (ms) => `starts it again after ${seconds(ms)}, then ${seconds(Number(ms) * 2)}`,
  ],
  ['service/restart-delay.ts', 'MOST_MS', (ms) => `, up to ${seconds(ms)};`],
  [
    'service/restart-delay.ts',
    'STEADY_MS',
    (ms) => (ms === 60_000 ? 'after a minute of life the delay begins anew' : ''),
  ],
  ['service/readiness.ts', 'CHECK_MS', (ms) => `cannot be written and synced within ${seconds(ms)} |`],
  [
    'service/readiness.ts',
    'VIEWS_BEHIND_MS',
    (ms) => (ms === 60_000 ? 'of an owner are a minute behind or more' : ''),
  ],
  ['service/readiness.ts', 'HOLDS_MS', (ms) => (ms === 1000 ? 'An answer is at most a second old' : '')],
  [
    'service/clock-watch.ts',
    'TOLERATED_SECONDS',
    (s) => (s === 60 ? 'was put back by a minute or more' : ''),
  ],
  [
    'service/clock-watch.ts',
    'TOLD_MS',
    (ms) => (ms === 600_000 ? 'for ten minutes or until it is right again' : ''),
  ],
  ['service/certificate-watch.ts', 'SOON_DAYS', (n) => `the log says so from ${String(n)} days before on`],
  ['metrics/service-sources.ts', 'SOON_MS', (ms) => `\`expiring\` is within ${days(ms)}`],
  ['audit/audit-log.ts', 'MOST_LOGINS', (n) => `Of wrong credentials ${String(n)} a minute have a line`],
  ['audit/audit-log.ts', 'MODE', (n) => `The file has the mode ${Number(n).toString(8)}`],
  [
    'commands/nginx-files.ts',
    'REFUSED_LOG',
    (path) => `in \`${String(path)}\`, which their logrotate rotates`,
  ],
  [
    'nginx/workers.ts',
    'USUAL_USERS',
    (names) =>
      `| ${(names as string[])
        .map((name) => `\`${name}\``)
        .join(', ')
        .replace(/, (?=[^,]*$)/, ' or ')} |`,
  ],
]

/** A directive of a shipped file, and what the manual says with it. */
const OF_FILES: [file: string, name: string, says: (text: string) => string][] = [
  [
    'scripts/deploy/nginx/connections.conf',
    'client_header_timeout',
    (s) => `A request's head must come within ${s.replace('s', ' s')}`,
  ],
  [
    'scripts/deploy/nginx/connections.conf',
    'keepalive_timeout',
    (s) => `a connection without requests is closed after ${s.replace('s', ' s')}`,
  ],
  [
    'scripts/deploy/nginx/server.conf',
    'limit_req zone=plinth_api',
    (s) => `and with ${s.replace('burst=', '')} of them waiting get 429`,
  ],
  [
    'scripts/deploy/nginx/server.conf',
    'limit_req zone=plinth_api',
    (s) => `with ${s.replace('burst=', '')} waiting the answer is 429`,
  ],
  [
    'scripts/deploy/nginx/connections.conf',
    'send_timeout',
    (s) => `is closed after ${s.replace('s', ' s')}, and so is a download that its reader does not take from`,
  ],
]

t.test('what the manual says of constants of the code', async (t) => {
  for (const [file, name, says] of OF_CODE)
    t.match(MANUAL_WORDS, says(constantOf(file, name)) || '\0', `${file} ${name}`)
  for (const [file, name, says] of OF_FILES)
    t.match(MANUAL_WORDS, says(directiveOf(file, name)), `${file} ${name}`)
})

/** What a line of a shipped file has, by a pattern with one group, and what the manual says with it. */
const OF_LINES: [file: string, pattern: RegExp, says: (text: string) => string][] = [
  ['package.json', /"node": ">=([\d.]+)"/, (v) => `The machine has Node ${v} or newer`],
  ['package.json', /"version": "([^"]+)"/, (v) => `\`npm pack\` in the clone makes \`plinth-${v}.tgz\``],
  ['scripts/deploy/systemd/plinth.service', /^WatchdogSec=(\d+)$/m, (s) => `(\`WatchdogSec=${s}\`)`],
  [
    'scripts/deploy/systemd/plinth.service',
    /^WatchdogSec=(\d+)$/m,
    (s) => (s === '60' ? 'does not answer for half a minute is ended and started again' : ''),
  ],
  ['scripts/deploy/systemd/plinth.service', /^StateDirectory=(\w+)$/m, (name) => `on \`/var/lib/${name}\`.`],
  ['scripts/deploy/systemd/plinth.service', /^LogsDirectory=(\w+)$/m, (name) => `\`/var/log/${name}\` alone`],
  [
    'scripts/deploy/systemd/plinth.service',
    /^EnvironmentFile=-(\S+)$/m,
    (path) => `are lines of \`${path}\``,
  ],
  [
    'scripts/deploy/systemd/plinth-backup.service',
    /cli\.js backup (\S+) --keep/,
    (path) => `makes a backup in \`${path}\``,
  ],
  ['scripts/deploy/systemd/plinth-backup.service', /--keep (\d+)/, (n) => `and keeps ${n}.`],
  [
    'scripts/deploy/systemd/plinth-verify.service',
    /--sample (\d+)%/,
    (n) => (n === '1' ? 'verifies one percent of the uploaded files' : ''),
  ],
  ['scripts/deploy/container/Containerfile', /--uid (\d+)/, (id) => `as the user \`plinth\` (${id})`],
  ['scripts/deploy/container/Containerfile', /--uid (\d+)/, (id) => `\`chown ${id}:${id} FOLDER\``],
  [
    'scripts/deploy/nginx/edge.conf',
    /keys_zone=plinth_edge:(\d+)m/, // one of 1 MiB has room for 8,000: nginx.org, proxy_cache_path
    (mb) => `\`keys_zone\`, which has room for ${thousands(Number(mb) * 8000)} files`,
  ],
  [
    'scripts/deploy/logrotate/plinth',
    /daily\n *rotate (\d+)/,
    (n) => `access logs and refused reads for ${n} days`,
  ],
  [
    'scripts/deploy/logrotate/plinth',
    /monthly\n *maxsize 100M\n *rotate (\d+)/,
    (n) => `audit lines in ${n} files`,
  ],
  [
    'scripts/deploy/nginx/maps.conf',
    /asked_start>\[\^\?\]\{(\d+)\}/,
    (n) => `without the query, cut at ${n} characters`,
  ],
  [
    'scripts/deploy/nginx/maps.conf',
    /agent_start>\.\{(\d+)\}/,
    (n) => `what the client calls itself, cut at ${n} characters`,
  ],
  [
    'src/http/request-id.ts',
    /\{1,(\d+)\}\$/,
    (n) => `When it has at most ${n} letters, digits and \`.\`, \`_\`, \`-\``,
  ],
  ['src/http/request-id.ts', /\[0-9a-f\]\{(\d+)\}/, (n) => `has an id**, ${n} hex digits that nginx makes`],
  ['src/nginx/conf-parts.ts', /HTTP2_DIRECTIVE = 1_0(\d\d)_001/, (minor) => `from nginx 1.${minor}.1 on`],
  [
    'src/service/service-process.ts',
    /GRACE_MS = (\d+)_000/,
    (n) => `give it \`PLINTH_STOP_SECONDS\` and ${n} s more`,
  ],
]

t.test('what the manual says of lines of shipped files', async (t) => {
  for (const [file, pattern, says] of OF_LINES) {
    const [, text] = pattern.exec(read(file)) ?? []
    t.match(MANUAL_WORDS, text === undefined ? '\0' : says(text) || '\0', `${file} ${pattern}`)
  }
  // the sum of the two is less than what the manual gives the container, and systemd gives the unit
  t.match(MANUAL_WORDS, '(`--stop-timeout 60`)')
  t.ok(Number(constantOf('service/service-process.ts', 'GRACE_MS')) / 1000 + 30 < 60)
})

t.test('what follows from several of them', async (t) => {
  t.match(MANUAL_WORDS, `lets it open fewer than ${WANTED_FILES} files`)
  t.equal(connectionsWith(WANTED_FILES), 8192)
  t.ok(connectionsWith(WANTED_FILES - 2) < 8192, 'with fewer files it takes fewer connections')
})
