// Ports for nginx.

import { createServer } from 'node:net'

// Below the range that systems take the ports of outgoing connections from (32768 on Linux): a port of that range is
// free now, and some test's connection has it when nginx wants to listen there.
// And a range for each process, as a port that was found free is listened to only later.
const PORTS = 100
const FIRST_PORT = 15_000 + (process.pid % 150) * PORTS

let given = 0

/** Whether nobody listens on a port of 127.0.0.1. */
export const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })

/** A port of 127.0.0.1 on which nobody listens, and which no connection takes by itself; another one each time. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + (given++ % PORTS)
    if (await isFree(port)) return port
  }
}
