// Inspects one package, or one other place in the tree, and reports what is wrong with it.

import type { Config } from '../config.js'
import type { FilePublisher } from '../generic/publish.js'
import type { ModulePublisher } from '../go/publish.js'
import type { CheckPool } from '../modzip/check-pool.js'
import type { OwnerViews } from '../packages/owner-views.js'
import type { Site } from '../views/page-addresses.js'
import type { FileCheck } from './file-check.js'
import type { Fault, PackageFindings } from './finding.js'
import type { FirstLooks } from './first-looks.js'
import { inspectGenericPackage } from './generic-package.js'
import { inspectGenericVersion } from './generic-version.js'
import type { LookRequest, PackageLook } from './look-thread.js'
import { lostFinding, type RecordProblem } from './lost-files.js'
import { inspectModule } from './module.js'
import type { Since } from './recent.js'
import type { SeenDatabases } from './recorded-sums.js'
import type { Reporter } from './reporter.js'
import type { SeeingNeeds } from './seen-database.js'
import { inspectOwnerViews } from './views.js'
import type { Found } from './walk.js'
import type { ZipReadings } from './zip-readings.js'

/** What an inspection takes of the service's parts. */
export type InspectionNeeds = SeeingNeeds & {
  zips: Pick<CheckPool, 'read'>
  modules: Pick<ModulePublisher, 'alone'>
  files: Pick<FilePublisher, 'alone'>
  ownerViews: Pick<OwnerViews, 'inspect' | 'remake'>
  site: Site
  /** Without it there are no threads. */
  config?: Pick<Config, 'data' | 'readmeImages'>
}

/** What inspecting a package needs. */
export type Inspecting = InspectionNeeds & {
  check: FileCheck
  readings: ZipReadings
  seen: SeenDatabases
  reporter: Reporter
  since: Since
  /** Threads of a large tree. */
  looks: FirstLooks | undefined
}

type FoundPackage = Extract<Found, { module: unknown } | { version: unknown }>

/** Whether it is a module or a generic version. */
export const isPackage = (found: Found): found is FoundPackage => 'module' in found || 'version' in found

export const nameOf = (found: FoundPackage): string =>
  'module' in found
    ? `${found.module.owner}/${found.module.module}`
    : `${found.version.owner}/${found.version.name} ${found.version.version}`

/** Inspects what the walk found. `seen` is what a thread saw of it. */
export async function inspectFound(
  inspecting: Inspecting,
  found: Found,
  seen: PackageLook | undefined,
): Promise<Fault[]> {
  const { modules, files, ownerViews, reporter } = inspecting
  if ('end' in found) return []
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
      seen,
      () => inspectModule(inspecting, module),
      (action) => modules.alone(module, action),
    )
  }
  const { version } = found
  return inspectPackage(
    inspecting,
    seen,
    () => inspectGenericVersion(inspecting, version),
    (action) => files.alone(version, action),
  )
}

/**
 * `look` inspects a package; `seen` is what a thread saw of it. `inQueue` runs an action while nothing else changes the
 * package.
 */
async function inspectPackage(
  { check, reporter }: Inspecting,
  seen: PackageLook | undefined,
  look: () => Promise<PackageFindings>,
  inQueue: (action: () => Promise<Fault[]>) => Promise<Fault[]>,
): Promise<Fault[]> {
  const { totals } = reporter
  // A package that is deleted during the first look makes it fail. The second look finds nothing then.
  const first = seen ?? (await firstLook(look))
  totals[first?.isUnchanged ? 'unchanged' : 'packages']++
  totals.files += first?.files ?? 0
  if (seen) for (const name of ['uploads', 'read', 'readBytes'] as const) totals[name] += seen[name]
  if (first?.isRight) return []
  return inQueue(async () => reporter.report((await check.again(look)).findings))
}

async function firstLook(
  look: () => Promise<PackageFindings>,
): Promise<Pick<PackageLook, 'isRight' | 'files' | 'isUnchanged'> | undefined> {
  const found = await look().catch(() => undefined)
  return found && { ...found, isRight: found.findings.length === 0 }
}

/** Looks for the file of a record again while nothing changes it. */
export async function inspectLost(
  { store, modules, files, reporter }: Inspecting,
  problem: RecordProblem,
): Promise<Fault[]> {
  if ('finding' in problem) return reporter.report([problem.finding])
  const { lost, record } = problem
  const lookAgain = async (): Promise<Fault[]> =>
    (await store.exists(record)) ? reporter.report([lostFinding(lost, record)]) : []
  return 'module' in lost ? modules.alone(lost, lookAgain) : files.alone(lost, lookAgain)
}

/** The first look at a package by a thread; `undefined` when there is none that can tell. */
export async function lookInThread(
  { looks, seen }: Inspecting,
  found: FoundPackage,
): Promise<PackageLook | undefined> {
  if (!looks || !('module' in found)) return looks?.look(found as Exclude<LookRequest, { records: string }>)
  try {
    const { database } = await seen.of(found.module.owner)
    const name = database?.status === 'enabled' ? database.signer.name : undefined
    return await looks.look({ module: found.module, database: name })
  } catch {
    return undefined // the look that follows fails for the same reason, and tells it
  }
}
