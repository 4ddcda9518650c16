import { Registry } from 'prom-client'
import t from 'tap'
import type { RequestContext } from '../../src/http/request-state.js'
import { RequestMetrics } from '../../src/metrics/request-metrics.js'

type Asked = { method: string; path: string; status: number; bytes?: number; authorization?: string }

function makeMetrics() {
  const registry = new Registry()
  const { observe } = new RequestMetrics(registry)
  const series = async (): Promise<Map<string, number>> =>
    new Map(
      (await registry.metrics())
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'))
        .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
    )
  const ask = async ({ method, path, status, bytes, authorization = '' }: Asked): Promise<void> => {
    const ctx = {
      method,
      path,
      status: 404,
      state: {},
      get: () => authorization,
    } as unknown as RequestContext
    await observe(ctx, async () => {
      ctx.status = status
      if (bytes !== undefined) ctx.state.bytes = bytes
    })
  }
  /** The series that a request changes, with how much; times are left out. */
  const changes = async (asked: Asked): Promise<Record<string, number>> => {
    const before = await series()
    await ask(asked)
    const after = [...(await series())].map(
      ([name, value]) => [name, value - (before.get(name) ?? NaN)] as const,
    )
    return Object.fromEntries(after.filter(([name, by]) => by !== 0 && !/_bucket|_sum/.test(name)))
  }
  return { series, ask, changes }
}

const GO = '/api/packages/team/go/upload'
const FILE = '/api/packages/team/generic/tool/1.0/x'

t.test('what each request changes', async (t) => {
  const { changes } = makeMetrics()
  const requests = (purpose: string, statusClass: string): Record<string, number> => ({
    [`plinth_requests_total{purpose="${purpose}",class="${statusClass}"}`]: 1,
  })
  const upload = (kind: string, result: string): Record<string, number> => ({
    [`plinth_uploads_total{kind="${kind}",result="${result}"}`]: 1,
  })
  const deletes = (kind: string, result: string): Record<string, number> => ({
    [`plinth_deletes_total{kind="${kind}",result="${result}"}`]: 1,
  })
  t.same(await changes({ method: 'PUT', path: GO, status: 201, bytes: 7 }), {
    ...requests('upload', '2xx'),
    ...upload('go', 'published'),
    'plinth_upload_bytes_total{kind="go"}': 7,
    'plinth_upload_duration_seconds_count{kind="go"}': 1,
  })
  t.same(await changes({ method: 'POST', path: GO, status: 409, bytes: 8 }), {
    ...requests('upload', '4xx'),
    ...upload('go', 'conflict'),
    'plinth_upload_bytes_total{kind="go"}': 8,
  })
  t.same(await changes({ method: 'PUT', path: FILE, status: 500 }), {
    ...requests('upload', '5xx'),
    ...upload('generic', 'error'),
  })
  t.same(await changes({ method: 'DELETE', path: FILE, status: 204 }), {
    ...requests('delete', '2xx'),
    ...deletes('generic', 'deleted'),
    'plinth_delete_duration_seconds_count{kind="generic"}': 1,
  })
  t.same(await changes({ method: 'DELETE', path: '/api/v1/packages/team/go/m/v1.0.0', status: 404 }), {
    ...requests('delete', '4xx'),
    ...deletes('go', 'not_found'),
  })
  t.same(
    await changes({ method: 'PUT', path: '/api/v1/packages/team/go/m', status: 405 }),
    requests('api', '4xx'),
  )
  t.same(await changes({ method: 'GET', path: '/-/asked', status: 401, authorization: 'x' }), {
    ...requests('read', '4xx'),
    plinth_failed_logins_total: 1,
  })
  t.same(
    await changes({ method: 'GET', path: '/-/asked', status: 401 }),
    requests('read', '4xx'),
    'without credentials nothing has failed',
  )
  t.same(
    await changes({ method: 'POST', path: '/-/commands/account', status: 200 }),
    requests('command', '2xx'),
  )
})

t.test('no request of a stranger makes a series', async (t) => {
  const { series, ask } = makeMetrics()
  const before = [...(await series()).keys()]
  const paths = [GO, FILE, '/', '/-/asked', '/api/v1/x', '/-/commands/x', '//', '/api/packages/"}\n/go/x']
  const kinds = ['constructor', '__proto__', 'go', 'generic']
  for (const kind of kinds) paths.push(`/api/packages/x/${kind}/a`, `/api/v1/packages/x/${kind}/a`)
  for (const path of paths)
    for (const method of ['PUT', 'POST', 'DELETE', 'GET', 'OPTIONS', 'x'])
      for (const status of [
        100, 200, 201, 204, 206, 302, 400, 401, 403, 404, 405, 408, 409, 413, 418, 429, 499, 500,
      ])
        for (const each of [status, status + 3]) await ask({ method, path, status: each, bytes: 1 })
  t.same([...(await series()).keys()], before)
})
