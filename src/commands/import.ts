// `plinth import`: publishes the versions of a module cache, or of a folder that a proxy keeps, under an owner.

import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { isOwnerName } from '../access/rights.js'
import { readConfig } from '../config.js'
import { quote } from '../errors.js'
import { NOTHING_IMPORTED, type ImportOutcome, type ImportTotals } from '../import/import.js'
import { runJob } from '../service/run-job.js'
import { goEnvLines } from './go-env.js'
import { WrongUsage, type Command } from './command.js'
import { jsonLines, print, printError } from './print.js'
import { Progress } from './progress.js'

const counts = (
  { published, identical, different, refused, incomplete }: ImportTotals,
  dry: boolean,
): string =>
  `${published} ${dry ? 'would be published' : 'published'}, ${identical} there already, ` +
  `${different} different, ${refused} refused, ${incomplete} without a zip`

/** How many versions have a result. */
const seenOf = ({ bytes: _bytes, ...results }: ImportTotals): number =>
  Object.values(results).reduce((sum, count) => sum + count, 0)

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`

/** Whether `--json` prints a line for the version. It prints none for one that is published now or was before. */
const isWorthALine = ({ result }: ImportOutcome): boolean => result !== 'published' && result !== 'identical'

export const importCommand: Command = {
  name: 'import',
  options: ['owner', 'dry-run', 'json'],
  anywhere: () => false,
  usage: `  import DIR --owner NAME [--dry-run] [--json]
                    publish the versions of a Go module cache (GOMODCACHE, its cache/download, or any folder
                    of that shape) beside the running service or without one; what is there already is
                    compared; run it again when it was interrupted; exit code 1 when anything was refused or
                    is different. Of a folder that collect has made, each version is held against its go.sum,
                    and what each developer sets is printed. --json prints one object for each version that was not
                    published or there already, and the totals at the end, one a line`,

  async run(words) {
    const { values, positionals } = parseArgs({
      args: words,
      options: {
        owner: { type: 'string' },
        'dry-run': { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
      allowPositionals: true,
    })
    const [folder, ...more] = positionals
    const { owner, json, 'dry-run': dry } = values
    if (folder === undefined || more.length > 0) throw new WrongUsage('import takes one folder')
    if (owner === undefined) throw new WrongUsage('import needs --owner')
    if (!isOwnerName(owner)) throw new WrongUsage(`${quote(owner)} cannot name an owner`)

    const stopped = new AbortController()
    const stop = (): void => stopped.abort()
    process.once('SIGINT', stop).once('SIGTERM', stop) // a second signal ends the process
    const progress = new Progress()
    const request = { folder: resolve(folder), owner, dry, counted: progress.isSeen }
    const events = runJob(readConfig(), 'import', request, stopped.signal)

    let totals: ImportTotals = NOTHING_IMPORTED
    let done = false
    let unlisted: number | undefined
    let goEnv: string[] = []
    try {
      for await (const event of events) {
        stopped.signal.throwIfAborted()
        totals = event.totals
        done = 'done' in event
        if ('done' in event) unlisted = event.unlisted
        if ('done' in event && event.go && !dry) goEnv = goEnvLines(event.go)
        if ('outcome' in event)
          progress.showCount(
            'versions',
            seenOf(totals),
            event.of,
            `${megabytes(totals.bytes)}: ${event.outcome.version}`,
          )
        if (!('outcome' in event) || !isWorthALine(event.outcome)) continue
        const { version, result, reason } = event.outcome
        if (json) print(jsonLines({ version, result, reason }))
        else if (reason !== undefined) {
          progress.clear()
          // What begins a line is a version: a reason's further lines are indented.
          const [first, ...more] = reason.split('\n')
          print([`${version}: ${result}: ${first}`, ...more.map((line) => `  ${line}`)])
        }
      }
    } catch (error) {
      progress.clear()
      printError(counts(totals, dry))
      throw stopped.signal.aborted ? new Error('stopped: run it again to go on', { cause: error }) : error
    } finally {
      process.removeListener('SIGINT', stop).removeListener('SIGTERM', stop)
    }
    progress.clear()
    if (json) print(jsonLines({ ...totals, done, ...(unlisted !== undefined && { unlisted, goEnv }) }))
    else {
      print(`${counts(totals, dry)}, ${megabytes(totals.bytes)}`)
      if (unlisted)
        print(`${unlisted} of these have no line in go.sum: nothing says that they are what they were`)
      if (goEnv.length > 0)
        print(['where this is the only source of modules, each developer types once:', ...goEnv])
    }
    return totals.refused + totals.different > 0 ? 1 : 0
  },
}
