// Notes where the audit log is, for commands.

import { auditNotePath } from '../layout.js'
import type { Store } from '../store/store.js'

/** Notes the file at `path`, or takes the note away when there is no audit log. */
export async function noteAuditLog(store: Store, path: string | undefined): Promise<void> {
  if (path === undefined) await store.remove(auditNotePath)
  else await store.write(auditNotePath, `${path}\n`)
}
