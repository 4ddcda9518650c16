// Writes a login into the file that go, curl and git read.

import {
  closeSync,
  existsSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { netrcLogin, withLogin } from './netrc.js'
import { machineOf } from './server.js'
import { netrcPath } from './settings.js'

/**
 * Writes a login for the server at `url` and returns the file's path. The file is replaced as a whole, so that nobody
 * reads a half; only its user may read it. Behind a link the file itself is replaced. Throws for a name or a token that
 * the file cannot hold.
 */
export function saveLogin(url: URL, login: string, password: string): string {
  const named = netrcPath()
  const path = existsSync(named) ? realpathSync(named) : named
  const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
  replace(path, withLogin(text, { machine: machineIn(text, url), login, password }))
  return named
}

/** The entry that is read for the server today, else a new one. go before 1.24 and curl know no port in the file. */
function machineIn(text: string, url: URL): string {
  const { host, port, isUsualPort } = machineOf(url)
  return netrcLogin(text, host, port)?.machine || (isUsualPort ? host : `${host}:${port}`)
}

function replace(path: string, text: string): void {
  const before = statSync(path, { throwIfNoEntry: false })
  const fresh = `${path}.${process.pid}.new`
  const file = openSync(fresh, 'wx', 0o600)
  try {
    fchmodSync(file, 0o600)
    if (before && process.getuid?.() === 0) fchownSync(file, before.uid, before.gid) // sudo may keep HOME
    writeSync(file, text)
    fsyncSync(file)
    renameSync(fresh, path)
  } catch (error) {
    rmSync(fresh, { force: true })
    throw error
  } finally {
    closeSync(file)
  }
}
