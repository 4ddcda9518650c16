// `npm start` as a process, with its output.

import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { watch } from './child.js'
import { plainNode } from './cli.js'

export const START = fileURLToPath(new URL('../../src/start.js', import.meta.url))

export type Start = ReturnType<typeof start>

/** Runs `npm start` with `env`, without npm; `program` is that of a release. */
export function start(env: Record<string, string>, as?: { uid: number; gid: number }, program = START) {
  const child = spawn(...plainNode(program), {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...as,
  })
  return {
    ...watch(child),
    pid: child.pid ?? 0,
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    stopReading: () => [child.stdout, child.stderr].forEach((stream) => stream.destroy()),
    exited: new Promise((resolve) => child.once('exit', resolve)),
  }
}

/**
 * The settings of each `npm start` in lines of the manual, as a shell hands them on. `certbot` in these lines does no
 * more than its hook, since nobody gives certificates to a test.
 */
export function settingsOfStarts(lines: string): Record<string, string>[] {
  const script = `npm() {
  test "$*" = start && env | grep ^PLINTH_ && echo
}
certbot() {
  test "$1" = certonly
  while [ $# -gt 0 ]; do
    if [ "$1" = --deploy-hook ]; then sh -euc "$2"; fi
    shift
  done
}
${lines}`
  const env = { PATH: process.env['PATH'] ?? '' }
  return execFileSync('sh', ['-euc', script], { encoding: 'utf8', env })
    .trimEnd()
    .split('\n\n')
    .map((each) => Object.fromEntries(each.split('\n').map((line) => line.split(/=(.*)/, 2))))
}

/** The pids of the children of `parent` whose command matches. */
export const childrenOf = (parent: number, command: string): number[] =>
  spawnSync('pgrep', ['-P', String(parent), '-f', command], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter((line) => line !== '')
    .map(Number)

/** The pid of a child of `parent` whose command matches; waits for one. */
export async function childOf(parent: number, command: string): Promise<number> {
  for (;;) {
    const [found] = childrenOf(parent, command)
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
