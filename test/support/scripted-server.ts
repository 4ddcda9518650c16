// An HTTP server that answers as a test says.

import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo } from 'node:net'

export type Handler = (req: IncomingMessage, res: ServerResponse) => void
type Seen = { method: string | undefined; url: string | undefined; authorization: string | undefined }

/** Answers when the whole request has come. */
export const answer =
  (status: number, body = '', headers: Record<string, string> = {}): Handler =>
  (req, res) => {
    req.resume()
    req.on('end', () => res.writeHead(status, headers).end(body))
  }

/** Starts a server whose `handle` a test may change at any time; `seen` holds the requests. */
export async function startScriptedServer() {
  const seen: Seen[] = []
  const handle: Handler = () => {}
  const scripted = { handle, seen, url: '', stop: () => {} }
  const server = createServer((req, res) => {
    seen.push({ method: req.method, url: req.url, authorization: req.headers.authorization })
    scripted.handle(req, res)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  scripted.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  scripted.stop = () => {
    server.closeAllConnections()
    server.close()
  }
  return scripted
}
