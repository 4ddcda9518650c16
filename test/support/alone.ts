// A network in which this machine is alone: a namespace of the kernel's that has nothing but a loopback interface.

import { spawnSync } from 'node:child_process'
import { networkInterfaces } from 'node:os'
import { fileURLToPath } from 'node:url'
import { needs } from './programs.js'

/** Set for the process that runs there. */
const THERE = 'PLINTH_TEST_ALONE'

/**
 * Runs the test file again in such a network, and ends with its exit code. Returns in the process that runs there, and
 * on a machine that lets nobody make one: then with what is not tested, to be said.
 */
export function runAlone(url: string): string | undefined {
  if (process.env[THERE] !== undefined) {
    const others = Object.keys(networkInterfaces()).filter((name) => name !== 'lo')
    return others.length === 0
      ? undefined
      : `NOT TESTED: the absence of other hosts: there is ${others.join()}`
  }
  const { skip } = needs('unshare', 'ip')
  if (skip !== undefined) return `${skip}: the absence of other hosts`
  if (process.getuid?.() !== 0) return 'NOT TESTED: the absence of other hosts: only root can make a network'
  const inside = ['-n', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh']
  if (spawnSync('unshare', [...inside, 'true'], { stdio: 'ignore' }).status !== 0)
    return 'NOT TESTED: the absence of other hosts: this machine lets nobody make a network'
  const words = [process.execPath, ...process.execArgv, fileURLToPath(url)]
  const { status } = spawnSync('unshare', [...inside, ...words], {
    stdio: 'inherit',
    env: { ...process.env, [THERE]: '1' },
  })
  process.exit(status ?? 1)
}
