// `plinth publish` with a home and a temporary folder of its own, and nothing of the machine's settings.

import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { CLI, plainNode, type CliResult } from './cli.js'
import { tempFolder } from './temp-folder.js'

process.env['GIT_CONFIG_GLOBAL'] = '/dev/null'

export const publishTemp = tempFolder('plinth-publish-temp')
export const publishHome = tempFolder('plinth-publish-home')

/** `plinth publish`, by {@link runAtHome}. */
export function runPublish(cwd: string, env: Record<string, string>, ...words: string[]): Promise<CliResult> {
  const [program, args] = plainNode(CLI, 'publish', ...words)
  return runAtHome(program, args, cwd, env)
}

/** Runs a program in the background, so that servers in this process can answer. */
export async function runAtHome(
  program: string,
  args: readonly string[],
  cwd: string,
  env: Record<string, string>,
): Promise<CliResult> {
  const child = spawn(program, args, {
    cwd,
    env: {
      PATH: process.env['PATH'],
      HOME: publishHome,
      TMPDIR: publishTemp,
      GIT_CONFIG_GLOBAL: '/dev/null',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return resultOf(child)
}

async function resultOf(child: ChildProcessByStdio<null, Readable, Readable>): Promise<CliResult> {
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (text: Buffer) => (stdout += text.toString()))
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code: code ?? 1, stdout, stderr }
}

export function moduleFolder(path = 'example.com/m', source = 'package m\n'): string {
  const folder = tempFolder('plinth-publish')
  writeFileSync(join(folder, 'go.mod'), `module ${path}\n\ngo 1.19\n`)
  writeFileSync(join(folder, 'm.go'), source)
  return folder
}

/** A module whose zip is sent in many pieces. */
export function moduleWithMegabytes(): string {
  const folder = moduleFolder()
  writeFileSync(join(folder, 'big'), Buffer.from(Array.from({ length: 3e6 }, (_, i) => (i * i * 7919) % 251)))
  return folder
}
