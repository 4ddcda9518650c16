// `plinth` as a child process.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import './programs.js'

export const CLI = fileURLToPath(new URL('../../src/cli.js', import.meta.url))

/** The command line of node without the modules that tap would load into it. */
export const plainNode = (script: string, ...args: string[]): [program: string, args: string[]] => [
  'env',
  ['-u', 'NODE_OPTIONS', process.execPath, script, ...args],
]

export type CliResult = { code: number; stdout: string; stderr: string }

/** `plinth` with these words and settings. */
export function runCli(settings: Record<string, string>, words: string[]): CliResult {
  const [program, args] = plainNode(CLI, ...words)
  const ran = spawnSync(program, args, { env: { ...process.env, ...settings }, encoding: 'utf8' })
  return { code: ran.status ?? 1, stdout: ran.stdout, stderr: ran.stderr }
}
