import t from 'tap'
import { entryText, isMeant, parseEntry, type LogFilter } from '../../src/logs/entry.js'

const TIME = '2026-01-31T12:00:00.123Z'
const line = (fields: object): string => JSON.stringify({ time: TIME, level: 'info', ...fields })

const AUDIT = { event: 'audit', account: 'ci', address: '10.0.0.1', id: 'ab', result: 'done', status: 201 }
const REQUEST = {
  event: 'request',
  id: 'ab',
  method: 'PUT',
  path: '/api/packages/team/go/upload',
  status: 201,
}

const TABLE: [fields: object, kind: string, owner: string | undefined, text: string][] = [
  [
    { ...AUDIT, kind: 'publish', owner: 'team', what: 'example.com/m@v1.0.0' },
    'publish',
    'team',
    'publish done ci from 10.0.0.1: team example.com/m@v1.0.0',
  ],
  [
    {
      event: 'audit',
      kind: 'account',
      action: 'add',
      what: 'ci',
      rights: 'admin',
      by: 'local user 0',
      result: 'done',
    },
    'account',
    undefined,
    'account done local user 0: add ci rights=admin',
  ],
  [
    {
      event: 'audit',
      kind: 'login',
      claimed: 'ci',
      address: '::1',
      result: 'refused',
      status: 401,
      reason: 'no\nmore',
    },
    'login',
    undefined,
    'login refused ci? from ::1: status=401 (no)',
  ],
  [
    { level: 'error', event: 'audit', kind: 'gap', lost: 3 },
    'gap',
    undefined,
    'gap error -: lines are missing: lost=3',
  ],
  [
    { ...REQUEST, account: 'ci', owner: 'team', what: 'a@1', address: '::1', ms: 7 },
    'publish',
    'team',
    'publish 201 ci from ::1: PUT /api/packages/team/go/upload (a@1) ms=7',
  ],
  [{ ...REQUEST, method: 'DELETE' }, 'delete', 'team', 'delete 201 -: DELETE /api/packages/team/go/upload'],
  [
    { ...REQUEST, status: 401, claimed: 'ci' },
    'login',
    'team',
    'login 401 ci?: PUT /api/packages/team/go/upload',
  ],
  [
    { ...REQUEST, method: 'GET', path: '/api/v1/packages/team' },
    'read',
    'team',
    'read 201 -: GET /api/v1/packages/team',
  ],
  [
    { event: 'access', method: 'GET', path: '/team/go/x', status: 200, account: '', bytes: 5, agent: 'curl' },
    'read',
    'team',
    'read 200 -: GET /team/go/x bytes=5',
  ],
  [
    { event: 'refused', method: 'GET', path: '/-/api/', status: 401, address: '::1' },
    'login',
    'api',
    'login 401 - from ::1: GET /-/api/',
  ],
  [
    { event: 'inbox', path: 'team/go/m.zip', result: 'published', module: 'm' },
    'publish',
    'team',
    'publish published -: team/go/m.zip module=m',
  ],
  [
    { event: 'owner', by: 'root', request: '{"action":"add","name":"new","public":true}' },
    'owner',
    'new',
    'owner info root: owner request={"action":"add","name":"new","public":true}',
  ],
  [{ event: 'ready', pid: 7 }, 'service', undefined, 'service info -: ready pid=7'],
  [{ event: 'audit', kind: 'of another version' }, 'service', undefined, 'service info -:'],
  [
    { event: 'request', method: 'POST', path: '/-/commands/x', status: 404 },
    'service',
    undefined,
    'service 404 -: POST /-/commands/x',
  ],
]

t.test('lines of all logs', async (t) => {
  for (const [fields, kind, owner, text] of TABLE) {
    const entry = parseEntry(line(fields))
    if (!entry) throw new Error(JSON.stringify(fields))
    t.equal(entry.kind, kind, text)
    t.equal(entry.owner, owner, text)
    t.equal(entry.time, Date.parse(TIME))
    t.equal(entryText(entry), `2026-01-31T12:00:00Z ${text}`.trimEnd())
  }
  t.equal(
    parseEntry('{"time":"2026-01-31T12:00:00+00:00","event":"access"}')?.time,
    Date.parse('2026-01-31T12:00Z'),
  )
})

t.test('what is no line of a log', async (t) => {
  for (const text of [
    '',
    'plinth: serving /srv/plinth',
    '{',
    '[]',
    'null',
    '7',
    '"text"',
    '{}',
    '{"time":"then","event":"audit"}',
    '{"time":7,"event":"audit"}',
    `{"time":"${TIME}"}`,
    `{"time":"${TIME}","event":7}`,
    `{"time":"${TIME}","event":"audit"`,
  ])
    t.equal(parseEntry(text), undefined, text)
})

t.test('fields of other types than ours change nothing', async (t) => {
  const odd = {
    kind: 7,
    owner: {},
    path: [],
    method: null,
    account: 1,
    request: '[]',
    reason: {},
    status: 'x',
  }
  for (const event of [
    'audit',
    'request',
    'access',
    'refused',
    'inbox',
    'owner',
    'constructor',
    '__proto__',
  ]) {
    const entry = parseEntry(line({ event, ...odd }))
    t.type(entry && entryText(entry), 'string', event)
    t.equal(entry?.owner, undefined, event)
  }
})

t.test('filters', async (t) => {
  const fields = { ...AUDIT, kind: 'publish', owner: 'team', what: 'x@1' }
  const change = { event: 'audit', kind: 'account', action: 'rotate', what: 'ci', by: 'local user 0' }
  const now = Date.parse(TIME)
  const table: [fields: object, filter: LogFilter, meant: boolean][] = [
    [fields, {}, true],
    [fields, { since: now }, true],
    [fields, { since: now + 1 }, false],
    [fields, { owner: 'team', account: 'ci', kind: 'publish' }, true],
    [fields, { owner: 'tea' }, false],
    [fields, { owner: 'team', kind: 'delete' }, false],
    [fields, { account: 'x@1' }, false],
    [change, { account: 'ci' }, true],
    [change, { account: 'local user 0' }, false],
    [change, { owner: 'team' }, false],
    [{ event: 'request', claimed: 'ci' }, { account: 'ci' }, true],
    [{ event: 'account', by: 'root', request: '{"name":"ci"}' }, { account: 'ci' }, true],
    [{ event: 'account', by: 'root', request: '{"name":"ci"}' }, { account: 'root' }, true],
  ]
  for (const [shown, filter, meant] of table) {
    const entry = parseEntry(line(shown))
    t.equal(entry && isMeant(entry, filter), meant, JSON.stringify({ shown, filter }))
  }
})
