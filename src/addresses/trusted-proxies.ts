// The proxies whose word on the client's address and scheme is taken.

import { isIP } from 'node:net'

/** nginx compares an address with one after the other. */
const MAX_PROXIES = 64

/** Whoever connects to a socket of this machine. nginx has the same word for it. */
export const ANY_SOCKET = 'unix:'

/**
 * '10.0.0.0/8, ::1, unix:' → ['10.0.0.0/8', '::1', 'unix:'], each as nginx takes it. An empty text is nobody. Else
 * returns the wrong text, and the rule that it breaks.
 */
export function parseTrustedProxies(text: string): string[] | { text: string; rule: string } {
  const found = new Set(text.split(',').flatMap((item) => item.trim() || []))
  for (const item of found) {
    const rule = item === ANY_SOCKET ? undefined : problemOf(item)
    if (rule !== undefined) return { text: item, rule }
  }
  return found.size > MAX_PROXIES
    ? { text, rule: `at most ${MAX_PROXIES} addresses are expected` }
    : [...found]
}

function problemOf(item: string): string | undefined {
  const [address = '', bits, ...more] = item.split('/')
  const family = isIP(address)
  const mostBits = family === 4 ? 32 : 128
  const isRange = bits === undefined || (/^[0-9]{1,3}$/.test(bits) && Number(bits) <= mostBits)
  if (family === 0 || !isRange || more.length > 0 || address.includes('%'))
    return `an address, a range or ${ANY_SOCKET} is expected, as 10.0.0.5, 10.0.0.0/8 or fd00::/8`
  if (bits !== undefined && Number(bits) === 0)
    return 'with this range everybody could choose the address that limits and logs go by'
  return undefined
}
