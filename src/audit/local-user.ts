// Who runs a command on this machine.

import type { AuditedBy } from './audit-log.js'

/** The user who started this process: root becomes the user of the data folder later. */
export const LOCAL_USER = { by: `local user ${process.getuid?.() ?? 'unknown'}` } satisfies AuditedBy
