// `npm run bench`: all benchmarks, or those that are named. A table for people, JSON for programs.

import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { needs } from '../../test/support/programs.js'
import { accounts } from './accounts.js'
import { busy } from './busy.js'
import { clients } from './clients.js'
import { download } from './download.js'
import { edge } from './edge.js'
import { imports } from './import.js'
import { owner } from './owner.js'
import { publish } from './publish.js'
import { read } from './read.js'
import { recording } from './recording.js'
import type { Bench, Row, Scale } from './row.js'
import { size } from './size.js'
import { start } from './start.js'
import { HEAD, tableLine } from './table.js'
import { upload } from './upload.js'
import { versions } from './versions.js'
import { zip } from './zip.js'

const BENCHES: readonly Bench[] = [
  read,
  edge,
  download,
  upload,
  publish,
  versions,
  owner,
  recording,
  clients,
  start,
  size,
  accounts,
  zip,
  imports,
  busy,
]

const USAGE = `usage: npm run bench -- [NAME…] [--rounds N] [--quick] [--json FILE]

${BENCHES.map(({ name, what }) => `  ${name.padEnd(9)} ${what}`).join('\n')}

Without a name, all of them.

  --rounds N   how many rounds count, instead of each row's usual number
  --quick      one round of small sizes: whether each row works, no figures to believe
  --json FILE  where the figures go as JSON (default build/bench.json)
`

const OPTIONS = {
  json: { type: 'string', default: 'build/bench.json' },
  rounds: { type: 'string' },
  quick: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

class UsageError extends Error {}

function readArguments() {
  let parsed
  try {
    parsed = parseArgs({ options: OPTIONS, allowPositionals: true })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
  const { values, positionals } = parsed
  const unknown = positionals.find((name) => !BENCHES.some((bench) => bench.name === name))
  if (unknown !== undefined) throw new UsageError(`there is no benchmark ${JSON.stringify(unknown)}`)
  const { rounds, quick } = values
  if (rounds !== undefined && !/^[1-9]\d{0,3}$/.test(rounds))
    throw new UsageError(`--rounds ${JSON.stringify(rounds)}: a number from 1 to 9999`)
  const scale: Scale = {
    rounds: (usual) => (rounds !== undefined ? Number(rounds) : quick ? 1 : usual),
    size: (full, small) => (quick ? small : full),
  }
  const chosen = BENCHES.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
  return { ...values, scale, chosen }
}

// 'nginx -v' → nginx/1.22.1; nothing where the program is not there
function versionOf(program: string, argument: string, pattern: RegExp): string[] {
  try {
    const text = execFileSync('/bin/sh', ['-c', '"$0" "$1" 2>&1 || true', program, argument], {
      encoding: 'utf8',
    })
    return pattern.exec(text)?.slice(0, 1) ?? []
  } catch {
    return []
  }
}

const machine = (): string =>
  [
    `${availableParallelism()} × ${cpus()[0]?.model ?? 'CPU'}`,
    `${Math.round(totalmem() / 2 ** 30)} GiB`,
    `node ${process.version}`,
    ...versionOf('nginx', '-v', /nginx\/[\d.]+/),
    ...versionOf('go', 'version', /go\d[\w.]*/),
    ...versionOf('wrk', '-v', /wrk (?:debian\/)?[\d.]+/),
  ].join(', ')

async function main(): Promise<number> {
  const { chosen, scale, json, help } = readArguments()
  if (help) {
    process.stdout.write(USAGE)
    return 0
  }
  const on = machine()
  process.stdout.write(`${on}\n\n${HEAD}\n`)
  const rows: Row[] = []
  const missing: string[] = []
  for (const bench of chosen) {
    const { skip } = needs(...bench.needs)
    if (skip !== undefined) {
      missing.push(bench.name)
      process.stdout.write(`| ${bench.what} | ${skip} | | | | |\n`)
      continue
    }
    for await (const row of await bench.run(scale)) {
      rows.push(row)
      process.stdout.write(`${tableLine(row)}\n`)
    }
  }
  writeFileSync(json, `${JSON.stringify({ machine: on, date: new Date().toISOString(), rows }, null, 2)}\n`)
  process.stderr.write(`plinth bench: every round is in ${json}\n`)
  return missing.length > 0 ? 1 : 0
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    if (error instanceof UsageError) process.stderr.write(`plinth bench: ${error.message}\n\n${USAGE}`)
    else process.stderr.write(`plinth bench: ${error instanceof Error ? error.stack : String(error)}\n`)
    process.exit(error instanceof UsageError ? 2 : 1)
  },
)
