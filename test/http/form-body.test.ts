// The content of a form's file: which part it is, that not one byte of it is changed, and what is refused.

import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, IncomingMessage, request, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import Koa from 'koa'
import t from 'tap'
import { readConfig } from '../../src/config.js'
import { Admission } from '../../src/http/admission.js'
import { fileOfForm } from '../../src/http/form-body.js'
import { answerErrors } from '../../src/http/middleware.js'
import { receiveBody } from '../../src/http/request-body.js'
import type { RequestState } from '../../src/http/request-state.js'
import { FreeSpace } from '../../src/store/free-space.js'
import { Store } from '../../src/store/store.js'
import { settledViolations } from '../support/invariants.js'
import { randomOf } from '../support/random.js'
import { newData } from '../support/service.js'
import { until } from '../support/until.js'

const LIMIT = 1_000_000
const data = await newData({ fast: true })
const parts = {
  config: readConfig({ PLINTH_DATA: data }),
  store: new Store(data),
  freeSpace: new FreeSpace(data, 0),
  admission: new Admission(1),
}
const app = new Koa<RequestState>()
  .use(answerErrors((_level, event, fields) => t.fail(`${event} ${JSON.stringify(fields)}`)))
  .use((ctx) => receiveBody(parts, ctx, LIMIT, async ({ path }) => void (ctx.body = await readFile(path))))
const server = createServer(app.callback()).listen(join(data, 'socket'))
await once(server, 'listening')
t.teardown(() => {
  server.close()
  server.closeAllConnections()
})

/** Sends the pieces one after the other. Resolves with what the service took for the upload's content. */
async function send(type: string, pieces: Iterable<Buffer>): Promise<{ status: number; content: Buffer }> {
  const headers = { 'content-type': type }
  const req = request({ socketPath: join(data, 'socket'), method: 'PUT', headers, agent: false })
  const answer = once(req, 'response') as Promise<[IncomingMessage]>
  for (const piece of pieces) {
    req.write(piece)
    await new Promise(setImmediate)
  }
  req.end()
  const [res] = await answer
  return { status: res.statusCode ?? 0, content: await buffer(res) }
}

type Form = { boundary?: string; type?: string; before?: string; after?: string; end?: string }

const FILE = 'Content-Disposition: form-data; name="f"; filename="x"'
const FIELD = 'Content-Disposition: form-data; name="x"'
const encoded = (encoding: string): string => `\r\nContent-Transfer-Encoding: ${encoding}`

const bytesOf = (
  heads: Iterable<[head: string, content: string]>,
  { boundary = 'b', before = '', after = '\r\n', end = '--' }: Form,
): Buffer => {
  const parts = [...heads].map(([head, content]) => `--${boundary}\r\n${head}\r\n\r\n${content}\r\n`)
  return Buffer.from(`${before}${parts.join('')}--${boundary}${end}${after}`, 'latin1')
}
const typeOf = ({ boundary = 'b', type = `multipart/form-data; boundary=${boundary}` }: Form): string => type

type Row = [what: string, heads: [head: string, content: string][], form?: Form]

const TAKEN: Row[] = [
  ['a file', [[FILE, 'content']]],
  ['a file before a field', [[FILE, 'content'], [FIELD, '1']]], // prettier-ignore
  ['a file after a field', [[FIELD, '1'], [FILE, 'content']]], // prettier-ignore
  ['100 fields', [...Array.from({ length: 100 }, (): [string, string] => [FIELD, '1']), [FILE, 'content']]],
  ...['7bit', '8bit', 'binary', 'base64', 'quoted-printable', 'utf16le', 'x-unknown', ''].map(
    (encoding): Row => [
      `a field with the transfer encoding '${encoding}'`,
      [[FIELD + encoded(encoding), 'MQ=='], [FILE, 'content']], // prettier-ignore
    ],
  ),
  ...['7bit', '8bit', 'binary', 'BINARY', ' binary '].map((encoding): Row => [
    `a file with the transfer encoding '${encoding}'`,
    [[FILE + encoded(encoding), 'content']],
  ]),
  ['a file without a name', [['Content-Disposition: form-data; name="f"\r\nContent-Type: a/b', 'content']]],
  ['an encoded file name', [["Content-Disposition: form-data; filename*=UTF-8''x", 'content']]],
  ['a field whose name looks like a file', [['Content-Disposition: form-data; name="a; filename=b"', '1'], [FILE, 'content']]], // prettier-ignore
  ['a quote in the name of a field', [['Content-Disposition: form-data; name="a\\"; filename=b"', '1'], [FILE, 'content']]], // prettier-ignore
  ['no name at all', [['Content-Disposition: form-data', '1'], [FILE, 'content']]], // prettier-ignore
  [
    'two names',
    [['Content-Disposition: form-data; name="a"; name="b"; filename="x"; filename="y"', 'content']],
  ],
  ['a part without a head', [[FILE, 'content'], ['X: y', '1']]], // prettier-ignore
  ['a preamble and an epilogue', [[FILE, 'content']], { before: 'hello\r\n', after: '\r\nbye' }],
  ['a quoted boundary', [[FILE, 'content']], { type: 'multipart/form-data; boundary="b"; x=y' }],
  // Each of these words made formidable take the form for something else.
  ...['json', 'octet-stream', 'urlencoded', 'x'.repeat(70), "'()+_,-./:=?"].map((boundary): Row => [
    `the boundary ${boundary}`,
    [[FILE, 'content']],
    { boundary },
  ]),
]

t.test('what is taken', async (t) => {
  for (const [what, heads, form = {}] of TAKEN) {
    const { status, content } = await send(typeOf(form), [bytesOf(heads, form)])
    t.same([status, content.toString()], [200, 'content'], what)
  }
  const empty = await send(typeOf({}), [bytesOf([[FILE, '']], {})])
  t.same([empty.status, empty.content.toString()], [200, ''], 'an empty file')
})

const many = (count: number): [string, string][] => Array.from({ length: count }, () => [FIELD, '1'])
const REFUSED: [...Row, says: RegExp][] = [
  ['no part', [], {}, /exactly one file part, this one holds none/],
  ['a field alone', [[FIELD, '1']], {}, /holds none/],
  ['two files', [[FILE, '1'], [FILE, '2']], {}, /holds more/], // prettier-ignore
  ['101 fields', [...many(101), [FILE, 'content']], {}, /over 100 fields/],
  ['long fields', [[FIELD, 'x'.repeat(200_000)], [FILE, '']], {}, /131072 bytes of it are no file/], // prettier-ignore
  ['a long head', [[`X: ${'x'.repeat(200_000)}`, ''], [FILE, '']], {}, /131072 bytes/], // prettier-ignore
  ['a long preamble', [[FILE, '']], { before: 'x'.repeat(200_000) }, /131072 bytes/],
  ['a long epilogue', [[FILE, '']], { after: 'x'.repeat(200_000) }, /131072 bytes/],
  ...['base64', 'quoted-printable', 'utf-8', 'x-unknown', 'binary; x', ''].map(
    (encoding): [...Row, RegExp] => [
      `a file with the transfer encoding '${encoding}'`,
      [[FILE + encoded(encoding), 'Y29udGVudA==']],
      {},
      /the transfer encoding ".*": only 7bit, 8bit and binary are taken/,
    ],
  ),
  ['two transfer encodings', [[FILE + encoded('gzip') + encoded('binary'), '']], {}, /encoding "gzip"/],
  ['no boundary', [[FILE, '']], { type: 'multipart/form-data' }, /a boundary of 1 to 70/],
  ['an empty boundary', [[FILE, '']], { type: 'multipart/form-data; boundary=' }, /a boundary of 1 to 70/],
  ['a long boundary', [[FILE, '']], { boundary: 'x'.repeat(71) }, /a boundary of 1 to 70/],
  ['another boundary', [[FILE, '']], { type: 'multipart/form-data; boundary=c' }, /the form cannot be read/],
  ['no end', [[FILE, '']], { end: '', after: '' }, /it has no end/],
  ['half an end', [[FILE, '']], { end: '-', after: '' }, /it has no end/],
  ['text after a boundary', [[FILE, '']], { end: 'x' }, /it has no end/],
  ['a space in the name of a header', [['X y: 1', '']], {}, /the form cannot be read/],
  ['a byte 0 in a head', [['X\0: 1', '']], {}, /the form cannot be read/],
]

t.test('what is refused', async (t) => {
  for (const [what, heads, form = {}, says] of REFUSED) {
    const { status, content } = await send(typeOf(form), [bytesOf(heads, form)])
    t.equal(status, 400, what)
    t.match(content.toString(), says, what)
  }
})

t.test('a file over the limit is 413', async (t) => {
  const form = bytesOf([[FILE, 'x'.repeat(LIMIT + 1)]], {})
  t.equal((await send(typeOf({}), [form])).status, 413)
  t.equal((await send(typeOf({}), [bytesOf([[FILE, 'x'.repeat(LIMIT)]], {})])).status, 200, 'at the limit')
})

t.test('no byte of a file changes, however it is cut and whatever looks like a boundary in it', async (t) => {
  const random = randomOf(1)
  const fragments = [
    '\r',
    '\n',
    '-',
    '--',
    '\r\n',
    '\r\n-',
    '\r\n--',
    '\r\n--bound',
    '\r\n--boundarx',
    '\0',
    'x',
  ]
  for (let round = 0; round < 40; round++) {
    const length = random.below(round % 10 === 0 ? 20_000 : 100)
    const text = Array.from({ length }, () => random.of(fragments)).join('')
    const content = Buffer.from(text)
    const form = bytesOf([[FILE, text]], { boundary: 'boundary' })
    const most = random.of([1, 7, 80, 20_000, 100_000])
    const pieces: Buffer[] = []
    for (let at = 0; at < form.length && pieces.length < 100;) {
      const size = pieces.length === 99 ? form.length : 1 + random.below(most)
      pieces.push(form.subarray(at, at + size))
      at += size
    }
    const got = await send(typeOf({ boundary: 'boundary' }), pieces)
    if (got.status !== 200 || !got.content.equals(content))
      t.fail(`round ${round}: ${got.status}, ${got.content.length} bytes of ${content.length}`)
  }
})

t.test('nothing is left of all these', async (t) => t.same(await settledViolations(data), []))

t.test('64 forms of one account delay a form of another one by a slice each time', async (t) => {
  const head = bytesOf([[FILE, '']], {}).subarray(0, -'\r\n--b--\r\n'.length)
  const koa = new Koa<RequestState>()
  let slices = 0
  /** Reads a form of `account` to its end. The bad one's has none. */
  async function read(account: string, pieces: Iterator<Buffer, undefined>): Promise<void> {
    const req = new IncomingMessage(new Socket())
    Object.assign(req, { method: 'PUT', headers: { 'content-type': typeOf({}), 'content-length': '9' } })
    const ctx = koa.createContext(req, new ServerResponse(req))
    ctx.state.account = account
    const next = fileOfForm(ctx as never, async () => pieces.next())
    for (let piece = await next(); !piece.done; piece = await next()) slices += account === 'bad' ? 1 : 0
  }
  const over = new AbortController()
  function* endless() {
    yield head
    while (!over.signal.aborted) yield Buffer.alloc(16 * 1024)
    return undefined
  }
  const flood = Array.from({ length: 64 }, () => read('bad', endless()).catch(() => {}))
  await until(() => slices >= 64)
  const before = slices
  await read('good', [bytesOf([[FILE, 'content']], {})].values())
  t.ok(slices - before < 10, `${slices - before} slices of theirs came between`)
  over.abort()
  await Promise.all(flood)
})
