// Whether the service that ran last has ended in order. Its pid file is there while it takes requests. It stays when
// the service is killed, ends by an error, or goes down with the machine. It is not synced: a power cut just after a
// start or an end may take it along or bring it back.

import { existsSync, rmSync } from 'node:fs'
import { messageOf } from '../errors.js'
import { servicePidPath } from '../layout.js'
import type { Log } from '../log.js'
import { removePidFile, writePidFile } from '../store/pid-file.js'

/**
 * Whether the last run that took requests was cut off; the log is told, by each start until one succeeds. The data
 * folder is the working directory.
 */
export function wasCutOff(log: Log): boolean {
  if (!existsSync(servicePidPath)) return false
  log(
    'warn',
    'the service that ran before did not end in order: it was killed, had an error, or the machine went down',
  )
  return true
}

/** Notes that this service takes requests. A disk that is full does not keep it from that. */
export function beginRun(log: Log): void {
  try {
    writePidFile(servicePidPath)
  } catch (error) {
    rmSync(servicePidPath, { force: true }) // that of the last run would be taken for this one's
    log('warn', 'whether this service ends in order will not be known', { reason: messageOf(error) })
  }
}

/** Notes that this service has ended in order. */
export const endRun = (): void => removePidFile(servicePidPath)
