// The invariants of a data folder while no operation is in progress, checked on the files alone.
//
// Modules are those of simpleModule(): their go.mod is known.

import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { infoText, latestVersion, listText } from '../../src/go/artifacts.js'
import { escapePath, unescapePath } from '../../src/gomod/module-path.js'
import { readConfig } from '../../src/config.js'
import { inspectTree } from '../../src/inspection/inspect.js'
import { sumFile } from '../../src/layout.js'
import type { CheckPool } from '../../src/modzip/check-pool.js'
import { readModuleZip } from '../../src/modzip/read-zip.js'
import { parseOperation } from '../../src/packages/operation.js'
import { Parts } from '../../src/service/parts.js'
import { timeText } from '../../src/views/module-index.js'
import { databaseProblems, unrecordedVersions } from './checksum-database.js'
import { until } from './until.js'

const filesBelow = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .map((name) => join(folder, name))
        .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile())
    : []

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

function moduleProblems(versions: string, module: string): string[] {
  const problems: string[] = []
  const names = readdirSync(versions)
  const zips = names.filter((name) => name.endsWith('.zip') && name !== 'latest.zip')
  const found = zips.map((name) => unescapePath(name.slice(0, -4)) ?? '')
  const text = (path: string): string | undefined =>
    existsSync(path) ? readFileSync(path, 'utf8') : undefined
  const expect = (path: string, content: string | undefined): void => {
    if (text(path) !== content)
      problems.push(`${path}: ${JSON.stringify(text(path))} instead of ${JSON.stringify(content)}`)
  }
  const latest = latestVersion(found)
  const file = (version: string, extension: string): string =>
    join(versions, `${escapePath(version)}.${extension}`)
  const info = (version: string): string => infoText(version, statSync(file(version, 'zip')).mtime)
  const timeOf = (path: string): string | undefined => {
    const status = statSync(path, { throwIfNoEntry: false })
    return status && timeText(status.mtime)
  }
  for (const version of found) {
    expect(file(version, 'mod'), `module ${module}\n\ngo 1.19\n`)
    expect(file(version, 'info'), info(version))
    for (const extension of ['mod', 'info'])
      if (timeOf(file(version, extension)) !== timeOf(file(version, 'zip')))
        problems.push(`${file(version, extension)}: its time is not its zip's`)
  }
  expect(join(versions, 'list'), latest === undefined ? undefined : listText(found))
  expect(join(versions, '../@latest'), latest === undefined ? undefined : info(latest))
  for (const extension of ['zip', 'mod', 'info']) {
    const of = latest === undefined ? undefined : text(file(latest, extension))
    expect(join(versions, `latest.${extension}`), of)
  }
  const known = new Set([
    'list',
    ...['latest', ...found.map(escapePath)].flatMap((v) => [`${v}.zip`, `${v}.mod`, `${v}.info`]),
  ])
  for (const name of names) if (!known.has(name)) problems.push(`${join(versions, name)} should not be there`)
  return problems
}

/** What verify finds wrong with the views below `data`, in words. No operation may be in progress. */
export async function viewProblems(data: string): Promise<string[]> {
  const zips = { read: readModuleZip, close: async () => {} } as unknown as CheckPool
  const parts = new Parts(readConfig({ PLINTH_DATA: data }), () => {}, { zips })
  const problems: string[] = []
  for await (const event of inspectTree(parts, { mend: false, noService: true }))
    if ('fault' in event && event.fault.path.includes('/-/')) {
      const { path, fault } = event.fault
      problems.push(`${path}: ${fault}`)
    }
  return problems
}

/** Every violated invariant below `data`, those of the views too, when the views of owners have followed. */
export async function settledViolations(data: string, seen?: Map<number, string>): Promise<string[]> {
  const due = join(data, 'state/due')
  await until(() => !existsSync(due) || readdirSync(due).length === 0)
  return [...violations(data, seen), ...(await viewProblems(data))]
}

/**
 * The same where no service runs any more. One that ends in a hurry leaves views due: they are made first, as the next
 * start does.
 */
export async function violationsAfterEnd(data: string): Promise<string[]> {
  const problems = violations(data)
  const { ownerViews } = new Parts(readConfig({ PLINTH_DATA: data }), () => {})
  await ownerViews.recover()
  await ownerViews.settle()
  ownerViews.stop()
  return [...problems, ...(await viewProblems(data))]
}

/** What is wrong with the checksum databases that are shown. `seen`: heads of `admin` that readers saw before. */
function recordProblems(data: string, seen?: Map<number, string>): string[] {
  const owners = join(data, 'state/sumdb')
  return (existsSync(owners) ? readdirSync(owners) : [])
    .filter((owner) => existsSync(join(owners, owner, 'key')) && !existsSync(join(owners, owner, 'status')))
    .flatMap((owner) => [...databaseProblems(data, owner, seen), ...unrecordedVersions(data, owner)])
}

/**
 * Every violated invariant below `data`, in words. No operation may be in progress. `seen`: heads of the checksum
 * database of `admin` that readers saw before; those of now are added.
 */
export function violations(data: string, seen?: Map<number, string>): string[] {
  const problems = recordProblems(data, seen)
  const tree = filesBelow(join(data, 'tree'))
  for (const folder of ['state/tmp', 'state/journal'])
    for (const name of readdirSync(join(data, folder))) problems.push(`${folder}/${name} is left`)

  const versionFolders = new Set(tree.filter((path) => /\/@v\//.test(path)).map((path) => dirname(path)))
  for (const versions of versionFolders) {
    const module = /\/go\/(.*)\/@v$/.exec(versions)?.[1] ?? ''
    problems.push(...moduleProblems(versions, unescapePath(module) ?? ''))
  }
  for (const path of tree.filter((file) => basename(file) === '@latest'))
    if (!versionFolders.has(join(dirname(path), '@v'))) problems.push(`${path} has no versions`)

  const isView = (path: string): boolean => /\/api\/packages\/[^/]+\/-\//.test(path)
  const uploaded = tree.filter(
    (path) => !isView(path) && (/\/generic\//.test(path) || /\/@v\/v[^/]*\.zip$/.test(path)),
  )
  const sums = new Set(filesBelow(join(data, 'state/sums')))
  for (const path of uploaded) {
    const sum = join(data, sumFile(path.slice(data.length + 1)))
    const recorded = existsSync(sum) ? readFileSync(sum, 'utf8') : 'nothing'
    const { time } = (existsSync(sum) && parseOperation(recorded)) || {}
    const isOfItsTime = time === undefined || time === timeText(statSync(path).mtime)
    if (!recorded.includes(sha256(readFileSync(path))) || !isOfItsTime)
      problems.push(`${path} of ${statSync(path).mtime.toISOString()}: recorded is ${recorded}`)
    sums.delete(sum)
  }
  for (const sum of sums) problems.push(`${sum} is of no file: ${readFileSync(sum, 'utf8')}`)

  for (const name of readdirSync(join(data, 'tree'), { recursive: true, encoding: 'utf8' })) {
    const path = join(data, 'tree', name)
    const kept = /^api(\/packages(\/[^/]+(\/((-\/)?(go|generic|latest)|-))?)?)?$/.test(name)
    const status = statSync(path, { throwIfNoEntry: false })
    if (!status) problems.push(`${path} leads nowhere`)
    else if (!kept && status.isDirectory() && readdirSync(path).length === 0)
      problems.push(`${path} is an empty folder`)
  }
  return problems
}
