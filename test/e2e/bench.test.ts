// A quick run of the benchmark gives every figure. What it finds is not tested: a test runs beside other tests.

import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { Row } from '../../scripts/bench/row.js'
import { tableLine } from '../../scripts/bench/table.js'
import { plainNode } from '../support/cli.js'
import { needs } from '../support/programs.js'
import { tempFolder } from '../support/temp-folder.js'

const MAIN = fileURLToPath(new URL('../../scripts/bench/main.js', import.meta.url))

t.test('a quick run has a figure for each row', needs('nginx'), async (t) => {
  const json = join(tempFolder(), 'bench.json')
  const [program, args] = plainNode(
    MAIN,
    '--quick',
    '--json',
    json,
    'publish',
    'versions',
    'clients',
    'start',
    'import',
  )
  const table = execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  const { machine, rows } = JSON.parse(readFileSync(json, 'utf8')) as { machine: string; rows: Row[] }
  t.match(machine, process.version)
  t.equal(rows.length, 14)
  for (const one of rows) {
    t.ok(one.ours.length > 0 && one.ours.every((value) => value > 0), one.name)
    t.ok(table.includes(tableLine(one)), 'it is in the table')
  }
})

t.test('words that it does not know', async (t) => {
  for (const words of [['nothing'], ['--rounds', '0'], ['--nothing']]) {
    const [program, args] = plainNode(MAIN, ...words)
    t.equal(spawnSync(program, args).status, 2, words.join(' '))
  }
})
