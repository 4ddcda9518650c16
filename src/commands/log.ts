// `plinth log`: the lines of logs, for people.

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { auditLogHere } from '../audit/where.js'
import { readConfig } from '../config.js'
import { errno, messageOf, quote } from '../errors.js'
import { ENTRY_KINDS, entryText, isMeant, parseEntry, type LogFilter } from '../logs/entry.js'
import { bytesOf, followed, linesOf } from '../logs/lines.js'
import { olderFiles } from '../logs/rotated.js'
import { WrongUsage, type Command } from './command.js'
import { timeBefore } from './duration.js'
import { jsonLines, print, printError } from './print.js'

const OPTIONS = {
  since: { type: 'string' },
  owner: { type: 'string' },
  account: { type: 'string' },
  kind: { type: 'string' },
  follow: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const

const parse = (words: readonly string[]) =>
  parseArgs({ args: [...words], allowPositionals: true, options: OPTIONS })

function filterOf({ since, owner, account, kind }: ReturnType<typeof parse>['values']): LogFilter {
  if (kind !== undefined && !ENTRY_KINDS.some((each) => each === kind))
    throw new WrongUsage(`--kind ${quote(kind)}: ${ENTRY_KINDS.join(', ')} is expected`)
  return {
    ...(since !== undefined && { since: timeBefore(since, Date.now()) }),
    ...(owner !== undefined && { owner }),
    ...(account !== undefined && { account }),
    ...(kind !== undefined && { kind }),
  }
}

/** The audit log of the data folder, with its older files before it. */
async function auditFiles(since: number | undefined): Promise<string[]> {
  const path = auditLogHere(readConfig())
  if (path === undefined)
    throw new Error('there is no audit log: set PLINTH_AUDIT_LOG, or name a FILE, or - for standard input')
  const older = await olderFiles(path, since)
  // A log that was rotated, and has no line since, has no file under its name.
  return older.length > 0 && !existsSync(path) ? older : [...older, path]
}

/** Whether the words name what is read. */
function namesFiles(words: readonly string[]): boolean {
  try {
    return parse(words).positionals.length > 0
  } catch {
    return true // the words are wrong, wherever it runs
  }
}

export const log: Command = {
  name: 'log',
  options: Object.keys(OPTIONS),
  anywhere: namesFiles,
  usage: `  log [--since 1h] [--owner OWNER] [--account NAME] [--kind KIND] [--follow] [--json] [FILE…|-]
                                          who changed what: the lines of the audit log (PLINTH_AUDIT_LOG) with its
                                          rotated files, or of any log of Plinth in FILEs or standard input (-), as
                                          journalctl -u plinth -o cat | plinth log -
                                          --since takes 30m, 12h, 2d, 2w, or a time as 2026-01-31T12:00Z;
                                          --kind takes publish, delete, account, owner, login, read, gap, service;
                                          --follow goes on with what comes, until Ctrl-C`,

  async run(words) {
    const { values, positionals } = parse(words)
    const filter = filterOf(values)
    const { follow, json } = values
    const over = new AbortController()
    const stop = (): void => over.abort()
    process.stdout.on('error', stop) // whoever reads this has seen enough
    if (follow) process.once('SIGINT', stop).once('SIGTERM', stop)
    const files = positionals.length > 0 ? positionals : await auditFiles(filter.since)
    if (follow && positionals.length > 1) throw new WrongUsage('--follow takes one FILE')

    let [unreadable, failed] = [0, false]
    const show = (line: string | undefined): void => {
      if (line?.trim() === '') return
      const entry = line === undefined ? undefined : parseEntry(line)
      if (!entry) unreadable++
      else if (isMeant(entry, filter)) print(json ? jsonLines(entry.fields) : entryText(entry))
    }
    for (const [nth, file] of files.entries())
      try {
        const last = nth === files.length - 1
        for await (const line of linesOf(bytesIn(file, follow && last ? over.signal : undefined))) {
          if (over.signal.aborted) break
          show(line)
        }
      } catch (error) {
        if (over.signal.aborted) break
        printError(
          `plinth: ${file}: ${errno(error) === 'ENOENT' ? 'there is no such file' : messageOf(error)}`,
        )
        failed = true
      }
    if (unreadable > 0)
      printError(`plinth: ${unreadable} line${unreadable === 1 ? ' is' : 's are'} of no log of Plinth`)
    return failed ? 1 : 0
  },
}

/** `signal`: what comes later, too, until it is aborted. */
function bytesIn(file: string, signal: AbortSignal | undefined): AsyncIterable<Buffer> {
  if (file === '-') {
    signal?.addEventListener('abort', () => process.stdin.destroy())
    return process.stdin
  }
  return signal && !file.endsWith('.gz') ? followed(resolve(file), signal) : bytesOf(file)
}
