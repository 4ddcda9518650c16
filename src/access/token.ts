// Tokens, and the one hash of them that is stored. Both the service and nginx check a token against this hash.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

const TOKEN_BYTES = 24 // 192 bits
const SALT_BYTES = 16
const SHA1_BYTES = 20

/** A new token: 192 random bits, base64url, with a prefix by which secret scanners and people know it. */
export const newToken = (): string => `plinth_${randomBytes(TOKEN_BYTES).toString('base64url')}`

const digest = (token: string, salt: Buffer): Buffer => createHash('sha1').update(token).update(salt).digest()

/**
 * `{SSHA}` and base64 of SHA-1(token + salt) + salt (RFC 2307): the fastest salted kind that nginx reads by itself.
 * No protection for a password that people think of; for 192 random bits there is nothing to guess, and SHA-1's
 * weakness is in collisions, which are of no use here.
 */
export function hashToken(token: string): string {
  const salt = randomBytes(SALT_BYTES)
  return `{SSHA}${Buffer.concat([digest(token, salt), salt]).toString('base64')}`
}

// 20 + 16 bytes in base64 have 48 characters and no padding.
export const isTokenHash = (text: string): boolean => /^\{SSHA\}[A-Za-z0-9+/]{48}$/.test(text)

/** Whether `hash` (which {@link isTokenHash}) is of `token`. Takes the same time whether it is or not. */
export function tokenMatches(hash: string, token: string): boolean {
  const bytes = Buffer.from(hash.slice('{SSHA}'.length), 'base64')
  return timingSafeEqual(digest(token, bytes.subarray(SHA1_BYTES)), bytes.subarray(0, SHA1_BYTES))
}
