// An address at which other machines reach this one.

import { isIPv6 } from 'node:net'

/** A name or an address, one of IPv6 without brackets, and a port. */
export type PeerAddress = { host: string; port: number }

const EXPECTED =
  'an address of this machine that the others reach is expected, as 10.0.0.11:8081 or [fd00::11]:8081'

const splitAddress = (text: string): PeerAddress | undefined => {
  const [, name, v6 = '', digits] =
    /^(?:([A-Za-z0-9.-]{1,253})|\[([0-9A-Fa-f:.]+)\]):([0-9]{1,5})$/.exec(text) ?? []
  const port = Number(digits ?? NaN)
  if (!(port >= 1 && port <= 65535) || (name === undefined && !isIPv6(v6))) return undefined
  return { host: name ?? v6, port }
}

/** Addresses that listen on all others, too. They say nobody where to connect to. */
const EVERY = ['*', '0.0.0.0', '::']

/**
 * '10.0.0.11:8081' → {host: '10.0.0.11', port: 8081}; '[fd00::11]:8081' → {host: 'fd00::11', port: 8081}. Returns the
 * rule that a text breaks. `taken` are other places to listen at, as they are written in settings.
 */
export function parsePeerAddress(text: string, taken: readonly string[] = []): PeerAddress | string {
  const address = splitAddress(text)
  if (!address) return EXPECTED
  if (EVERY.includes(address.host)) return `${EXPECTED}, not every address`
  for (const item of taken) {
    const other = splitAddress(item.trim().replace(/^\*:/, '0.0.0.0:'))
    if (other?.port === address.port && [address.host, ...EVERY].includes(other.host))
      return `nginx listens there (${item.trim()}): another port is expected`
  }
  return address
}

/** {host: 'fd00::11', port: 8081} → '[fd00::11]:8081' */
export const peerAddressText = ({ host, port }: PeerAddress): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`
