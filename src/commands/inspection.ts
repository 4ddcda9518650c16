// What `verify` and `rebuild` share: where the inspection runs, and how it is shown.

import { statSync } from 'node:fs'
import { join } from 'node:path'
import { StartProblem } from '../errors.js'
import { readConfig } from '../config.js'
import { askService } from '../control.js'
import type { Fault, InspectionEvent, Totals } from '../inspection/finding.js'
import { inspectTree, type Inspection } from '../inspection/inspect.js'
import { folders } from '../layout.js'
import { takeLock } from '../lock.js'
import { makeLog } from '../log.js'
import { openParts } from '../parts.js'

// The running service does it, in step with its uploads; without one we do, and hold the folder's lock meanwhile.
async function* eventsOf(inspection: Inspection): AsyncGenerator<InspectionEvent> {
  const { data } = readConfig()
  try {
    process.chdir(data)
  } catch {
    throw new StartProblem(`there is no data folder at ${data}: set PLINTH_DATA`)
  }
  const answered = await askService(inspection)
  if (answered) return yield* answered
  dropToOwner(data)
  const lock = await takeLock(data, {
    onWarning: (text) => process.stderr.write(`plinth: warning: ${text}\n`),
  })
  const parts = openParts(
    data,
    makeLog((line) => process.stderr.write(line)),
  )
  try {
    if (inspection.mend) await parts.recover()
    yield* inspectTree(parts, { ...inspection, alone: true })
  } finally {
    await parts.zips.close()
    lock.release()
  }
}

// What root writes, the service could not replace: root becomes the user that the tree belongs to.
function dropToOwner(data: string): void {
  const { uid, gid } = statSync(join(data, folders.tree), { throwIfNoEntry: false }) ?? {}
  if (process.getuid?.() !== 0 || uid === undefined || gid === undefined || uid === 0) return
  process.setgroups?.([gid])
  process.setgid?.(gid)
  process.setuid?.(uid)
}

/** One line that changes in place, on a terminal only. */
function makeProgress(out: NodeJS.WriteStream) {
  const SHOW_EVERY_MS = 100
  let shown = 0
  const clear = (): void => void (shown > 0 && out.write('\r\x1b[K'))
  return {
    clear,
    show: ({ packages, files, faults }: Totals): void => {
      if (!out.isTTY || performance.now() - shown < SHOW_EVERY_MS) return
      shown = performance.now()
      out.write(`\r\x1b[K${packages} packages, ${files} files, ${faults} faults`)
    },
  }
}

const line = ({ path, fault, mend, mended }: Fault): string =>
  `${path}: ${fault}\n  ${mended ? 'mended' : `to mend it: ${mend}`}\n`

export type Report = { faults: Fault[]; totals: Totals }

/** Runs the inspection and shows it; `json` prints one object at the end instead. */
export async function runInspection(inspection: Inspection, json: boolean): Promise<Report> {
  const progress = makeProgress(process.stderr)
  const faults: Fault[] = []
  let totals: Totals = { packages: 0, files: 0, faults: 0, mended: 0, unrecorded: 0, recorded: 0 }
  for await (const event of eventsOf(inspection)) {
    if ('totals' in event) {
      totals = event.totals
      progress.show(totals)
    } else {
      faults.push(event.fault)
      progress.clear()
      if (!json) process.stdout.write(line(event.fault))
    }
  }
  progress.clear()
  const report = { faults, totals }
  if (json) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`)
  return report
}
