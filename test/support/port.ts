// Ports for nginx.

import { createServer, type Server } from 'node:net'

// Below the range that systems take the ports of outgoing connections from (32768 on Linux): a port of that range is
// free now, and some test's connection has it when nginx wants to listen there.
const FIRST_PORT = 15_000
/** A process has a range of so many, as a port that was found free is listened to only later. */
const PORTS = 100
const RANGES = 150

/** What listens on a port of 127.0.0.1 from now on; `undefined` when something else does. */
const listenOn = (port: number): Promise<Server | undefined> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => resolve(server))
  })

/** Whether nobody listens on a port of 127.0.0.1. */
export async function isFree(port: number): Promise<boolean> {
  const probe = await listenOn(port)
  await new Promise((resolve) => (probe ? probe.close(resolve) : resolve(undefined)))
  return probe !== undefined
}

/** Takes a range for this process, which listens on its first port as long as it lives. Resolves with that port. */
async function takeRange(): Promise<number> {
  for (let nth = 0; nth < RANGES; nth++) {
    const first = FIRST_PORT + ((process.pid + nth) % RANGES) * PORTS
    const holder = await listenOn(first)
    if (!holder) continue
    holder.unref()
    return first
  }
  throw new Error('other processes have all ranges of ports')
}

let range: Promise<number> | undefined
let given = 0

/** A port of 127.0.0.1 on which nobody listens, and which no connection takes by itself; another one each time. */
export async function freePort(): Promise<number> {
  range ??= takeRange()
  for (;;) {
    const port = (await range) + 1 + (given++ % (PORTS - 1))
    if (await isFree(port)) return port
  }
}
