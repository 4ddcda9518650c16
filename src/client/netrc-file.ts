// Writes a login into the file that go, curl and git read.

import { chmodSync, existsSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { withLogin } from './netrc.js'
import { netrcPath } from './settings.js'

/**
 * Writes a login for `machine` and returns the file's path. The file is replaced as a whole, so that nobody reads a
 * half; only its user may read it. Behind a link the file itself is replaced.
 */
export function saveLogin(machine: string, login: string, password: string): string {
  const named = netrcPath()
  const path = existsSync(named) ? realpathSync(named) : named
  const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const fresh = `${path}.${process.pid}.new`
  try {
    writeFileSync(fresh, withLogin(text, { machine, login, password }), { mode: 0o600, flag: 'wx' })
    chmodSync(fresh, 0o600)
    renameSync(fresh, path)
  } catch (error) {
    rmSync(fresh, { force: true })
    throw error
  }
  return named
}
