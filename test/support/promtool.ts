// Tries the shipped alert rules by Prometheus' own promtool: which of them fire on given series?

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './documents.js'
import { tempFolder } from './temp-folder.js'

export const ALERTS = 'scripts/deploy/prometheus/alerts.yml'

/** How long the series last, in minutes; the rules are looked at in the end. */
export const MINUTES = 90

/** A series with its labels → its values, a minute apart, in promtool's notation: `1x90`, `0+10x90`. */
export type Series = Readonly<Record<string, string>>

const FIRING = 'count by (alertname) (ALERTS{alertstate="firing"})'

/** Runs promtool. `input` goes to its standard input. */
export function promtool(args: string[], input = ''): { code: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8', input })
  return { code: status, output: stdout + stderr }
}

/** Runs promtool on cases: their series, and the alerts that must fire, each in the order of names. */
export function tryAlerts(cases: readonly { series: Series; alerts: readonly string[] }[]) {
  const file = join(tempFolder(), 'test.json') // every JSON text is YAML
  const tests = cases.map(({ series, alerts }) => ({
    interval: '1m',
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    promql_expr_test: [
      {
        expr: FIRING,
        eval_time: `${MINUTES}m`,
        exp_samples: alerts.map((alert) => ({ labels: `{alertname="${alert}"}`, value: 1 })),
      },
    ],
  }))
  const rules = { rule_files: [join(ROOT, ALERTS)], evaluation_interval: '1m', tests }
  writeFileSync(file, JSON.stringify(rules))
  return promtool(['test', 'rules', file])
}

/** The alerts that fire when a scrape stays as it is. What is no number in it (NaN) is left out. Points in time of the scrape are moved to promtool's, near 1970. */
export function firingOn(scrape: string): string[] {
  const moved = MINUTES * 60 - Date.now() / 1000
  const series = Object.fromEntries(
    [...scrape.matchAll(/^(\w+)(?:\{(.*)\})? ([-+\de.]+)$/gm)].map(([, name = '', labels = '', value]) => {
      const isTime = /_timestamp_seconds$|_start_time_seconds$/.test(name)
      const number = Number(value) + (isTime ? moved : 0)
      const all = ['job="plinth"', 'instance="a"', ...(labels === '' ? [] : [labels])].join()
      return [`${name}{${all}}`, `${number.toFixed(6)}x${MINUTES}`]
    }),
  )
  const nothing = 'no alert has this name'
  const { output } = tryAlerts([
    { series: { 'up{job="plinth",instance="a"}': `1x${MINUTES}`, ...series }, alerts: [nothing] },
  ])
  const got = /^ +got: *(.*)$/m.exec(output)?.[1]
  if (got === undefined) throw new Error(output)
  return [...got.matchAll(/alertname="(\w+)"/g)].map(([, name = '']) => name).sort()
}
