// `npm run bench`: all benchmarks, or those that are named. A table for people, JSON for programs.

import { writeFileSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { needs } from '../../test/e2e/harness.js'
import { busy } from './busy.js'
import { median, type Bench, type Row } from './row.js'
import { zip } from './zip.js'

const BENCHES: readonly Bench[] = [zip, busy]

const USAGE = `usage: npm run bench -- [NAME…] [--json FILE]

${BENCHES.map(({ name, what }) => `  ${name.padEnd(8)} ${what}`).join('\n')}

Without a name, all of them. The figures go to FILE as JSON (default build/bench.json).
`

const number = (value: number): string => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)
const spread = (rounds: readonly number[]): string =>
  rounds.length < 2 ? '' : ` (${number(Math.min(...rounds))}–${number(Math.max(...rounds))})`
const cell = (rounds: readonly number[], unit: string): string =>
  `${number(median(rounds))} ${unit}${spread(rounds)}`

function line(row: Row): string {
  const ratio = row.base ? number(median(row.ours) / median(row.base)) : ''
  const base = row.base ? `${cell(row.base, row.unit)}, ${row.baseName ?? ''}` : ''
  return `| ${row.name} | ${cell(row.ours, row.unit)} | ${base} | ${ratio} | ${row.goal ?? ''} |`
}

async function main(): Promise<number> {
  const options = {
    json: { type: 'string', default: 'build/bench.json' },
    help: { type: 'boolean', short: 'h' },
  } as const
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  const unknown = positionals.find((name) => !BENCHES.some((bench) => bench.name === name))
  if (values.help || unknown !== undefined) {
    if (unknown !== undefined) process.stderr.write(`there is no benchmark ${JSON.stringify(unknown)}\n`)
    process.stdout.write(USAGE)
    return unknown === undefined ? 0 : 2
  }
  const machine = `${availableParallelism()} × ${cpus()[0]?.model ?? 'CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB, node ${process.version}`
  process.stdout.write(
    `${machine}\n\n| what | ours: median (spread) | beside it, in the same run | ratio | goal |\n|---|---|---|---|---|\n`,
  )
  const rows: Row[] = []
  for (const bench of BENCHES.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
    const { skip } = needs(...bench.needs)
    if (skip !== undefined) {
      process.stdout.write(`| ${bench.what} | ${skip} | | | |\n`)
      continue
    }
    for (const row of await bench.run()) {
      rows.push(row)
      process.stdout.write(`${line(row)}\n`)
    }
  }
  writeFileSync(values.json, `${JSON.stringify({ machine, rows }, null, 2)}\n`)
  return 0
}

process.exit(await main())
