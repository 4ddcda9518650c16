// A machine with a systemd of its own, in a container that has a network of its own. It shares this machine's programs:
// its root is this machine's, and what it writes there is forgotten. Or it has a root of its own, which keeps all.

import { execFileSync, spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { watch } from './child.js'
import { needs } from './programs.js'

const NAME = 'plinth-test'

/** How long the machine may live: some times what its steps take, as other tests may run beside it. */
const MOST_SECONDS = 700

/** How often its output is looked at, for those who want to hear what it does. */
const LOOK_MS = 100

/** A machine that is not this one in another root. */
export type OwnMachine = {
  /** The folder of its root. All units that are enabled there are started. */
  root: string
  /** Folders of this machine that it sees, by their paths there; `:ro` behind one lets it only read. */
  folders: Record<string, string>
  /** Hears of its output while it runs. */
  onOutput?: (text: string) => void
}

const unitOf = (own: boolean): string => `[Unit]
SuccessAction=${own ? 'poweroff' : 'poweroff-force'}
FailureAction=poweroff-force
${own ? 'After=multi-user.target\n' : ''}[Service]
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
  own?: OwnMachine,
): Promise<{ started: boolean; output: string; console: string }> {
  const units = join(folder, 'units')
  const output = join(folder, 'output')
  mkdirSync(units, { recursive: true })
  mkdirSync(join(folder, 'root'), { recursive: true })
  rmSync(output, { force: true })
  writeFileSync(join(units, `${NAME}.service`), unitOf(own !== undefined))
  writeFileSync(join(folder, 'run'), script)
  const nspawn = [
    'systemd-nspawn',
    '--register=no',
    '--keep-unit',
    '--private-network',
    `--machine=${NAME}-${process.pid}`,
    `--bind=${folder}:/host`,
    `--bind-ro=${units}/${NAME}.service:/run/systemd/system/${NAME}.service`,
  ]
  // A mount of this machine's root is a folder of its own, which can have an overlay.
  const command =
    own === undefined
      ? ['unshare', '-m', 'sh', '-c', 'mount --bind / "$0" && exec "$@"', join(folder, 'root')].concat(
          nspawn,
          `--directory=${folder}/root`,
          '--volatile=overlay',
          '--boot',
          `systemd.unit=${NAME}.service`,
        )
      : nspawn.concat(
          `--directory=${own.root}`,
          Object.entries(own.folders).map(bindOf),
          '--boot',
          `systemd.wants=${NAME}.service`,
        )
  const child = spawn('timeout', ['-k', '5', String(MOST_SECONDS), ...command], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const machine = watch(child)
  const stop = own?.onOutput && follow(output, own.onOutput)
  await machine.ended
  stop?.()
  const started = existsSync(output)
  return { started, output: started ? readFileSync(output, 'utf8') : '', console: machine.output() }
}

const bindOf = ([there, here]: [there: string, here: string]): string =>
  there.endsWith(':ro') ? `--bind-ro=${here}:${there.slice(0, -':ro'.length)}` : `--bind=${here}:${there}`

/** Tells what comes to be in a file, until the returned function is called: that tells the rest. */
function follow(path: string, onOutput: (text: string) => void): () => void {
  let at = 0
  const look = (): void => {
    if (!existsSync(path)) return
    const file = openSync(path, 'r')
    const bytes = Buffer.alloc(2 ** 16)
    for (let read = 1; read > 0; at += read) {
      read = readSync(file, bytes, 0, bytes.length, at)
      if (read > 0) onOutput(bytes.toString('latin1', 0, read))
    }
    closeSync(file)
  }
  const timer = setInterval(look, LOOK_MS)
  return () => {
    clearInterval(timer)
    look()
  }
}
