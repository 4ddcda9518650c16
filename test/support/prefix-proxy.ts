// A proxy on loopback that serves another server below a path, as people put it in front of a Plinth.

import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Starts the proxy. `prefix` begins with a slash and does not end in one. Whoever starts it closes it. */
export async function startPrefixProxy(prefix: string) {
  let port: number | undefined
  const outside: string[] = []
  const server = createServer((req, res) => {
    const path = req.url ?? ''
    if (port === undefined || !path.startsWith(`${prefix}/`)) {
      outside.push(path)
      res.writeHead(404).end('not below the prefix\n')
      return
    }
    const options = { host: '127.0.0.1', port, method: req.method, path: path.slice(prefix.length) }
    const passed = request({ ...options, headers: req.headers, agent: false }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(res)
    })
    passed.on('error', () => res.destroy())
    req.pipe(passed)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port: own } = server.address() as AddressInfo
  return {
    /** The address of what is behind it, without a slash at its end. */
    url: `http://127.0.0.1:${own}${prefix}`,
    /** Says at which port of this machine the other server is. */
    leadTo: (to: number): void => void (port = to),
    /** The paths that were asked for and are not below the prefix. */
    outside,
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
