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
  return runRules(tests)
}

/** Runs the shipped rules on promtool's tests. */
function runRules(tests: readonly object[]): ReturnType<typeof promtool> {
  const file = join(tempFolder(), 'test.json') // every JSON text is YAML
  const rules = { rule_files: [join(ROOT, ALERTS)], evaluation_interval: '1m', tests }
  writeFileSync(file, JSON.stringify(rules))
  return promtool(['test', 'rules', file])
}

/** What Prometheus got for so many minutes, a scrape each minute: always this text, or no answer. */
export type Seen = { scrape: string | undefined; minutes: number }

const UP = 'up{job="plinth",instance="a"}'

/**
 * The series of a scrape, with its values. What is no number in it (NaN) is left out. Points in time are moved by
 * `moved` seconds: promtool begins in 1970.
 */
function valuesOf(scrape: string | undefined, moved: number): Map<string, string> {
  const values = new Map([[UP, scrape === undefined ? '0' : '1']])
  for (const [, name = '', labels = '', value] of scrape?.matchAll(SERIES) ?? []) {
    const isTime = /_timestamp_seconds$|_start_time_seconds$/.test(name)
    const all = ['job="plinth"', 'instance="a"', ...(labels === '' ? [] : [labels])].join()
    values.set(`${name}{${all}}`, (Number(value) + (isTime ? moved : 0)).toFixed(6))
  }
  return values
}
const SERIES = /^(\w+)(?:\{(.*)\})? ([-+\de.]+)$/gm

/** A value for so many minutes. One that is absent is stale at once, as when Prometheus does not find it any more. */
const during = (value: string | undefined, minutes: number): string =>
  value === undefined ? `stale${minutes > 1 ? ` _x${minutes - 1}` : ''}` : `${value}x${minutes - 1}`

/** The alerts that fire at the end of each part of a history, in the order of their names. The last part ends now. */
export function alertsDuring(history: readonly Seen[]): string[][] {
  const ends = history.map((_, nth) =>
    history.slice(0, nth + 1).reduce((sum, { minutes }) => sum + minutes, -1),
  )
  const moved = (ends.at(-1) ?? 0) * 60 - Date.now() / 1000
  const parts = history.map(({ scrape, minutes }) => ({ values: valuesOf(scrape, moved), minutes }))
  const names = new Set(parts.flatMap(({ values }) => [...values.keys()]))
  const input_series = [...names].map((series) => ({
    series,
    values: parts.map(({ values, minutes }) => during(values.get(series), minutes)).join(' '),
  }))
  // promtool tells what it got when that is not what it was to expect.
  const exp_samples = [{ labels: '{alertname="no alert has this name"}', value: 1 }]
  const promql_expr_test = ends.map((end) => ({ expr: FIRING, eval_time: `${end}m`, exp_samples }))
  const { output } = runRules([{ interval: '1m', input_series, promql_expr_test }])
  const got = [...output.matchAll(/^ +got: *(.*)$/gm)].map(([, text = '']) => text)
  if (got.length !== history.length) throw new Error(output)
  return got.map((text) => [...text.matchAll(/alertname="(\w+)"/g)].map(([, name = '']) => name).sort())
}

/** The alerts that fire when a scrape stays as it is. */
export const firingOn = (scrape: string): string[] => alertsDuring([{ scrape, minutes: MINUTES }]).flat()
