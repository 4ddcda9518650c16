import t from 'tap'
import { asksWhetherReady, refused, unavailable } from '../../src/cluster/answers.js'
import { endToEnd, headersSentOn } from '../../src/cluster/end-to-end.js'

t.test('headers go on as they were written, but for those of the connection', async (t) => {
  const raw = [
    'hOsT',
    'x',
    'Connection',
    'X-Forwarded-For, close',
    'X-Forwarded-For',
    '192.0.2.1',
    'a',
    '1',
    'A',
    '2',
  ]
  t.same(endToEnd(raw), ['hOsT', 'x', 'X-Forwarded-For', '192.0.2.1', 'a', '1', 'A', '2'])
  for (const name of [
    'TE',
    'Trailer',
    'Keep-Alive',
    'Upgrade',
    'Proxy-Connection',
    'transfer-encoding',
    'CONNECTION',
  ])
    t.same(endToEnd([name, 'x', 'b', name]), ['b', name], name)
  t.same(endToEnd([]), [])
})

t.test('the end of a body is said in one way', async (t) => {
  const host = 'x'
  t.same(headersSentOn(['Host', 'x'], { host }, false), ['Host', 'x'])
  t.same(headersSentOn([], {}, false), ['Host', ''], 'HTTP/1.0 without a name')
  t.same(headersSentOn(['Host', 'x'], { host }, true), ['Host', 'x', 'Content-Length', '0'], 'an empty body')
  t.same(headersSentOn(['Content-Length', '5'], { host, 'content-length': '5' }, true), [
    'Content-Length',
    '5',
  ])
  for (const isWrite of [true, false])
    t.same(
      headersSentOn(['Transfer-Encoding', 'Chunked'], { host, 'transfer-encoding': 'Chunked' }, isWrite),
      ['Transfer-Encoding', 'chunked'],
    )
  for (const coding of ['gzip, chunked', 'identity', 'chunked, chunked', ''])
    t.equal(headersSentOn([], { host, 'transfer-encoding': coding }, true), undefined, coding)
})

t.test('answers of its own have the form that each kind of client reads', async (t) => {
  const why = 'no machine takes uploads at the moment'
  const ready = unavailable('GET', '/-/ready?x', why)
  t.same(JSON.parse(ready.body), {
    status: 'not ready',
    checks: [{ name: 'service', ok: false, reason: why }],
  })
  t.match(unavailable('PUT', '/-/ready', why).body, /^uploads and deletes are not possible/)
  t.same(JSON.parse(unavailable('DELETE', '/api/v1/packages/a', why).body).url, '')
  t.match(
    unavailable('PUT', '/api/packages/a/go/upload', why).body,
    /not possible at the moment: no machine .*reads go on\n$/,
  )
  t.match(unavailable('GET', '/-/asked', why).body, /^this needs the service/)
  for (const answer of [ready, unavailable('PUT', '/x', why)])
    t.match(answer, { status: 503, headers: { 'Retry-After': '5', 'Cache-Control': 'no-store' } })
  t.match(refused(501, 'x'), { status: 501, body: 'x\n' })
  t.notOk(asksWhetherReady('PUT', '/-/ready') || asksWhetherReady('GET', '/-/readyx'))
})
