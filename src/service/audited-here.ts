// The line of the audit log for a command that changes accounts or owners by itself, with or without a service.

import { AuditLog } from '../audit/audit-log.js'
import { LOCAL_USER } from '../audit/local-user.js'
import { auditLogHere } from '../audit/where.js'
import type { Config } from '../config.js'
import { endOf, lineOf } from './audited.js'
import type { JobTypes } from './jobs.js'
import { terminalLog } from './terminal.js'

/** Runs `change`, which does what the job `name` does. Throws before it when no line could be written. */
export async function auditedHere<Name extends 'account' | 'owner', Answer extends object>(
  config: Config,
  name: Name,
  request: JobTypes[Name]['request'],
  change: () => Promise<Answer>,
): Promise<Answer> {
  const audit = new AuditLog(auditLogHere(config), terminalLog)
  if (request.action !== 'list') audit.mustOpen()
  const tell = lineOf(audit, name, request, LOCAL_USER)
  try {
    const answer = await change()
    tell({ result: 'done' })
    return answer
  } catch (error) {
    tell(endOf(error))
    throw error
  }
}
