// Names of hosts for programs that a test runs, without a change of the machine's: a proxy for https (CONNECT) that
// knows some names at port 443, and no others. go uses it when HTTPS_PROXY names it.

import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'

/** `name` at port 443 is `ports[name]` of 127.0.0.1; any other host is refused. */
export async function nameHosts(ports: Record<string, number>) {
  const asked = new Set<string>()
  const sockets = new Set<Socket>()
  const keep = (socket: Socket): void => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
  }
  const server = createServer((req, res) => {
    asked.add(`http://${req.headers.host}`)
    res.writeHead(403, { connection: 'close' }).end()
  })
  server.on('connect', (req, client: Socket, head: Buffer) => {
    const target = req.url ?? ''
    asked.add(target)
    keep(client)
    const port = target.endsWith(':443') ? ports[target.slice(0, -':443'.length)] : undefined
    if (port === undefined) return void client.end('HTTP/1.1 403 Forbidden\r\n\r\n')
    const host = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connected\r\n\r\n')
      host.write(head)
      client.pipe(host).pipe(client)
    })
    keep(host)
    host.on('close', () => client.destroy())
    client.on('close', () => host.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    /** What a program needs in its environment. */
    env: { HTTPS_PROXY: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, NO_PROXY: '' },
    /** The hosts that were asked for since the last call: `plinth.example.com:443`. */
    askedFor: (): string[] => {
      const hosts = [...asked].sort()
      asked.clear()
      return hosts
    },
    stop: (): void => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
