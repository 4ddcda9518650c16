// Parses the Authorization header in the forms that clients of Gitea and Forgejo send. Pure.

import type { Credentials } from '../access/rights.js'

// RFC 7617: base64 of "user:password" in UTF-8; the user name holds no colon.
function basic(encoded: string): Credentials | undefined {
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 0) return undefined
  const user = text.slice(0, colon)
  const password = text.slice(colon + 1)
  // The token alone as the user name: git and curl send no password then, or this word.
  if (password === '' || password === 'x-oauth-basic') return user === '' ? undefined : { token: user }
  return { account: user, token: password }
}

/**
 * `Basic account:token`, `Basic token:`, `Basic token:x-oauth-basic`, `token …`, `Bearer …`.
 * `undefined` for no header, and for a header of any other form.
 */
export function parseCredentials(header: string | undefined): Credentials | undefined {
  const match = /^(basic|token|bearer) +([\x21-\x7e]+) *$/i.exec(header ?? '')
  const value = match?.[2]
  if (value === undefined) return undefined
  return match?.[1]?.toLowerCase() === 'basic' ? basic(value) : { token: value }
}
