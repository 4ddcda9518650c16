// A client of the cluster: a request to one machine, on a connection of its own, with an end.

import { request } from 'node:http'
import { AUTH } from '../support/http.js'

export const PORT = 8080

export type Answer = { status: number; bytes: Buffer; text: string }
type Asked = { method?: string; body?: Buffer; authorization?: string; seconds?: number }

/** Rejects when the machine does not answer within `seconds`, which are 10, or not to the end. */
export const askMachine = (address: string, path: string, asked: Asked = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { method = 'GET', body, seconds = 10 } = asked
    const authorization = asked.authorization ?? (method === 'GET' ? undefined : AUTH)
    const headers = {
      ...(authorization && { authorization }),
      ...(body && { 'content-length': body.length }),
    }
    const req = request({ host: address, port: PORT, method, path, headers, agent: false })
    const late = setTimeout(() => req.destroy(new Error(`no answer within ${seconds} s`)), seconds * 1000)
    const fail = (error: Error): void => {
      clearTimeout(late)
      reject(error)
    }
    req.on('response', (res) => {
      const chunks: Buffer[] = []
      res.on('data', (chunk: Buffer) => chunks.push(chunk))
      res.on('end', () => {
        clearTimeout(late)
        const bytes = Buffer.concat(chunks)
        resolve({ status: res.statusCode ?? 0, bytes, text: bytes.toString() })
      })
      res.on('error', fail)
    })
    req.on('error', fail)
    req.end(body)
  })

export const GO = '/api/packages/admin/go'

export const publishTo = (address: string, zip: Buffer, seconds?: number): Promise<Answer> =>
  askMachine(address, `${GO}/upload`, { method: 'PUT', body: zip, ...(seconds && { seconds }) })

/** Why a read of `path` is not what it must be; `undefined` when it is a 200 with `content` in it. */
export async function whyUnread(address: string, path: string, content = ''): Promise<string | undefined> {
  try {
    const { status, text } = await askMachine(address, path)
    if (status !== 200) return `${status}`
    return text.includes(content) ? undefined : `it lacks ${content}`
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
