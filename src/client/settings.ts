// The settings of the machine that publishes: environment variables, ~/.netrc, and the certificates that it trusts.

import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { environment } from '../config.js'
import type { Environment } from '../settings/setting.js'
import { errno } from '../errors.js'
import type { ClientSettings } from './server.js'

function readText(what: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(`${what}=${path} cannot be read: ${errno(error)}`, { cause: error })
  }
}

/** The file of logins: `$NETRC` as curl and go read it, else that in the home folder. */
export const netrcPath = (env = environment()): string =>
  env['NETRC'] || join(env['HOME'] || homedir(), process.platform === 'win32' ? '_netrc' : '.netrc')

// A file that $NETRC names must exist.
function netrcText(env: Environment): string {
  const path = netrcPath(env)
  if (env['NETRC']) return readText('NETRC', path)
  return existsSync(path) ? readText('.netrc', path) : ''
}

/** `PLINTH_URL` and `PLINTH_OWNER`: where a module will be published. */
export const publishingTo = (env = environment()): Pick<ClientSettings, 'url' | 'owner'> => ({
  url: env['PLINTH_URL'],
  owner: env['PLINTH_OWNER'],
})

/** `PLINTH_URL`, `PLINTH_OWNER`, `PLINTH_TOKEN` and `PLINTH_ACCOUNT`. Without a token the .netrc file is read. */
export function clientSettings(env = environment()): ClientSettings {
  return {
    ...publishingTo(env),
    token: env['PLINTH_TOKEN'],
    account: env['PLINTH_ACCOUNT'],
    netrc: env['PLINTH_TOKEN']?.trim() ? '' : netrcText(env),
  }
}

/** `PLINTH_SUMDB`: the checksum database that `plinth sumdb check` asks. */
export const checksumDatabase = (env = environment()): string | undefined => env['PLINTH_SUMDB']

/** The settings for who reads at `url`: the token is for the server of `PLINTH_URL` alone, .netrc for any. */
export function readerSettings(url: URL, env = environment()): ClientSettings {
  const { PLINTH_URL: server } = env
  const isThere = server !== undefined && URL.canParse(server) && new URL(server).origin === url.origin
  return clientSettings(isThere ? env : { ...env, PLINTH_TOKEN: undefined })
}

/** The files in which systems keep the certificates that they trust (Go's crypto/x509 root_linux.go, root_bsd.go). */
const SYSTEM_BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
]

/**
 * The PEM certificates to trust: Node's own, the system's, and those of `SSL_CERT_FILE` (as go) and
 * `NODE_EXTRA_CA_CERTS`.
 */
export function trustedCertificates(env = environment()): string[] {
  const system = SYSTEM_BUNDLES.find((path) => existsSync(path))
  const named = ['SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS'].flatMap((name) =>
    env[name] ? [readText(name, env[name])] : [],
  )
  return [...rootCertificates, ...(system === undefined ? [] : [readFileSync(system, 'utf8')]), ...named]
}
