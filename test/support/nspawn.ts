// A machine with a systemd of its own, in a container that shares this machine's programs: its root is this machine's,
// and what it writes there is forgotten. It has a network of its own.

import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { watch } from './child.js'
import { needs } from './programs.js'

const NAME = 'plinth-test'

/** How long the machine may live: some times what its steps take, as other tests may run beside it. */
const MOST_SECONDS = 700

const UNIT = `[Unit]
SuccessAction=poweroff-force
FailureAction=poweroff-force
[Service]
Type=oneshot
ExecStart=/bin/sh -eux /host/run
WorkingDirectory=/host
StandardOutput=append:/host/output
StandardError=append:/host/output
`

/** What makes tap skip a test where no such machine can be had. */
export function needsSystemd(...programs: string[]): { skip?: string } {
  const missing = needs('systemd-nspawn', 'unshare', ...programs)
  if (missing.skip !== undefined) return missing
  if (process.getuid?.() !== 0) return { skip: 'NOT TESTED: only root can boot a systemd of its own' }
  try {
    execFileSync('unshare', ['-m', 'true'], { stdio: 'ignore' })
    return {}
  } catch {
    return {
      skip: 'NOT TESTED: this machine lets nobody mount anything, so no systemd of its own can be booted',
    }
  }
}

/**
 * Boots the machine and runs the lines of `script` in it as root, in `folder`, which is `/host` there, until one fails.
 * Resolves with what they printed, when the machine is off again. `started` says whether it came so far.
 */
export async function runOnMachine(
  folder: string,
  script: string,
): Promise<{ started: boolean; output: string; console: string }> {
  const units = join(folder, 'units')
  mkdirSync(units)
  mkdirSync(join(folder, 'root'))
  writeFileSync(join(units, `${NAME}.service`), UNIT)
  writeFileSync(join(folder, 'run'), script)
  const nspawn = [
    'systemd-nspawn',
    `--directory=${folder}/root`,
    '--volatile=overlay',
    '--register=no',
    '--keep-unit',
    '--private-network',
    `--machine=${NAME}-${process.pid}`,
    `--bind=${folder}:/host`,
    `--bind-ro=${units}/${NAME}.service:/run/systemd/system/${NAME}.service`,
    '--boot',
    `systemd.unit=${NAME}.service`,
  ].join(' ')
  const child = spawn(
    'timeout',
    [
      '-k',
      '5',
      String(MOST_SECONDS),
      'unshare',
      '-m',
      'sh',
      '-c',
      `mount --bind / '${folder}/root' && exec ${nspawn}`,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const machine = watch(child)
  await machine.ended
  const output = join(folder, 'output')
  const started = existsSync(output)
  return { started, output: started ? readFileSync(output, 'utf8') : '', console: machine.output() }
}
