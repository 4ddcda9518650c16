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

const SERIES = /^(\w+)(?:\{(.*)\})? ([-+\de.]+)$/gm

/** The series of a scrape with their numbers. What is no number in it (NaN) is left out. */
function numbersOf(scrape: string | undefined): Map<string, number> {
  const numbers = new Map([[UP, scrape === undefined ? 0 : 1]])
  for (const [, name = '', labels = '', value] of scrape?.matchAll(SERIES) ?? []) {
    const all = ['job="plinth"', 'instance="a"', ...(labels === '' ? [] : [labels])].join()
    numbers.set(`${name}{${all}}`, Number(value))
  }
  return numbers
}

/** A number for so many minutes. One that is absent is stale at once, as when Prometheus does not find it any more. */
const during = (number: number | undefined, minutes: number): string =>
  number === undefined
    ? `stale${minutes > 1 ? ` _x${minutes - 1}` : ''}`
    : `${number.toFixed(6)}x${minutes - 1}`

/**
 * The numbers of a series in the parts of a history, which begin at these minutes. promtool begins in 1970: a point in
 * time moves with its part, as if that began now. One that stays the same stays where it was.
 */
function placed(series: string, numbers: readonly (number | undefined)[], begins: readonly number[]) {
  if (!/_timestamp_seconds\{|_start_time_seconds\{/.test(series)) return numbers
  const now = Date.now() / 1000
  const moved = new Map<number, number>()
  return numbers.map((number, nth) => {
    if (number === undefined) return undefined
    if (!moved.has(number)) moved.set(number, number - now + (begins[nth] ?? 0) * 60)
    return moved.get(number)
  })
}

/** The alerts that fire at the end of each part of a history, in the order of their names. */
export function alertsDuring(history: readonly Seen[]): string[][] {
  const begins = history.map((_, nth) => history.slice(0, nth).reduce((sum, { minutes }) => sum + minutes, 0))
  const parts = history.map(({ scrape }) => numbersOf(scrape))
  const names = [...new Set(parts.flatMap((part) => [...part.keys()]))]
  const input_series = names.map((series) => {
    const of = parts.map((part) => part.get(series))
    const values = placed(series, of, begins).map((each, nth) => during(each, history[nth]?.minutes ?? 0))
    return { series, values: values.join(' ') }
  })
  // promtool tells what it got when that is not what it was to expect.
  const exp_samples = [{ labels: '{alertname="no alert has this name"}', value: 1 }]
  const promql_expr_test = history.map(({ minutes }, nth) => ({
    expr: FIRING,
    eval_time: `${(begins[nth] ?? 0) + minutes - 1}m`,
    exp_samples,
  }))
  const { output } = runRules([{ interval: '1m', input_series, promql_expr_test }])
  const got = [...output.matchAll(/^ +got: *(.*)$/gm)].map(([, text = '']) => text)
  if (got.length !== history.length) throw new Error(output)
  return got.map((text) => [...text.matchAll(/alertname="(\w+)"/g)].map(([, name = '']) => name).sort())
}

/** The alerts that fire when a scrape stays as it is. */
export const firingOn = (scrape: string): string[] => alertsDuring([{ scrape, minutes: MINUTES }]).flat()
