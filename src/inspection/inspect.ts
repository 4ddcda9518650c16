// Inspects the whole tree, package by package: compares it with what was uploaded, and mends it when that is asked for.
//
// A package with findings is looked at again in its queue, where nothing else changes it: an operation that was under
// way at the first look is not a fault. Mending happens in the queue, too.

import type { FilePublisher } from '../generic/publish.js'
import type { ModulePublisher } from '../go/publish.js'
import { folders } from '../layout.js'
import type { CheckPool } from '../modzip/check-pool.js'
import type { OwnerViews } from '../packages/owner-views.js'
import { recordCount } from '../packages/records.js'
import { CountAhead } from '../shares/count-ahead.js'
import type { Site } from '../views/page-addresses.js'
import type { Store } from '../store/store.js'
import { inspectAccess } from './access.js'
import { inspectDatabases } from './database.js'
import { FileCheck } from './file-check.js'
import {
  REBUILD,
  type Fault,
  type Finding,
  type InspectionEvent,
  type PackageFindings,
  type Scope,
} from './finding.js'
import { inspectGenericVersion } from './generic-version.js'
import { lostFiles, lostFinding, type RecordProblem } from './lost-files.js'
import { inspectGenericPackage } from './generic-package.js'
import { inspectModule } from './module.js'
import { SeenDatabases } from './recorded-sums.js'
import { Reporter } from './reporter.js'
import type { SeeingNeeds } from './seen-database.js'
import { sampleOf, type SampleRequest } from './sample.js'
import { inspectTombstones } from './tombstones.js'
import { inspectOwnerViews } from './views.js'
import { walk, type Found } from './walk.js'
import { ZipReadings } from './zip-readings.js'

/** What an inspection takes of the service's parts. */
type InspectionNeeds = SeeingNeeds & {
  zips: Pick<CheckPool, 'read'>
  modules: Pick<ModulePublisher, 'alone'>
  files: Pick<FilePublisher, 'alone'>
  ownerViews: Pick<OwnerViews, 'inspect' | 'remake'>
  site: Site
}

/**
 * `mend`: rebuild; without it nothing is written. `noService`: no service runs, so nothing is under way. `counted`: the
 * packages are counted beside the inspection. `sample`: which uploaded files are read whole; without it all are.
 */
export type Inspection = Scope & {
  mend: boolean
  noService?: boolean
  counted?: boolean
  sample?: SampleRequest
}

type Inspecting = InspectionNeeds & {
  check: FileCheck
  readings: ZipReadings
  seen: SeenDatabases
  reporter: Reporter
}

/** Yields each fault when it is found, the totals after each package, and the totals with `done` at the end. */
export async function* inspectTree(
  needs: InspectionNeeds,
  { mend, noService, counted = false, sample, ...scope }: Inspection,
): AsyncGenerator<InspectionEvent> {
  const { store, zips } = needs
  const reporter = new Reporter(store, mend)
  const isInSample = sample && sampleOf(sample, await recordCount(store))
  const inspecting = {
    ...needs,
    check: new FileCheck(store, reporter.totals, isInSample),
    readings: new ZipReadings(store, zips),
    seen: new SeenDatabases(needs),
    reporter,
  }
  const { totals } = reporter
  // before the versions, which are compared with the lookups
  for await (const { faults, at } of inspectDatabases(inspecting, scope)) {
    for (const fault of faults) yield { fault }
    yield { totals, done: false, at }
  }
  const ahead = counted ? new CountAhead(walk(store, scope), isPackage) : undefined
  try {
    for await (const found of walk(store, scope)) {
      for (const fault of await inspectFound(inspecting, found)) yield { fault }
      if (isPackage(found)) yield { totals, done: false, at: nameOf(found), ...ahead?.known }
    }
  } finally {
    ahead?.stop()
  }
  for await (const problem of lostFiles(store, scope))
    for (const fault of await inspectLost(inspecting, problem)) yield { fault }
  if (scope.owner === undefined && scope.module === undefined) {
    for (const fault of await reporter.report(await inspectAccess(store))) yield { fault }
    for (const fault of await reporter.report(await inspectTombstones(store))) yield { fault }
    if (noService) for (const fault of await reporter.report(await leftovers(store))) yield { fault }
  }
  yield { totals, done: true }
}

type FoundPackage = Extract<Found, { module: unknown } | { version: unknown }>

const isPackage = (found: Found): found is FoundPackage => 'module' in found || 'version' in found

const nameOf = (found: FoundPackage): string =>
  'module' in found
    ? `${found.module.owner}/${found.module.module}`
    : `${found.version.owner}/${found.version.name} ${found.version.version}`

async function inspectFound(inspecting: Inspecting, found: Found): Promise<Fault[]> {
  const { modules, files, ownerViews, reporter } = inspecting
  if ('finding' in found) return reporter.report([found.finding])
  if ('owner' in found) return reporter.report(await inspectOwnerViews(ownerViews, found.owner))
  if ('generic' in found) {
    const look = (): Promise<PackageFindings> => inspectGenericPackage(inspecting, found.generic)
    if ((await look()).findings.length === 0) return []
    return files.alone(found.generic, async () => reporter.report((await look()).findings))
  }
  if ('module' in found) {
    const { module } = found
    return inspectPackage(
      inspecting,
      () => inspectModule(inspecting, module),
      (action) => modules.alone(module, action),
    )
  }
  const { version } = found
  return inspectPackage(
    inspecting,
    () => inspectGenericVersion(inspecting, version),
    (action) => files.alone(version, action),
  )
}

/** `look` inspects a package. `inQueue` runs an action while nothing else changes the package. */
async function inspectPackage(
  { check, reporter }: Inspecting,
  look: () => Promise<PackageFindings>,
  inQueue: (action: () => Promise<Fault[]>) => Promise<Fault[]>,
): Promise<Fault[]> {
  reporter.totals.packages++
  // A package that is deleted during the first look makes it fail. The second look finds nothing then.
  const first = await look().catch(() => undefined)
  reporter.totals.files += first?.files ?? 0
  if (first?.findings.length === 0) return []
  return inQueue(async () => reporter.report((await check.again(look)).findings))
}

async function inspectLost(
  { store, modules, files, reporter }: Inspecting,
  problem: RecordProblem,
): Promise<Fault[]> {
  if ('finding' in problem) return reporter.report([problem.finding])
  const { lost, record } = problem
  const lookAgain = async (): Promise<Fault[]> =>
    (await store.exists(record)) ? reporter.report([lostFinding(lost, record)]) : []
  return 'module' in lost ? modules.alone(lost, lookAgain) : files.alone(lost, lookAgain)
}

/** What a crash left. The next start repairs and removes it. */
async function leftovers(store: Store): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const folder of [folders.journal, folders.tmp])
    for (const name of await store.names(folder))
      findings.push({
        path: `${folder}/${name}`,
        fault: 'a crash left it',
        mend: `npm start, or ${REBUILD}`,
      })
  return findings
}
