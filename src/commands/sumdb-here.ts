// The actions of `plinth sumdb` that work on the data folder, through the running service or without one.

import { parseArgs, type ParseArgsConfig } from 'node:util'
import { isOwnerName } from '../access/rights.js'
import { readConfig } from '../config.js'
import { quote } from '../errors.js'
import { checkModulePath } from '../gomod/module-path.js'
import type { DatabaseEvent, DatabaseRequest, ShownDatabase } from '../service/database-jobs.js'
import { runJob } from '../service/run-job.js'
import { allBut } from '../sumdb/all-but.js'
import { WrongUsage } from './command.js'
import { mustBeSure } from './confirm.js'
import { jsonLines, print, printError } from './print.js'
import { Progress } from './progress.js'

const FLAG = { type: 'boolean', default: false } as const
const TEXT = { type: 'string' } as const

/** The options and the one OWNER that are in the words. */
function parsed<const Options extends NonNullable<ParseArgsConfig['options']>>(
  action: string,
  words: string[],
  options: Options,
) {
  const { values, positionals } = parseArgs({ args: words, options, allowPositionals: true })
  const [owner, extra] = positionals
  if (extra !== undefined) throw new WrongUsage(`sumdb ${action} takes one OWNER, and not ${quote(extra)}`)
  if (owner !== undefined && !isOwnerName(owner)) throw new WrongUsage(`${quote(owner)} cannot name an owner`)
  return { values, owner }
}

function mustName(action: string, owner: string | undefined): string {
  if (owner === undefined) throw new WrongUsage(`sumdb ${action} needs an OWNER`)
  return owner
}

type Ended = Extract<DatabaseEvent, { done: true }>

/** Runs the job and shows how far it is. Conflicts are printed when they come. */
async function run(request: DatabaseRequest, what: string, json: boolean): Promise<Ended> {
  const progress = new Progress()
  const stopped = new AbortController()
  const stop = (): void => stopped.abort()
  process.once('SIGINT', stop).once('SIGTERM', stop) // a second signal ends the process
  try {
    for await (const event of runJob(readConfig(), 'database', request, stopped.signal)) {
      if ('done' in event) return event
      stopped.signal.throwIfAborted()
      progress.showCount(what, event.progress.done, undefined, event.progress.at)
      if (event.conflict === undefined) continue
      progress.clear()
      const { conflict, reason } = event
      print(json ? jsonLines({ conflict, reason }) : `${conflict}: ${reason}`)
    }
    throw new Error('the service ended before this was done: run it again')
  } catch (error) {
    throw stopped.signal.aborted ? new Error('stopped: run it again to go on', { cause: error }) : error
  } finally {
    progress.clear()
    process.removeListener('SIGINT', stop).removeListener('SIGTERM', stop)
  }
}

/** Says what cannot be undone, and asks where somebody can answer. */
async function warn(text: string, isSure: boolean): Promise<void> {
  if (isSure) return
  if (process.stdin.isTTY) await mustBeSure(text)
  else printError(text)
}

const lines = ({
  owner,
  name,
  status,
  gosumdb,
  goproxy,
  size,
  root,
  earlier,
  refusal,
}: ShownDatabase): string[] => [
  `${name ?? 'a database whose key is lost'}: the checksum database of ${owner}, ${status}, ${size} records`,
  ...(gosumdb === undefined
    ? []
    : [
        `GOPROXY=${goproxy}`,
        `GOSUMDB=${gosumdb}`,
        `PLINTH_SUMDB='${gosumdb} ${goproxy}/sumdb/${name}'`, // for `plinth sumdb check`
      ]),
  ...(root === undefined ? [] : [`root ${root} at ${size}`]),
  ...(earlier.length > 0 ? [`earlier names: ${earlier.join(', ')}`] : []),
  ...(refusal === undefined ? [] : [`it records nothing: ${refusal}`]),
]

const tell = (databases: readonly ShownDatabase[], json: boolean): void => {
  for (const database of databases) print(json ? jsonLines(database) : lines(database))
}

export async function enable(words: string[]): Promise<number> {
  const options = { name: TEXT, 'dry-run': FLAG, yes: FLAG, json: FLAG } as const
  const { values, owner: named } = parsed('enable', words, options)
  const owner = mustName('enable', named)
  const { name, yes, json, 'dry-run': dry } = values
  if (!dry)
    await warn(
      `The path, the version and the hashes of every module version under ${owner} are recorded for good: what is ` +
        `recorded is never taken back, also when the version is deleted. Whoever may read ${owner} reads it.`,
      yes,
    )
  const request = { action: 'enable', owner, dry, ...(name !== undefined && { name }) } as const
  const { databases, counts } = await run(request, 'versions', json)
  const { looked = 0, recorded = 0, conflicts = 0 } = counts ?? {}
  if (json) print(jsonLines({ looked, recorded, conflicts, ...databases[0] }))
  else {
    print(
      `${looked} versions: ${recorded} ${dry ? 'would be recorded' : 'recorded now'}, ` +
        `${looked - recorded - conflicts} were before, ${conflicts} cannot be recorded as they are`,
    )
    if (conflicts === 0) tell(databases, false)
    else print('delete these, or rotate with --fresh: until then the database is not shown to go')
  }
  return conflicts > 0 ? 1 : 0
}

export async function show(words: string[]): Promise<number> {
  const { values, owner } = parsed('show', words, { at: TEXT, only: TEXT, json: FLAG })
  const { at, only, json } = values
  if ((at !== undefined || only !== undefined) && owner === undefined)
    throw new WrongUsage('sumdb show --at and --only need an OWNER')
  if (at !== undefined && !/^[1-9]\d{0,14}$/.test(at))
    throw new WrongUsage(`--at ${quote(at)}: a size is expected`)
  if (only !== undefined && checkModulePath(only) !== undefined)
    throw new WrongUsage(`--only ${quote(only)}: the beginning of module paths is expected, as corp.example`)
  const request = {
    action: 'show',
    ...(owner !== undefined && { owner }),
    ...(at !== undefined && { size: Number(at) }),
  } as const
  const { databases } = await run(request, 'records', json)
  const shown = only === undefined ? {} : { gonosumdb: allBut(only) }
  if (json) for (const database of databases) print(jsonLines({ ...database, ...shown }))
  else {
    tell(databases, false)
    if (only !== undefined) print(`GONOSUMDB=${allBut(only)}`)
    if (databases.length === 0) printError('no owner has a checksum database')
  }
  return databases.some(({ refusal }) => refusal !== undefined) ? 1 : 0
}

export async function rotate(words: string[]): Promise<number> {
  const options = { name: TEXT, drop: FLAG, fresh: FLAG, yes: FLAG, json: FLAG } as const
  const { values, owner: named } = parsed('rotate', words, options)
  const owner = mustName('rotate', named)
  const { name, drop, fresh, yes, json } = values
  if ((name === undefined) !== drop || (drop && fresh))
    throw new WrongUsage('sumdb rotate takes --name NEW, with --fresh perhaps, or --drop')
  if (name === undefined) {
    const { dropped = [] } = await run({ action: 'drop', owner }, 'records', json)
    print(json ? jsonLines({ owner, dropped }) : `dropped: ${dropped.join(', ') || 'nothing'}`)
    return 0
  }
  await warn(`Every client of the checksum database of ${owner} needs another GOSUMDB from now on.`, yes)
  const { databases } = await run({ action: 'rotate', owner, name, fresh }, 'records', json)
  tell(databases, json)
  return databases.some(({ refusal }) => refusal !== undefined) ? 1 : 0
}

export async function recover(words: string[]): Promise<number> {
  const { values, owner: named } = parsed('recover', words, { json: FLAG })
  const { databases } = await run(
    { action: 'recover', owner: mustName('recover', named) },
    'records',
    values.json,
  )
  tell(databases, values.json)
  return 0
}

export async function disable(words: string[]): Promise<number> {
  const { values, owner: named } = parsed('disable', words, { yes: FLAG, json: FLAG })
  const owner = mustName('disable', named)
  await warn(`Every client that has the checksum database of ${owner} in GOSUMDB stops.`, values.yes)
  const { databases } = await run({ action: 'disable', owner }, 'records', values.json)
  tell(databases, values.json)
  return 0
}
