// One request of a good client, from an address of its own, with a bound on its time.

import { request } from 'node:http'

/** A good client gives up after this: a failure, whatever comes then. */
const PATIENCE_MS = 30_000

export type GoodAnswer = { status: number; retryAfter: string | undefined; body: Buffer; ms: number }

type Asking = { auth?: string; body?: Buffer }

/** Rejects with what is wrong when no whole answer comes in time. */
export const askGood = (
  port: number,
  method: string,
  path: string,
  { auth, body }: Asking = {},
): Promise<GoodAnswer> =>
  new Promise((resolve, reject) => {
    const begun = performance.now()
    // http knows an aborted signal only, and not that its time was over
    const fail = (error: Error): void =>
      reject(
        new Error(error.name === 'AbortError' ? `no answer within ${PATIENCE_MS / 1000} s` : error.message),
      )
    const req = request({
      host: '127.0.0.1',
      port,
      method,
      path,
      agent: false,
      signal: AbortSignal.timeout(PATIENCE_MS),
      headers: {
        ...(auth !== undefined && { authorization: auth }),
        ...(method === 'PUT' && { 'content-length': body?.length ?? 0 }),
      },
    })
    req.on('error', fail)
    req.on('response', (res) => {
      const chunks: Buffer[] = []
      res.on('data', (chunk: Buffer) => chunks.push(chunk))
      res.on('error', fail)
      res.on('end', () =>
        resolve({
          status: res.statusCode ?? 0,
          retryAfter: res.headers['retry-after'],
          body: Buffer.concat(chunks),
          ms: performance.now() - begun,
        }),
      )
    })
    req.end(body)
  })
