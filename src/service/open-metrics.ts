// Metrics, when a setting asks for them. Without it not even their library is loaded.

import type { Config } from '../config.js'
import type { Log } from '../log.js'
import type { Metrics } from '../metrics/metrics.js'

/** The metrics of this process, which nobody can ask for yet; `undefined` without PLINTH_METRICS. */
export async function openMetrics({ metrics: address }: Config, log: Log): Promise<Metrics | undefined> {
  if (address === undefined) return undefined
  const { Metrics } = await import('../metrics/metrics.js')
  return new Metrics(address, log)
}
