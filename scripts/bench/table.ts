// The rows as people read them. Pure.

import { isReached, median, ratios, type Row } from './row.js'

export const HEAD = `| what | ours: median (spread) | beside it, in the same run | ratio (spread) | goal | peak memory |
|---|---|---|---|---|---|`

const number = (value: number): string => value.toFixed(Math.abs(value) < 10 ? 2 : value < 100 ? 1 : 0)

const spread = (rounds: readonly number[]): string =>
  rounds.length < 2 ? '' : ` (${number(Math.min(...rounds))}–${number(Math.max(...rounds))})`

const cell = (rounds: readonly number[], unit: string): string =>
  `${number(median(rounds))} ${unit}${spread(rounds)}`

/** One line of the table, in Markdown. */
export function tableLine(row: Row): string {
  const compared = ratios(row)
  const ratio = compared.length > 0 ? `${number(median(compared))}${spread(compared)}` : ''
  const base = row.base ? `${cell(row.base, row.unit)}, ${row.baseName ?? ''}` : ''
  const reached = isReached(row)
  const goal = reached === undefined ? '' : `${row.goal ?? ''} ${reached ? '✓' : 'missed'}`
  const peak = row.peakMb === undefined ? '' : `${row.peakMb.toFixed(0)} MB`
  return `| ${row.name} | ${cell(row.ours, row.unit)} | ${base} | ${ratio} | ${goal} | ${peak} |`
}
