// Several versions of go: the installed one gets the others from where this machine gets its modules.

import { execFileSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { messageOf, visible } from '../../src/errors.js'
import './programs.js'

/** Kept between runs; one for each user of the machine. */
const CACHE = join(tmpdir(), `plinth-test-toolchains-${process.getuid?.() ?? 0}`)
const DOWNLOAD_MS = 120_000

type Toolchain = { version: string; bin: string }

/**
 * The folder of the go `version`, such as `go1.21.13`; `local` is the one on PATH. Throws when it cannot be had here.
 * go downloads it (go.dev/doc/toolchain#select).
 */
export function toolchain(version: string): Toolchain {
  const output = execFileSync('go', ['env', 'GOVERSION', 'GOROOT'], {
    encoding: 'utf8',
    timeout: DOWNLOAD_MS,
    env: { ...process.env, GOMODCACHE: CACHE, GOFLAGS: '', GOWORK: 'off', GOTOOLCHAIN: version },
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: tmpdir(),
  })
  const [found = '', root = ''] = output.trim().split('\n')
  if (version !== 'local' && found !== version) throw new Error(`go is ${found}, which gets no other version`)
  return { version: found, bin: join(root, 'bin') }
}

/** The same; where it cannot be had, `skip` makes tap skip a test and says why. */
export function anyToolchain(version: string): Toolchain & { skip: false | string } {
  try {
    return { ...toolchain(version), skip: false }
  } catch (error) {
    const skip = `NOT TESTED: ${version} cannot be had here: ${visible(messageOf(error))}`
    return { version, bin: '', skip }
  }
}
