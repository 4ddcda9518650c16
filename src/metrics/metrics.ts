// The metrics of the service: what is counted as it happens, and what its parts tell when somebody asks.

import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { LocalAddress } from '../addresses/local-address.js'
import { VERSION } from '../config.js'
import type { RequestMiddleware } from '../http/request-state.js'
import type { Log } from '../log.js'
import { MetricsListener } from './listener.js'
import { LogMetrics } from './log-metrics.js'
import { RequestMetrics } from './request-metrics.js'
import { serviceSources, type MetricsParts } from './service-sources.js'
import type { FigureSource } from './figure-source.js'
import { listenToSyncs } from './sync-metrics.js'

/** Gauges of prom-client whose names say that they are counters: promtool does not like them. */
const ILL_NAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
]

export class Metrics {
  readonly #registry = new Registry()
  readonly #log: Log
  readonly #logMetrics: LogMetrics
  readonly #listener: MetricsListener
  /** Whether the last look of each source went well. */
  readonly #isUp: Gauge
  /** What is looked up at each scrape. */
  #sources: readonly FigureSource[] = []
  /** Ends the listening to syncs. */
  readonly #endSyncs: () => void
  /** Middleware that counts requests. */
  readonly observe: RequestMiddleware

  constructor(address: LocalAddress, log: Log) {
    const registry = this.#registry
    this.#log = log
    this.#logMetrics = new LogMetrics(registry)
    this.observe = new RequestMetrics(registry).observe
    this.#endSyncs = listenToSyncs(registry)
    collectDefaultMetrics({ register: registry })
    for (const name of ILL_NAMED) registry.removeSingleMetric(name)
    const registers = [registry]
    new Gauge({
      name: 'plinth_build_info',
      help: 'Always 1; the version of Plinth is a label.',
      labelNames: ['version'],
      registers,
    }).set({ version: VERSION }, 1)
    this.#isUp = new Gauge({
      name: 'plinth_source_up',
      help: '1 when this source of metrics could be asked, else 0: then its metrics are absent.',
      labelNames: ['source'],
      registers,
    })
    this.#listener = new MetricsListener(address, log, {
      text: () => this.#text(),
      type: registry.contentType,
    })
  }

  /** The log that is to be used from now on: what is told to it is counted. */
  hear(log: Log): Log {
    return this.#logMetrics.hear(log)
  }

  /** Answers from now on. */
  listen(parts: MetricsParts): Promise<void> {
    this.#sources = serviceSources({ registry: this.#registry, log: this.#log }, parts)
    return this.#listener.listen()
  }

  /** Answers nobody any more. */
  async close(): Promise<void> {
    this.#endSyncs()
    await this.#listener.close()
  }

  async #text(): Promise<string> {
    const looked = this.#sources.map(async (source) => {
      this.#isUp.set({ source: source.name }, (await source.collect()) ? 1 : 0)
    })
    await Promise.all(looked)
    return this.#registry.metrics()
  }
}
