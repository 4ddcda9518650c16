// `plinth sumdb check`: whether the lines of go.sum files are recorded in a checksum database, with their proofs, and
// whether its log is still the one that was seen before. It runs anywhere, and knows no data folder.

import { readFileSync, statSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { filesOf, parseDatabase } from '../client/checksum-database.js'
import { readRemembered, remember } from '../client/remembered-head.js'
import { checksumDatabase } from '../client/settings.js'
import { messageOf, quote } from '../errors.js'
import { parseGoSum, type GoSumLine } from '../gomod/go-sum.js'
import { checkModulePath } from '../gomod/module-path.js'
import { checkVersion } from '../gomod/semver.js'
import { DatabaseClient, ForkedLog, headName, type NotedHead } from '../sumdb/database-client.js'
import { NotProved } from '../sumdb/proof.js'
import type { GoSums } from '../sumdb/record.js'
import { WrongUsage } from './command.js'
import { jsonLines, print, printError } from './print.js'
import { Progress } from './progress.js'

const OPTIONS = {
  only: { type: 'string', multiple: true },
  head: { type: 'string' },
  'allow-http': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const

/** Versions that are looked up at the same time. */
const AT_ONCE = 8
/** The bytes of a go.sum. One of 10,000 lines has 1 MB. */
const MAX_GO_SUM_BYTES = 64 * 2 ** 20

/** The lines of one version in all the files: the hashes that they state, each once. */
type Version = { module: string; version: string; lines: GoSumLine[] }

/** A line that fails, and why. */
type Failure = { line: GoSumLine; problem: 'mismatch' | 'not recorded' | 'not proved'; why: string }

function mustBePrefix(prefix: string): string {
  const path = prefix.replace(/\/+$/, '')
  if (/^[\w.~-]+(?:\/[\w.~-]+)*$/.test(path)) return path
  throw new WrongUsage(
    `--only takes the beginning of module paths, such as corp.example/team, not ${quote(prefix)}`,
  )
}

function readGoSum(path: string): GoSumLine[] {
  try {
    if (statSync(path).size > MAX_GO_SUM_BYTES) throw new Error(`it is larger than ${MAX_GO_SUM_BYTES} bytes`)
    return parseGoSum(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new Error(`${path}: ${messageOf(error)}`, { cause: error })
  }
}

/** The versions in the files, in their order. A line that stands there several times counts once. */
function versionsIn(paths: readonly string[], only: readonly string[]): Version[] {
  const isAsked = ({ module }: GoSumLine): boolean =>
    only.length === 0 || only.some((prefix) => module === prefix || module.startsWith(`${prefix}/`))
  const versions = new Map<string, Version>()
  for (const line of paths.flatMap(readGoSum).filter(isAsked)) {
    const key = `${line.module} ${line.version}`
    const found = versions.get(key) ?? { module: line.module, version: line.version, lines: [] }
    if (!found.lines.some(({ of, hash }) => of === line.of && hash === line.hash)) found.lines.push(line)
    versions.set(key, found)
  }
  return [...versions.values()]
}

/** The lines of a version that fail. Throws {@link ForkedLog}, and when the database cannot be read. */
async function failuresOf(client: DatabaseClient, { module, version, lines }: Version): Promise<Failure[]> {
  const all = (problem: Failure['problem'], why: string): Failure[] =>
    lines.map((line) => ({ line, problem, why }))
  const wrong = checkModulePath(module) ?? checkVersion(version)
  if (wrong !== undefined) return all('not recorded', wrong)
  let sums: GoSums | undefined
  try {
    sums = await client.lookup({ module, version })
  } catch (error) {
    if (error instanceof NotProved) return all('not proved', error.message)
    throw error
  }
  if (!sums) return all('not recorded', 'the database has no record of this version')
  const { zip, mod } = sums
  return lines.flatMap((line): Failure[] => {
    const recorded = line.of === 'zip' ? zip : mod
    if (line.hash === recorded) return []
    return [{ line, problem: 'mismatch', why: `go.sum has ${line.hash}, and ${recorded} is recorded` }]
  })
}

/** Runs `work` for the items, some at once, and yields the results in the order of the items. */
async function* inOrder<T, R>(items: readonly T[], work: (item: T) => Promise<R>): AsyncGenerator<R> {
  const running: Promise<R>[] = []
  try {
    for (const item of items) {
      const result = work(item)
      result.catch(() => {}) // it is awaited in its turn, or nobody asks any more
      running.push(result)
      if (running.length >= AT_ONCE) yield await (running.shift() as Promise<R>)
    }
    for (let next = running.shift(); next; next = running.shift()) yield await next
  } finally {
    await Promise.allSettled(running)
  }
}

function printFailure({ line, problem, why }: Failure, json: boolean): void {
  const { module, version, of, hash } = line
  const name = `${module} ${version}${of === 'mod' ? '/go.mod' : ''}`
  if (json) print(jsonLines({ module, version, of, hash, problem, why }))
  else print(`${name}: ${problem}: ${why}`)
}

/** Prints the lines that fail as they are found, and returns how many there were. */
async function checkAll(
  client: DatabaseClient,
  versions: readonly Version[],
  json: boolean,
): Promise<number> {
  const progress = new Progress()
  let [done, failed] = [0, 0]
  try {
    for await (const failures of inOrder(versions, (version) => failuresOf(client, version))) {
      progress.showCount('versions', ++done, versions.length)
      if (failures.length > 0) progress.clear()
      for (const failure of failures) printFailure(failure, json)
      failed += failures.length
    }
    return failed
  } finally {
    progress.clear()
  }
}

/** Remembers the newest head, which continues what another check has remembered there meanwhile. */
async function rememberNewest(
  client: DatabaseClient,
  path: string,
  remembered: NotedHead | undefined,
  reread: () => NotedHead | undefined,
): Promise<void> {
  const now = reread()
  if (now && now.text !== remembered?.text) await client.take(now)
  if (!now || now.size < client.newest.size) remember(path, client.newest)
}

/** Says that the log is another than the one which was seen before. */
function printFork(error: ForkedLog, head: string | undefined, json: boolean): void {
  if (json) return print(jsonLines({ problem: 'fork', why: error.message, heads: error.heads }))
  print(`the log is no continuation of what it was: ${error.message}`)
  printError([
    'plinth: the two heads, which prove that:',
    ...error.heads.flatMap((text) => text.split('\n')),
    ...(head === undefined ? [] : [`plinth: ${head} stays as it is`]),
  ])
}

export async function check(words: string[]): Promise<number> {
  const { values, positionals: paths } = parseArgs({
    args: words,
    allowPositionals: true,
    options: OPTIONS,
  })
  const { json, head: headPath } = values
  if (paths.length === 0) throw new WrongUsage('sumdb check takes the paths of go.sum files')
  if (headPath === '') throw new WrongUsage('--head takes the path of a file')
  const only = (values.only ?? []).map(mustBePrefix)
  const database = parseDatabase(checksumDatabase())
  const { verifier } = database
  const versions = versionsIn(paths, only)
  const reread = (): NotedHead | undefined =>
    headPath === undefined ? undefined : readRemembered(headPath, verifier)
  const remembered = reread()
  const files = filesOf(database, AT_ONCE, values['allow-http'])
  try {
    const client = await DatabaseClient.open(files, verifier, remembered)
    const failed = await checkAll(client, versions, json)
    if (headPath !== undefined) await rememberNewest(client, headPath, remembered, reread)
    const { newest } = client
    const lines = versions.reduce((sum, version) => sum + version.lines.length, 0)
    const counts = { lines, versions: versions.length, failed }
    if (json)
      print(
        jsonLines({
          ...counts,
          name: verifier.name,
          size: newest.size,
          root: newest.root.toString('base64'),
        }),
      )
    else if (failed > 0) printError(`plinth: ${failed} of ${lines} lines failed`)
    else
      print(
        `${lines} lines of ${versions.length} versions are recorded in ${verifier.name}: ${headName(newest)}`,
      )
    if (lines === 0) printError(`plinth: there is nothing to check in ${paths.join(', ')}`)
    return failed > 0 ? 1 : 0
  } catch (error) {
    if (error instanceof ForkedLog) printFork(error, headPath, json)
    else if (error instanceof NotProved && json)
      print(jsonLines({ problem: 'not proved', why: error.message }))
    else if (error instanceof NotProved) print(`not proved: ${error.message}`)
    else throw error
    return 1
  } finally {
    files.close()
  }
}
