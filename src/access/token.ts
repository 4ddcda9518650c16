// Tokens, and the hash of a token that is stored. The service and nginx both check a token against this hash.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

const TOKEN_BYTES = 24 // 192 bits
const SALT_BYTES = 16
const SHA1_BYTES = 20
const HINT_DIGITS = 8

/** A new token: 192 random bits in base64url. Secret scanners and people recognise its prefix. */
export const newToken = (): string => `plinth_${randomBytes(TOKEN_BYTES).toString('base64url')}`

const digest = (token: string, salt: Buffer): Buffer => createHash('sha1').update(token).update(salt).digest()

/**
 * `{SSHA}` and base64 of SHA-1(token + salt) + salt (RFC 2307): the fastest salted hash that nginx can check.
 * It would not protect a password that a person invents. 192 random bits cannot be guessed, and SHA-1's weakness,
 * collisions, is of no use here.
 */
export function hashToken(token: string): string {
  const salt = randomBytes(SALT_BYTES)
  return `{SSHA}${Buffer.concat([digest(token, salt), salt]).toString('base64')}`
}

/**
 * The first 32 bits of the token's SHA-256, in hex. It finds the account of a token that comes without a name: a salted
 * hash could only be compared with the token, one account after the other. 160 bits of the token stay unknown.
 */
export const tokenHint = (token: string): string =>
  createHash('sha256').update(token).digest('hex').slice(0, HINT_DIGITS)

export const isTokenHint = (text: string): boolean => /^[0-9a-f]{8}$/.test(text)

// 20 + 16 bytes in base64 have 48 characters and no padding.
export const isTokenHash = (text: string): boolean => /^\{SSHA\}[A-Za-z0-9+/]{48}$/.test(text)

/** Whether `hash`, an {@link isTokenHash}, is the hash of `token`. Takes the same time for yes and for no. */
export function tokenMatches(hash: string, token: string): boolean {
  const bytes = Buffer.from(hash.slice('{SSHA}'.length), 'base64')
  return timingSafeEqual(digest(token, bytes.subarray(SHA1_BYTES)), bytes.subarray(0, SHA1_BYTES))
}
