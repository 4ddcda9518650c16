// The addresses that Plinth listens on must be free before nginx is started. Those of nginx accept connections after.

import { createConnection, createServer } from 'node:net'
import { localAddressText } from '../addresses/local-address.js'
import type { Config } from '../config.js'
import { errno, StartProblem } from '../errors.js'

const POLL_MS = 20

// '[::1]:8080' → host '::1', port 8080; '*:80' → host undefined: all addresses, reached at 127.0.0.1
function hostAndPort(listen: string): { host: string | undefined; port: number } {
  const colon = listen.lastIndexOf(':')
  const host = listen.slice(0, colon).replace(/^\[|\]$/g, '')
  return { host: host === '*' ? undefined : host, port: Number(listen.slice(colon + 1)) }
}

/** Throws a {@link StartProblem} when an address is taken. nginx itself says so in five lines, after a while. */
export async function mustBeListenable(config: Config): Promise<void> {
  await mustBeFree('PLINTH_LISTEN', config.listen)
  if (config.httpListen !== undefined) await mustBeFree('PLINTH_HTTP_LISTEN', config.httpListen)
  if (config.metrics !== undefined && 'port' in config.metrics)
    await mustBeFree('PLINTH_METRICS', localAddressText(config.metrics))
}

async function mustBeFree(setting: string, listen: string): Promise<void> {
  const { host, port } = hostAndPort(listen)
  const failure = await new Promise<string | undefined>((resolve) => {
    const probe = createServer()
    probe.once('error', (error) => resolve(errno(error) ?? error.message))
    probe.listen({ port, ...(host !== undefined && { host }), exclusive: true }, () =>
      probe.close(() => resolve(undefined)),
    )
  })
  const reasons: Record<string, string> = {
    EADDRINUSE: `another program listens there; stop it, or set ${setting} to another port`,
    EACCES: `only root may listen on ports below 1024; set ${setting} to a higher one`,
    EADDRNOTAVAIL: 'this machine has no such address',
    ENOTFOUND: 'this name has no address',
  }
  if (failure) throw new StartProblem(`cannot listen on ${setting}=${listen}: ${reasons[failure] ?? failure}`)
}

/** Where this machine reaches PLINTH_LISTEN. */
export function reachedAt(config: Config): { host: string; port: number } {
  const { host = '127.0.0.1', port } = hostAndPort(config.listen)
  return { host: host === '0.0.0.0' || host === '::' ? 'localhost' : host, port }
}

/** Whether PLINTH_LISTEN accepts a connection. */
export function isListening(config: Config): Promise<boolean> {
  const { host, port } = reachedAt(config)
  return accepts(host, port)
}

/** Resolves when PLINTH_LISTEN accepts a connection, or when `ended` is aborted. */
export async function untilListening(config: Config, ended: AbortSignal): Promise<void> {
  while (!ended.aborted) {
    if (await isListening(config)) return
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

const accepts = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createConnection({ host, port })
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', () => resolve(false))
  })
