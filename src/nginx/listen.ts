// The addresses that Plinth listens on must be free before nginx is started. Those of nginx accept connections after.

import { createServer, isIPv6, type ListenOptions, type NetConnectOpts } from 'node:net'
import { whyNoConnection } from '../addresses/connection.js'
import { nginxAddresses, type ListenAddress } from '../addresses/listen-address.js'
import { localAddressText } from '../addresses/local-address.js'
import type { Config } from '../config.js'
import { errno, StartProblem } from '../errors.js'
import { makeRoomForSocket } from './left-socket.js'

const POLL_MS = 20

/** Throws a {@link StartProblem} when an address is taken. nginx itself says so in five lines, after a while. */
export async function mustBeListenable(config: Config): Promise<void> {
  const { listen, httpListen = [] } = config
  const taken = nginxAddresses(listen, true)
  const both = httpListen.find((address) =>
    nginxAddresses([address], true).some((each) => taken.includes(each)),
  )
  if (both)
    throw new StartProblem(`PLINTH_HTTP_LISTEN=${both.text} is in PLINTH_LISTEN, too: https is spoken there`)
  const ipv6 = await wantsIpv6(config)
  for (const address of listen) await mustBeFree('PLINTH_LISTEN', address, ipv6)
  for (const address of httpListen) await mustBeFree('PLINTH_HTTP_LISTEN', address, ipv6)
  if (config.metrics !== undefined && 'port' in config.metrics)
    await mustBeFree('PLINTH_METRICS', { ...config.metrics, text: localAddressText(config.metrics) }, false)
}

async function mustBeFree(setting: string, address: ListenAddress, ipv6: boolean): Promise<void> {
  if ('socket' in address) return makeRoomForSocket(setting, address)
  const { host, port } = address
  const hosts = host === '*' ? ['0.0.0.0', ...(ipv6 ? ['::'] : [])] : [host]
  const reasons: Record<string, string> = {
    EADDRINUSE: `another program listens there; stop it, or set ${setting} to another port`,
    EACCES: `only root may listen on ports below 1024; set ${setting} to a higher one`,
    EADDRNOTAVAIL: 'this machine has no such address',
    EAFNOSUPPORT: 'this machine has no IPv6',
    ENOTFOUND: 'this name has no address',
  }
  for (const each of hosts) {
    const failure = await listenFailure({ host: each, port })
    if (failure !== undefined)
      throw new StartProblem(`cannot listen on ${setting}=${address.text}: ${reasons[failure] ?? failure}`)
  }
}

/** What keeps one from listening there, an errno; `undefined` when nothing does. IPv6 is IPv6 alone, as with nginx. */
const listenFailure = (options: ListenOptions): Promise<string | undefined> =>
  new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', (error) => resolve(errno(error) ?? error.message))
    probe.listen({ ...options, ipv6Only: isIPv6(options.host ?? ''), exclusive: true }, () =>
      probe.close(() => resolve(undefined)),
    )
  })

/** Whether nginx listens on IPv6 for an address `*`: there is one, and the machine has IPv6. */
export async function wantsIpv6({ listen, httpListen = [] }: Config): Promise<boolean> {
  const all = [...listen, ...httpListen].some((address) => 'host' in address && address.host === '*')
  return all && (await listenFailure({ host: '::', port: 0 })) === undefined
}

/** Where this machine reaches the first address of PLINTH_LISTEN. */
export function reachedAt({ listen: [first] }: Config): NetConnectOpts {
  if (!first) throw new Error('PLINTH_LISTEN has no address')
  return reached(first)
}

/** Whether every address of PLINTH_LISTEN accepts a connection. */
export async function isListening({ listen }: Config): Promise<boolean> {
  for (const address of listen) if (!(await accepts(reached(address)))) return false
  return true
}

/** Resolves when {@link isListening}, or when `ended` is aborted. */
export async function untilListening(config: Config, ended: AbortSignal): Promise<void> {
  while (!ended.aborted) {
    if (await isListening(config)) return
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

// Every address of a family is reached at its loopback address.
function reached(address: ListenAddress): NetConnectOpts {
  if ('socket' in address) return { path: address.socket }
  const { host, port } = address
  if (host === '*' || host === '0.0.0.0') return { host: '127.0.0.1', port }
  return { host: host === '::' ? '::1' : host, port }
}

/** No route leads to `::1` where IPv6 is switched off, and nobody can ask then whether nginx listens on `::`. */
const CANNOT_ASK = ['EADDRNOTAVAIL', 'ENETUNREACH']

async function accepts(where: NetConnectOpts): Promise<boolean> {
  const code = await whyNoConnection(where)
  return code === undefined || CANNOT_ASK.includes(code)
}
