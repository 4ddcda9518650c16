// What `npm start` does before nginx and the service are started for the first time.

import { firstRun } from '../access/first-run.js'
import { AuditLog } from '../audit/audit-log.js'
import { auditLogOf } from '../audit/where.js'
import type { Config } from '../config.js'
import { mustBeListenable } from '../nginx/listen.js'
import { endLeftNginx } from '../nginx/process.js'
import type { Ending } from './child.js'
import { say, tellFirstRun, terminalLog, warn } from './terminal.js'

/** Makes sure that nginx can listen, and ends one that an earlier run left; not after `stop`. */
export async function makeRoom(config: Config, stop: Promise<Ending>): Promise<void> {
  await Promise.race([endLeftNginx(config, say), stop])
  await mustBeListenable(config)
}

/** Makes the first account, unless there are accounts. The process must hold the data folder's lock. */
export async function makeFirstAccount(config: Config, mayShowToken: boolean): Promise<void> {
  const audit = new AuditLog(auditLogOf(config), terminalLog)
  audit.mustOpen()
  const { token, warning } = await firstRun(config, { mayShowToken, audit })
  // The token is shown at once: whatever happens after this line, it was seen.
  if (token !== undefined) tellFirstRun(token, config)
  warn(warning)
}
