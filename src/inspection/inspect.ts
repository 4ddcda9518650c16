// The whole tree, package by package, held against what was uploaded; and, when it is asked for, mended.
//
// A package that looks wrong is looked at again in its queue, where nothing changes it: what was in flight at the first
// look is no fault. Mending happens there, too.

import { dirname } from 'node:path'
import type { FilePublisher } from '../generic/publish.js'
import { makeVersionInspector } from './generic-version.js'
import type { CheckPool } from '../modzip/check-pool.js'
import { makeModuleInspector } from './module.js'
import type { ModulePublisher } from '../go/publish.js'
import { folders } from '../layout.js'
import type { Store } from '../store/store.js'
import { inspectAccess } from './access.js'
import { makeFileCheck } from './file-check.js'
import { messageOf } from '../errors.js'
import {
  REBUILD,
  type Fault,
  type Finding,
  type InspectionEvent,
  type Scope,
  type Totals,
} from './finding.js'
import { lostFiles, lostFinding } from './lost-files.js'
import { makeWalk } from './walk.js'

/** What an inspection works with: the parts of the service. */
export type Inspected = { store: Store; zips: CheckPool; modules: ModulePublisher; files: FilePublisher }

/** `mend`: rebuild; without it nothing is written. `alone`: no service runs, so nothing can be in flight. */
export type Inspection = Scope & { mend: boolean; alone?: boolean }

type Look = () => Promise<{ findings: Finding[]; files: number }>
type Alone = (action: () => Promise<void>) => Promise<void>

/** What a crash left: the next start settles it and takes it away. */
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

/** Yields each fault as it is found, the totals after each package, and once more, `done`, at the end. */
export async function* inspectTree(
  { store, zips, modules, files }: Inspected,
  { mend, alone: noService, ...scope }: Inspection,
): AsyncGenerator<InspectionEvent> {
  const check = makeFileCheck(store)
  const inspectModule = makeModuleInspector(store, zips, check)
  const inspectVersion = makeVersionInspector(store, check)
  const totals: Totals = { packages: 0, files: 0, faults: 0, mended: 0, unrecorded: 0, recorded: 0 }

  async function repaired(finding: Finding): Promise<boolean> {
    if (!mend || !finding.repair) return false
    try {
      await finding.repair()
      return true
    } catch (error) {
      finding.mend = `rebuild could not mend it: ${messageOf(error)}`
      return false
    }
  }

  async function report(findings: readonly Finding[]): Promise<Fault[]> {
    const faults: Fault[] = []
    const changed = new Set<string>()
    for (const finding of findings) {
      const mended = await repaired(finding)
      if (mended) changed.add(dirname(finding.path))
      totals[finding.note ? (mended ? 'recorded' : 'unrecorded') : 'faults']++
      if (finding.note) continue
      if (mended) totals.mended++
      const { path, fault, mend: by } = finding
      faults.push({ path, fault, mend: by, byRebuild: finding.repair !== undefined, mended })
    }
    for (const folder of changed) await store.sync(folder)
    return faults
  }

  async function* inspect(look: Look, alone: Alone): AsyncGenerator<InspectionEvent> {
    totals.packages++
    // What is deleted under our eyes is an error at the first look, and nothing at the second.
    const first = await look().catch(() => undefined)
    totals.files += first?.files ?? 0
    const faults: Fault[] = []
    if (first?.findings.length !== 0)
      await alone(async () => void faults.push(...(await report((await look()).findings))))
    for (const fault of faults) yield { fault }
    yield { totals, done: false }
  }

  async function* all(): AsyncGenerator<InspectionEvent> {
    for await (const found of makeWalk(store)(scope)) {
      if ('module' in found) {
        const { module } = found
        yield* inspect(
          () => inspectModule(module),
          (action) => modules.alone(module, action),
        )
      } else if ('version' in found) {
        const { version } = found
        yield* inspect(
          () => inspectVersion(version),
          (action) => files.alone(version, action),
        )
      } else {
        for (const fault of await report([found.finding])) yield { fault }
      }
    }
    for await (const sum of lostFiles(store, scope)) {
      const faults: Fault[] = []
      const again = async (): Promise<void> => {
        if ('finding' in sum) faults.push(...(await report([sum.finding])))
        else if (await store.exists(sum.record))
          faults.push(...(await report([lostFinding(sum.lost, sum.record)])))
      }
      if ('finding' in sum) await again()
      else if ('module' in sum.lost) await modules.alone(sum.lost, again)
      else await files.alone(sum.lost, again)
      for (const fault of faults) yield { fault }
    }
    if (scope.owner !== undefined || scope.module !== undefined) return
    for (const fault of await report(await inspectAccess(store))) yield { fault }
    if (noService) for (const fault of await report(await leftovers(store))) yield { fault }
  }

  yield* all()
  yield { totals, done: true }
}
