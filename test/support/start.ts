// `npm start` as a process, with its output.

import { spawn, spawnSync } from 'node:child_process'
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
