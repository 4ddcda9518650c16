// What `verify` and `rebuild` share: they run the inspection and show it.

import { readConfig, type Config } from '../config.js'
import { NOTHING_INSPECTED, type Fault, type Totals } from '../inspection/finding.js'
import type { Inspection } from '../inspection/inspect.js'
import { runJob } from '../service/run-job.js'
import { jsonLines, print } from './print.js'
import { Progress } from './progress.js'

const lines = ({ path, fault, mend, mended }: Fault): string[] => [
  `${path}: ${fault}`,
  `  ${mended ? 'mended' : `to mend it: ${mend}`}`,
]

type Report = { faults: Fault[]; totals: Totals }

/** Runs the inspection and shows it; `json` prints one object at the end instead. */
export async function runInspection(
  inspection: Inspection,
  json: boolean,
  config: Config = readConfig(),
): Promise<Report> {
  const progress = new Progress()
  const faults: Fault[] = []
  let totals: Totals = NOTHING_INSPECTED
  const counted = progress.isSeen
  for await (const event of runJob(config, 'inspection', { ...inspection, counted })) {
    if ('totals' in event) {
      totals = event.totals
      const { packages, unchanged, files, faults: found } = totals
      progress.showCount(
        'packages',
        packages + unchanged,
        event.of,
        `${files} files, ${found} faults: ${event.at ?? ''}`,
      )
    } else {
      faults.push(event.fault)
      progress.clear()
      if (!json) print(lines(event.fault))
    }
  }
  progress.clear()
  const { sample, since } = inspection
  const ofPart = {
    ...(sample && { sample }),
    ...(since !== undefined && { since: new Date(since).toISOString() }),
  }
  const report = { faults, totals, ...ofPart }
  if (json) print(jsonLines(report, 2))
  return report
}
