// Inspects the whole tree, package by package: compares it with what was uploaded, and mends it when that is asked for.
//
// A package with findings is looked at again in its queue, where nothing else changes it: an operation that was under
// way at the first look is not a fault. Mending happens in the queue, too. Threads take the first look at packages of a
// large tree, some ahead of the others. What is told is in the order of the tree all the same.

import { availableParallelism } from 'node:os'
import { folders } from '../layout.js'
import { recordCount } from '../packages/records.js'
import { CountAhead } from '../shares/count-ahead.js'
import { lookAhead } from '../shares/look-ahead.js'
import type { Store } from '../store/store.js'
import { inspectAccess } from './access.js'
import { inspectDatabases } from './database.js'
import { FileCheck } from './file-check.js'
import { REBUILD, type Finding, type InspectionEvent, type Scope } from './finding.js'
import { FirstLooks } from './first-looks.js'
import {
  inspectFound,
  inspectLost,
  isPackage,
  lookInThread,
  nameOf,
  type Inspecting,
  type InspectionNeeds,
} from './inspect-found.js'
import { recordFolders, recordProblem, recordsIn } from './lost-files.js'
import type { PackageLook } from './look-thread.js'
import { SeenDatabases } from './recorded-sums.js'
import { Reporter } from './reporter.js'
import { sampleOf, type SampleRequest } from './sample.js'
import { inspectTombstones } from './tombstones.js'
import { walk, type Found } from './walk.js'
import { ZipReadings } from './zip-readings.js'

/** Threads that look, unless more are asked for: each takes some 70 MB at most. */
const MOST_JOBS = 8

/**
 * `mend`: rebuild; without it nothing is written. `noService`: no service runs, so nothing is under way. `counted`: the
 * packages are counted beside the inspection. `sample`: which uploaded files are read whole; without it all are.
 * `since`: only versions that changed then or later are looked at, in ms since 1970. `jobs`: threads at most; without
 * it one on each processor.
 */
export type Inspection = Scope & {
  mend: boolean
  noService?: boolean
  counted?: boolean
  sample?: SampleRequest
  since?: number
  jobs?: number
}

/** So many packages are looked at without threads: to start these takes longer. */
const FEW = 16
/** Packages that are looked at ahead of their turn, for each thread. */
const AHEAD = 64

/** Yields each fault when it is found, the totals after each package, and the totals with `done` at the end. */
export async function* inspectTree(
  needs: InspectionNeeds,
  asked: Inspection,
): AsyncGenerator<InspectionEvent> {
  const {
    mend,
    noService,
    counted = false,
    sample,
    since,
    jobs = Math.min(availableParallelism(), MOST_JOBS),
    ...scope
  } = asked
  const { store, zips } = needs
  const reporter = new Reporter(store, mend)
  const uploads = sample ? await recordCount(store) : 0
  const looks =
    needs.config &&
    new FirstLooks(
      {
        data: needs.config.data,
        readmeImages: needs.config.readmeImages,
        site: needs.site,
        isQuiet: noService !== true,
        since,
        sample: sample && { request: sample, uploads },
      },
      jobs,
    )
  const inspecting: Inspecting = {
    ...needs,
    check: new FileCheck(store, reporter.totals, sample && sampleOf(sample, uploads)),
    readings: new ZipReadings(store, zips),
    seen: new SeenDatabases(needs),
    reporter,
    since,
    looks,
  }
  const ahead = counted ? new CountAhead(walk(store, scope), isPackage) : undefined
  try {
    yield* inspectAll(inspecting, scope, jobs, ahead)
  } finally {
    ahead?.stop()
    looks?.close()
  }
  const { totals } = reporter
  if (scope.owner === undefined && scope.module === undefined) {
    for (const fault of await reporter.report(await inspectAccess(store))) yield { fault }
    for (const fault of await reporter.report(await inspectTombstones(store))) yield { fault }
    if (noService) for (const fault of await reporter.report(await leftovers(store))) yield { fault }
  }
  yield { totals, done: true }
}

/** Inspects checksum databases, packages and records. */
async function* inspectAll(
  inspecting: Inspecting,
  scope: Scope,
  jobs: number,
  ahead: CountAhead<Found> | undefined,
): AsyncGenerator<InspectionEvent> {
  const { store, looks, reporter } = inspecting
  const { totals } = reporter
  // before the versions, which are compared with the lookups
  for await (const { faults, at } of inspectDatabases(inspecting, scope)) {
    for (const fault of faults) yield { fault }
    yield { totals, done: false, at }
  }
  let packages = 0
  const begin = async (found: Found): Promise<PackageLook | undefined> =>
    isPackage(found) && ++packages > FEW ? lookInThread(inspecting, found) : undefined
  const found = lookAhead(walk(store, scope), { most: AHEAD * jobs, begin, isEnd })
  for await (const { item, result } of found) {
    for (const fault of await inspectFound(inspecting, item, await result)) yield { fault }
    if (isPackage(item)) yield { totals, done: false, at: nameOf(item), ...ahead?.known }
  }
  const folder = (records: string) => (packages > FEW ? looks?.wrongRecords({ records, scope }) : undefined)
  const records = lookAhead(each(await recordFolders(store)), {
    most: jobs,
    begin: async (path) => folder(path),
    isEnd: () => false,
  })
  for await (const { item, result } of records) {
    for (const record of (await result) ?? (await recordsIn(store, item))) {
      const problem = await recordProblem(store, scope, record)
      if (problem) for (const fault of await inspectLost(inspecting, problem)) yield { fault }
    }
    yield { totals, done: false, at: 'records of uploads', ...ahead?.known }
  }
}

async function* each<Item>(items: Iterable<Item>): AsyncGenerator<Item> {
  yield* items
}

/** What follows in the walk depends on the packages before it. */
const isEnd = (found: Found): boolean => 'end' in found

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
