// Asks a server, by a request that is none, whether it answers at all. nginx and node refuse it by themselves: no code
// of a service's own runs, nothing is logged, and any version does so, also where TLS is expected.

import { once } from 'node:events'
import { createConnection, type NetConnectOpts } from 'node:net'

/** Resolves whether a server at `where` says anything within `ms`. */
export async function answersAt(where: NetConnectOpts, ms: number): Promise<boolean> {
  const socket = createConnection(where)
  try {
    socket.write('?\r\n\r\n')
    await once(socket, 'data', { signal: AbortSignal.timeout(ms) })
    return true
  } catch {
    return false
  } finally {
    socket.on('error', () => {}) // one that comes later
    socket.destroy()
  }
}
