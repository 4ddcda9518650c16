// Requests that go out as they are written, and the token that the data folders of tests accept.

import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'

// Differs in each process: tests look for it in the list of all processes and must not find another test's.
export const TOKEN = `a-token-for-tests-${process.pid}-0123456789`
export const AUTH = `Basic ${Buffer.from(`admin:${TOKEN}`).toString('base64')}`

export type Answer = { status: number; headers: IncomingHttpHeaders; body: string; bytes: Buffer }
export type Asking = {
  body?: Buffer | string
  headers?: Record<string, string>
  auth?: string | false
  /** The certificate to trust: the request goes out over https. */
  ca?: Buffer
  /** Another way to the server than to 127.0.0.1 from there; `servername` is the name in its certificate. */
  via?: {
    host?: string
    socketPath?: string
    localAddress?: string
    servername?: string
    rejectUnauthorized?: boolean
  }
}

/** A request whose path goes out as it is written: nothing is normalised. */
export const ask = (port: number, method: string, path: string, asking: Asking = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const authorization =
      asking.auth === false ? undefined : (asking.auth ?? (method === 'GET' ? undefined : AUTH))
    const req = (asking.ca ? httpsRequest : httpRequest)({
      ...(asking.ca && { ca: asking.ca }),
      host: '127.0.0.1',
      port,
      method,
      path,
      agent: false,
      ...asking.via,
      headers: { ...(authorization !== undefined && { authorization }), ...asking.headers },
    })
    req.on('response', (res) => {
      const chunks: Buffer[] = []
      res.on('data', (chunk: Buffer) => chunks.push(chunk))
      res.on('end', () => {
        const bytes = Buffer.concat(chunks)
        resolve({ status: res.statusCode ?? 0, headers: res.headers, body: bytes.toString(), bytes })
      })
      res.on('error', reject)
    })
    req.on('error', reject)
    req.end(asking.body)
  })

/** Sends lines as they are; resolves with all that comes back. */
export const askRaw = (port: number, ...lines: string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    socket.on('error', reject)
    socket.on('data', (data) => (text += data.toString()))
    socket.on('close', () => resolve(text))
    socket.end([...lines, '', ''].join('\r\n'))
  })

/** Sends a head and never the body; resolves with the status line of the answer, which may follow a 100 at once. */
export const askWithoutBody = (
  port: number,
  method: string,
  path: string,
  headers: string[],
): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let heads = ''
    socket.on('error', reject)
    socket.on('close', () => reject(new Error(`closed without an answer: ${heads}`)))
    socket.on('data', (data) => {
      heads += data.toString()
      const line = /^HTTP\/1\.1 (?!100 )[^\r]*(?=\r\n)/m.exec(heads)
      if (!line) return
      resolve(line[0])
      socket.destroy()
    })
    socket.write([`${method} ${path} HTTP/1.1`, 'Host: x', ...headers, '', ''].join('\r\n'))
  })
