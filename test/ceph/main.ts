// `npm run test:cluster`: two machines with Plinth on a real CephFS, and what can happen to them.
//
// Everything runs in namespaces of the kernel's, inside of namespaces that the suite makes for itself: when the suite
// ends, however that is, the kernel ends every process in there, and unmounts and unplugs the rest.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, chmodSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { messageOf } from '../../src/errors.js'
import { plainNode } from '../support/cli.js'
import { needs } from '../support/programs.js'
import { FAULTS } from './faults.js'
import { readOptions, UsageError } from './options.js'
import { CHECKS, runSuite } from './suite.js'

const NAMES = [...CHECKS, ...FAULTS.map(({ name }) => name)]

const USAGE = `usage: npm run test:cluster -- [--rounds N] [--publishes N] [--only NAME]… [--strict] [--ceph NAME=VALUE]… [--keep]

Starts a Ceph (a monitor, a manager, an OSD on a file of 8 GiB that is sparse, two metadata servers, a gateway for
buckets), and two machines that mount its file system with ceph-fuse and run Plinth on it. Then it checks what machines
that share a folder promise, makes faults beside clients that publish and read all the time, and measures. Needs root,
4 GB of memory and Debian's packages of Ceph, rclone, nginx and wrk, which it installs.

  --rounds N      makes each fault N times (2). For an acceptance 20, which take some three hours
  --publishes N   publishes N versions on one machine and reads them on the other (1000)
  --only NAME     this one only; can be repeated
  --strict        a time that is over its goal fails the run. Without it times are told, and busy machines pass
  --ceph N=VALUE  one more setting of Ceph, for all of its parts; can be repeated
  --keep          leaves the folder with all logs behind, and says where

${[
  ...FAULTS.map(({ name, what }) => [name, what] as const),
  ...CHECKS.map((name) => [name, 'no fault'] as const),
]
  .map(([name, what]) => `  ${name.padEnd(21)} ${what}`)
  .join('\n')}

exit code 0: every promise was kept; 1: one was broken; 2: the suite could not be run
`

/** Set for the process that runs in the suite's own namespaces: its folder. */
const FOLDER = 'CLUSTER_FOLDER'
const PROGRAMS = [
  'ceph',
  'ceph-mon',
  'ceph-mgr',
  'ceph-osd',
  'ceph-mds',
  'ceph-fuse',
  'radosgw',
  'rclone',
  'nginx',
  'wrk',
]
const TOOLS = ['unshare', 'nsenter', 'setpriv', 'mountpoint', 'ip', 'bridge']

/** Runs this program again in namespaces of its own. Resolves with its exit code when all of it has ended. */
async function runInside(keep: boolean): Promise<number> {
  const { skip } = needs(...PROGRAMS, ...TOOLS)
  if (skip !== undefined) throw new UsageError(skip)
  if (process.getuid?.() !== 0) throw new UsageError('NOT TESTED: only root can make machines and mount')
  const folder = mkdtempSync(join(tmpdir(), 'plinth-cluster-'))
  chmodSync(folder, 0o755) // nginx's workers go through it
  // The suite must not outlive this process, whose death then ends unshare, and that what it has started.
  const own = [
    '--mount',
    '--net',
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
    '--propagation',
    'private',
  ]
  const [program, args] = plainNode(fileURLToPath(import.meta.url), ...process.argv.slice(2))
  const words = ['--pdeathsig', 'KILL', 'unshare', ...own, program, ...args]
  const child = spawn('setpriv', words, { stdio: 'inherit', env: { ...process.env, [FOLDER]: folder } })
  let interrupted: NodeJS.Signals | undefined
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      interrupted = signal
      child.kill('SIGKILL')
    })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (keep) process.stdout.write(`# all logs are in ${folder}\n`)
  else rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 500 })
  return interrupted ? 128 + constants.signals[interrupted] : (code ?? 1)
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), NAMES)
  if (options.help) {
    process.stdout.write(USAGE)
    return 0
  }
  const folder = process.env[FOLDER]
  return folder === undefined ? runInside(options.keep) : runSuite(folder, options)
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(
      `plinth test:cluster: ${error instanceof UsageError ? error.message : messageOf(error)}\n`,
    )
    process.exit(2)
  },
)
