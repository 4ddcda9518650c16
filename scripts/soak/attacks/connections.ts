// Connections that nothing comes on, and requests that nobody should send.

import { readFileSync, statSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { DEFAULT_RUNTIME, runtimeFiles } from '../../../src/settings/runtime-files.js'
import { head, HOSTILE_ADDRESS, inLanes, pause, send } from '../raw-request.js'
import type { Attack, Target } from '../target.js'

const IDLE = 2200
/** The bytes of a log line at most. A path is cut at 256 characters; in JSON a character may take 6 bytes. */
const LOG_LINE_BYTES = 4096
/** More of it than this at once would be a log that grows without a bound. */
const REFUSED_LOG_BYTES = 64 * 2 ** 20

/** Opens a connection for each that is closed. A third of them send nothing, the others begin a request. */
async function holdIdle({ port }: Target, signal: AbortSignal): Promise<void> {
  const open = new Set<Socket>()
  let opened = 0
  while (!signal.aborted) {
    for (let burst = 0; burst < 200 && open.size < IDLE; burst++) {
      const socket = connect({ host: '127.0.0.1', port, localAddress: HOSTILE_ADDRESS })
      open.add(socket)
      socket.on('error', () => {})
      socket.on('data', () => {})
      socket.on('close', () => open.delete(socket))
      const kind = opened++ % 3
      if (kind === 1)
        socket.write('GET /api/packages/good/generic/still/1/file HTTP/1.1\r\nHost: soak\r\nX-Slow: ')
      if (kind === 2)
        socket.write('GET /api/packages/good/generic/still/1/file HTTP/1.1\r\nHost: soak\r\n\r\n')
    }
    await pause(100, signal)
  }
  for (const socket of open) socket.destroy()
}

const idleConnections: Attack = {
  name: 'idle-connections',
  what: `${IDLE} connections of one address that send nothing, half a request, or one and no more`,
  run: holdIdle,
}

const refusedLog = ({ data }: Target): string => join(data, runtimeFiles(DEFAULT_RUNTIME).refusedLog)

const longPaths: Attack = {
  name: 'long-paths',
  what: 'requests with paths of 14,000 characters, which the logs must cut',
  run: (target, signal) =>
    inLanes(8, signal, (n) => {
      const fill = ['a', '%01', '%C3%BC', '"', '%5C'][n % 5] ?? ''
      const path = `/api/packages/team/generic/x/1/${fill.repeat(Math.floor(14_000 / fill.length))}`
      const [method, Authorization] = [
        ['PUT', target.hostile],
        ['PUT', 'Bearer nobody-has-this-token'],
        ['DELETE', target.hostile],
        ['GET', `Basic ${Buffer.from('nobody:nobody-has-this-token').toString('base64')}`],
      ][n % 4] as [string, string]
      const at = method === 'GET' ? path.replace('/team/', '/private/') : path
      return send(target, head(method, at, { Authorization, 'Content-Length': 0 }), { signal })
    }),
  check: (target, { longestLine }) => {
    const broken: string[] = []
    if (longestLine > LOG_LINE_BYTES) broken.push(`a line of the log has ${longestLine} bytes`)
    try {
      const { size } = statSync(refusedLog(target))
      if (size > REFUSED_LOG_BYTES) broken.push(`refused.log has ${size} bytes`)
      const longest = Math.max(
        ...readFileSync(refusedLog(target), 'utf8')
          .split('\n')
          .map((line) => Buffer.byteLength(line)),
      )
      if (longest > LOG_LINE_BYTES) broken.push(`a line of refused.log has ${longest} bytes`)
    } catch {
      // there is no such log
    }
    return broken
  },
}

const UPLOAD = '/api/packages/team/go/upload'
const READ = '/api/packages/good/generic/still/1/file'

/** Requests that are wrong on the wire, or that HTTP has and nobody uses. */
function oddRequests({ hostile }: Target): string[] {
  const auth = { Authorization: hostile }
  const chunked = { ...auth, 'Transfer-Encoding': 'chunked' }
  const methods = ['OPTIONS', 'TRACE', 'CONNECT', 'PATCH', 'PROPFIND', 'MKCOL', 'COPY', 'x', 'GETS', 'POST']
  return [
    ...methods.map((method) => head(method, READ, auth)),
    ...methods.map((method) => head(method, UPLOAD, { ...auth, 'Content-Length': 0 })),
    head('OPTIONS', '*', {}),
    `${head('PUT', UPLOAD, chunked)}zz\r\nno chunk\r\n`,
    `${head('PUT', UPLOAD, chunked)}ffffffffffffffffff\r\nx`,
    `${head('PUT', UPLOAD, chunked)}5\r\nhello`,
    `${head('PUT', UPLOAD, chunked)}5;${'x'.repeat(9000)}\r\nhello\r\n0\r\n\r\n`,
    `${head('PUT', UPLOAD, { ...chunked, 'Content-Length': 4 })}0\r\n\r\nGET ${READ} HTTP/1.1\r\nHost: x\r\n\r\n`,
    head('PUT', UPLOAD, { ...auth, 'Content-Length': -1 }),
    head('PUT', UPLOAD, { ...auth, 'Content-Length': '99999999999999999999' }),
    `${head('PUT', UPLOAD, { ...auth, 'Content-Length': '1, 2' })}xx`,
    `${head('PUT', UPLOAD, { ...auth, Expect: '100-continue', 'Content-Length': 3 })}zip`,
    head('PUT', UPLOAD, { ...auth, Expect: 'the impossible', 'Content-Length': 0 }),
    head('GET', READ, { Range: `bytes=${Array.from({ length: 500 }, (_, n) => `${n}-${n}`).join()}` }),
    head('GET', READ, { 'X-Large': 'x'.repeat(60_000) }),
    head('GET', `http://elsewhere${READ}`, {}),
    head('GET', '/api/packages/good/generic/../../../../etc/passwd', {}),
    head('GET', '/api/packages/good/generic/%2e%2e/%2e%2e/state/lock', {}),
    head('DELETE', '/api/packages/team/generic/%00/%ff/..', auth),
    `${head('GET', READ, {}).replace('Connection: close\r\n', '').repeat(50)}${head('GET', READ, {})}`,
    `GET ${READ}\r\n\r\n`,
    `GET ${READ} HTTP/9.9\r\n\r\n`,
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    '\0'.repeat(500),
  ]
}

const oddMethods: Attack = {
  name: 'odd-requests',
  what: 'odd methods, broken chunks, requests within requests, many at once on a connection',
  run: (target, signal) => {
    const requests = oddRequests(target)
    return inLanes(8, signal, async (n) => {
      await send(target, Buffer.from(requests[n % requests.length] ?? '', 'latin1'), {
        signal,
        withinMs: 500,
      })
      return 1
    })
  },
}

export const connections: readonly Attack[] = [idleConnections, longPaths, oddMethods]
