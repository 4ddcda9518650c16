// A bare Debian by debootstrap, for tests of what a person does on a new machine. Its node and npm are this machine's:
// Debian 12 has an older node than Plinth needs.
//
// It takes minutes and downloads Debian: PLINTH_TEST_DEBIAN=1 asks for it. PLINTH_TEST_DEBIAN_ROOT names a folder for
// it, which is kept.

import { execFileSync, spawnSync } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { needs } from './programs.js'

const SUITE = 'bookworm'

/** What makes tap skip a test of `what` where no Debian is asked for, or none can be made. */
export function needsDebian(what: string, ...programs: string[]): { skip?: string } {
  if (process.env['PLINTH_TEST_DEBIAN'] !== '1')
    return { skip: `NOT TESTED: ${what} takes minutes; PLINTH_TEST_DEBIAN=1 builds and runs it` }
  if (process.getuid?.() !== 0) return { skip: `NOT TESTED: only root makes a Debian for ${what}` }
  return needs('debootstrap', 'systemd-nspawn', 'npm', ...programs)
}

/** The folder of a bare Debian in `work`, or in the folder that is kept; or why a test of it is skipped. */
export function bareDebian(work: string): { root: string } | { skip: string } {
  const root = process.env['PLINTH_TEST_DEBIAN_ROOT'] ?? join(work, 'debian')
  if (existsSync(join(root, 'usr/bin/node'))) return { root }
  // What was interrupted has another name.
  const part = `${root}.part`
  rmSync(part, { recursive: true, force: true })
  mkdirSync(dirname(root), { recursive: true })
  const words = ['--variant=minbase', '--include=ca-certificates,libstdc++6', SUITE, part]
  const { status, stdout, error } = spawnSync('debootstrap', words, { encoding: 'utf8', maxBuffer: 2 ** 26 })
  if (status !== 0) {
    const said = error?.message ?? stdout.trim().split('\n').slice(-3).join('; ')
    if (/^E: .*(?:getting release file|download|retrieve)/im.test(stdout))
      return { skip: `NOT TESTED: debootstrap cannot download Debian: ${said}` }
    throw new Error(`debootstrap ended with ${status}: ${said}`)
  }
  const modules = join(part, 'usr/lib/node_modules')
  mkdirSync(modules, { recursive: true })
  const npm = realpathSync(execFileSync('sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).trim())
  cpSync(join(dirname(npm), '..'), join(modules, 'npm'), { recursive: true, verbatimSymlinks: true })
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(part, 'usr/bin/npm'))
  copyFileSync(process.execPath, join(part, 'usr/bin/node'))
  renameSync(part, root)
  return { root }
}

/** Runs shell lines in a Debian that is not booted, as root, with this machine's network; returns what they print. */
export const runInDebian = (root: string, script: string, env: Record<string, string> = {}): string =>
  execFileSync(
    'systemd-nspawn',
    [
      '--quiet',
      `--directory=${root}`,
      `--machine=plinth-debian-${process.pid}`,
      '--register=no',
      '--keep-unit',
      '--pipe',
      ...Object.entries(env).map(([name, value]) => `--setenv=${name}=${value}`),
      'sh',
      '-euc',
      script,
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 2 ** 26 },
  )
