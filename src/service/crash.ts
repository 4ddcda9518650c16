// The last line of defence: an error that nobody caught, in an event of a library for example. What the process holds
// in memory is not trusted any more. What it has written is: the journal settles it at the next start. So the process
// ends soon, with an error, and is started anew. Uploads and deletes that are under way may finish before.

import { messageOf } from '../errors.js'
import type { Log } from '../log.js'
import type { Service } from './service.js'

/** How long uploads and deletes may go on. */
const FINISH_MS = 2000
/** When the process ends whatever still runs. It is more than the service takes to close. */
const END_MS = 10_000

/** Ends the process with code 1 when an error was caught by nobody. An unhandled rejection is such an error, too. */
export function endOnUncaught(service: Service, log: Log): void {
  let ending = false
  process.on('uncaughtException', (error: unknown) => {
    log('error', 'uncaught', {
      reason: messageOf(error),
      stack: error instanceof Error ? error.stack : undefined,
    })
    if (ending) return
    ending = true
    setTimeout(() => process.exit(1), END_MS)
    void finish(service, log)
  })
}

async function finish(service: Service, log: Log): Promise<void> {
  try {
    await service.close(FINISH_MS)
  } catch (error) {
    log('error', 'cannot stop', { reason: messageOf(error) })
  }
  process.exit(1)
}
