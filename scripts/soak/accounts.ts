// Many accounts in no time: their files are written as `account add` writes them, one sync for each saved.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { accountText, type Rights } from '../../src/access/rights.js'
import { hashToken } from '../../src/access/token.js'
import { accountFile } from '../../src/layout.js'

/** The Authorization header of an account. */
export const basic = (name: string, token: string): string =>
  `Basic ${Buffer.from(`${name}:${token}`).toString('base64')}`

/** Writes the file of an account in the data folder `data`. Returns its Authorization header. */
export function writeAccount(data: string, name: string, token: string, rights: Rights): string {
  const account = { name, hash: hashToken(token), ...rights, created: new Date().toISOString() }
  writeFileSync(join(data, accountFile(name)), accountText(account), { mode: 0o600 })
  return basic(name, token)
}
