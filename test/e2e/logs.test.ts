// Who did what can be found again: ids of requests, the access log, the audit log, and the command that reads them.

import { readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { simpleModule } from '../support/zips.js'
import { askRaw, type Answer } from '../support/http.js'
import { startPlinth, type Plinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { until } from '../support/until.js'

const ID = /^[0-9a-f]{32}$/
const FILE = '/api/packages/team/generic/tool/1/a.txt'

type Line = Record<string, unknown>

const linesIn = (text: string): Line[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line)

const idOf = ({ headers }: Answer): string => String(headers['x-request-id'])

/** The lines of the service's log for an answer; waits for one. */
async function logged(plinth: Plinth, answer: Answer): Promise<Line[]> {
  const id = idOf(answer)
  await until(() => plinth.log().includes(`"id":"${id}"`))
  return linesIn(plinth.log()).filter((line) => line['id'] === id)
}

t.test('ids of requests', needs('nginx'), async (t) => {
  const plinth = await startPlinth({ PLINTH_LOG_LEVEL: 'debug' })
  t.teardown(plinth.stop)
  const { ask, get, data } = plinth
  plinth.cli('owner', 'add', 'secret', '--private')
  const token = plinth.cli('account', 'add', 'reader', '--read', 'secret').trimEnd().split('\n').at(-1) ?? ''

  await t.test('what reaches the service has a line with the id that its answer has', async (t) => {
    const put = await ask('PUT', FILE, { body: '0123456789' })
    const asked: [what: string, answer: Answer, status: number, line: Line][] = [
      ['a file', put, 201, { account: 'admin', path: FILE }],
      ['a module', await plinth.publish(await simpleModule('example.com/m', 'v1.0.0')), 201, {}],
      ['one that is there', await ask('PUT', FILE, { body: 'x' }), 409, { path: FILE }],
      ['a wrong token', await ask('PUT', FILE, { body: 'x', auth: 'Basic YWRtaW46eA==' }), 401, {}],
      ['a list of the API', await get('/api/v1/packages/team'), 200, { method: 'GET' }],
      ['no such package', await get('/api/v1/packages/team/go/nothing'), 404, {}],
      ['an unknown command', await ask('POST', '/-/commands/x', { body: '{}' }), 415, {}],
    ]
    for (const [what, answer, status, line] of asked) {
      t.equal(answer.status, status, what)
      t.match(idOf(answer), ID, what)
      t.match(await logged(plinth, answer), [{ event: 'request', status, ...line }], what)
    }
    t.equal(new Set(asked.map(([, answer]) => idOf(answer))).size, asked.length, 'no two have the same')
  })

  await t.test('a command from elsewhere has two lines of one id', async (t) => {
    const headers = { 'content-type': 'application/json' }
    const body = '{"action":"list"}'
    const lines = await logged(plinth, await ask('POST', '/-/commands/account', { body, headers }))
    t.match(lines, [{ event: 'account', by: 'admin' }, { event: 'request' }])
  })

  await t.test('an id of the client is no id here', async (t) => {
    const table: [sent: string, kept: string | undefined][] = [
      ['from-a.proxy_1', 'from-a.proxy_1'],
      ['x'.repeat(64), 'x'.repeat(64)],
      ['x'.repeat(65), undefined],
      ['two words', undefined],
      ['a","level":"error', undefined],
      ['\u00e4', undefined],
      ['', undefined],
    ]
    for (const [sent, kept] of table) {
      const headers = { 'X-Request-Id': sent, 'X-Plinth-Sent-Id': 'forged' }
      const answer = await ask('DELETE', `${FILE}.none`, { headers })
      t.match(idOf(answer), ID)
      const [line] = await logged(plinth, answer)
      t.equal(line?.['sentId'], kept, sent)
    }
    t.notMatch(plinth.log(), /forged|two words|x{65}/)
  })

  await t.test('a refusal of nginx has an id, and a file that it sends needs none', async (t) => {
    const etag = (await get(FILE)).headers.etag ?? ''
    const table: [what: string, answer: Promise<Answer>, status: number, hasId: boolean][] = [
      ['a file', get(FILE), 200, false],
      ['a part', ask('GET', FILE, { headers: { range: 'bytes=0-3' } }), 206, false],
      ['one that is known', ask('GET', FILE, { headers: { 'if-none-match': etag } }), 304, false],
      ['a page', get('/'), 200, false],
      ['nothing', get(`${FILE}.none`), 404, true],
      ['a private owner', get('/api/packages/secret/generic/a/1/b'), 401, true],
      ['wrong credentials', ask('GET', '/secret/', { auth: 'Basic YWRtaW46eA==' }), 401, true],
      ['no such range', ask('GET', FILE, { headers: { range: 'bytes=10-' } }), 416, true],
      ['another file', ask('GET', FILE, { headers: { 'if-match': '"x"' } }), 412, true],
      ['a method', ask('PATCH', FILE), 405, true],
    ]
    for (const [what, asked, status, hasId] of table) {
      const answer = await asked
      t.equal(answer.status, status, what)
      if (hasId) t.match(idOf(answer), ID, what)
      else t.notOk('x-request-id' in answer.headers, what)
    }
    t.match(await askRaw(plinth.port, 'GET / HTTP/1.1', 'no colon'), /^x-request-id: [0-9a-f]{32}\r$/im)
  })

  await t.test('the log of refused reads has the id; the service tells at the level debug', async (t) => {
    const answer = await ask('GET', '/api/packages/secret/generic/a/1/b', { auth: 'Bearer wrong' })
    t.equal(answer.status, 401)
    const refused = linesIn(readFileSync(join(data, 'state/nginx/refused.log'), 'utf8'))
    t.match(refused.at(-1), { event: 'refused', id: idOf(answer), status: 401 })
    t.match(await logged(plinth, answer), [{ level: 'debug', event: 'request', status: 401 }])
    const allowed = await ask('GET', '/api/packages/secret/', { auth: `Bearer ${token}` })
    t.equal(allowed.status, 404)
    t.match(await logged(plinth, allowed), [{ level: 'info', account: 'reader', status: 204 }])
  })

  await t.test('an error of the service is found by the id of its answer', async (t) => {
    renameSync(join(data, 'state/tmp'), join(data, 'state/gone'))
    const answer = await ask('PUT', `${FILE}.b`, { body: 'x' })
    renameSync(join(data, 'state/gone'), join(data, 'state/tmp'))
    t.equal(answer.status, 500)
    t.match(answer.body, idOf(answer))
    t.match(await logged(plinth, answer), [{ event: 'internal error' }, { event: 'request', status: 500 }])
  })

  await t.test('what waits for a service that is down has an id, too', async (t) => {
    await plinth.stopShim()
    const answer = await ask('PUT', FILE, { body: 'x' })
    t.equal(answer.status, 503)
    t.match(idOf(answer), ID)
  })
})
