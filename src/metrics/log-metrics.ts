// Counts what the log is told: warnings and errors, and what has become of files in the inbox.

import { Counter, type Registry } from 'prom-client'
import type { Log, LogFields } from '../log.js'

/** What the drop folder says of a file → the label. */
const INBOX_RESULTS: Readonly<Record<string, string>> = {
  published: 'published',
  'published already': 'already_there',
  rejected: 'rejected',
  later: 'later',
  left: 'left',
}

export class LogMetrics {
  readonly #lines: Counter
  readonly #inbox: Counter

  constructor(registry: Registry) {
    this.#lines = new Counter({
      name: 'plinth_log_lines_total',
      help: 'Lines of the log that tell of a problem, by level.',
      labelNames: ['level'],
      registers: [registry],
    })
    this.#inbox = new Counter({
      name: 'plinth_inbox_files_total',
      help: 'What the log says of files in the drop folder, by result.',
      labelNames: ['result'],
      registers: [registry],
    })
    for (const level of ['warn', 'error']) this.#lines.inc({ level }, 0)
    for (const result of Object.values(INBOX_RESULTS)) this.#inbox.inc({ result }, 0)
  }

  /** A log that writes to `log` and counts. */
  hear(log: Log): Log {
    return (level, event, fields) => {
      log(level, event, fields)
      if (level === 'warn' || level === 'error') this.#lines.inc({ level })
      if (event === 'inbox') this.#countFile(fields)
    }
  }

  #countFile({ result }: LogFields = {}): void {
    const known = typeof result === 'string' ? INBOX_RESULTS[result] : undefined
    if (known !== undefined) this.#inbox.inc({ result: known })
  }
}
