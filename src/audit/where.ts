// Where the audit log is. The service notes it in the data folder: commands, which may have other settings, find it.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config.js'
import { errno } from '../errors.js'
import { auditLogPath, auditNotePath } from '../layout.js'

type Where = Pick<Config, 'data' | 'auditLog'>

/** The file that the settings name, absolute; `undefined` when there is none. */
export const auditLogOf = ({ data, auditLog }: Where): string | undefined =>
  auditLog === 'own' ? join(data, auditLogPath) : auditLog

/** {@link auditLogOf} for a command: without the setting it is the file of the service, which ran last. */
export function auditLogHere(config: Where): string | undefined {
  return auditLogOf(config) ?? noted(config.data)
}

function noted(data: string): string | undefined {
  try {
    const [path = ''] = readFileSync(join(data, auditNotePath), 'utf8').split('\n')
    return path.startsWith('/') ? path : undefined
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errno(error) ?? '')) return undefined
    throw error
  }
}
