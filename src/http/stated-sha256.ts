// The SHA-256 that an upload may state in any of three headers. Pure.

import { Refusal } from '../errors.js'

const HEX = /^[0-9a-f]{64}$/
const malformed = (header: string, rule: string): Refusal => new Refusal(400, `malformed ${header}: ${rule}`)

// RFC 9530: `sha-256=:<base64>:, sha-512=:…:`; other algorithms are ignored
function digestOf(header: string, value: string): string | undefined {
  const member = value
    .split(',')
    .map((part) => part.trim())
    .find((part) => /^sha-256\s*=/i.test(part))
  if (member === undefined) return undefined
  const encoded = /^sha-256=:([A-Za-z0-9+/]{43}=):$/i.exec(member)?.[1]
  if (encoded === undefined) throw malformed(header, 'sha-256=:<base64 of 32 bytes>: is expected')
  return Buffer.from(encoded, 'base64').toString('hex')
}

/**
 * The stated SHA-256 in hex: `X-Checksum-Sha256` (hex), `Repr-Digest` or `Content-Digest` (RFC 9530).
 * `undefined` when none is stated. Throws a 400 for a malformed one, and for two that differ.
 */
export function statedSha256(header: (name: string) => string): string | undefined {
  const stated = new Set<string>()
  const hex = header('X-Checksum-Sha256').trim().toLowerCase()
  if (hex !== '') {
    if (!HEX.test(hex)) throw malformed('X-Checksum-Sha256', '64 hex digits are expected')
    stated.add(hex)
  }
  for (const name of ['Repr-Digest', 'Content-Digest']) {
    const value = header(name)
    const digest = value === '' ? undefined : digestOf(name, value)
    if (digest !== undefined) stated.add(digest)
  }
  if (stated.size > 1) throw new Refusal(400, 'the headers state different SHA-256 sums for this upload')
  return [...stated][0]
}
