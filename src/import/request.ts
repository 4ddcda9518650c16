// An import as a command asks the running service for it.

import { isAbsolute } from 'node:path'
import type { ImportRequest } from './import.js'
import { isOwnerName } from '../access/rights.js'

/** Throws for what is none. */
export function parseImport(asked: unknown): ImportRequest {
  const { folder, owner, dry } = asked as Record<string, unknown>
  if (typeof folder !== 'string' || !isAbsolute(folder)) throw new Error('no folder')
  if (typeof owner !== 'string' || !isOwnerName(owner)) throw new Error('no owner')
  return { folder, owner, dry: dry === true }
}
