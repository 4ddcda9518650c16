// Checks the certificate and its key before nginx is started. An error is one line that names the setting.

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Config } from '../config.js'
import { errno, messageOf, StartProblem } from '../errors.js'

/** When a certificate expires, in ms since the epoch; `undefined` for one with an end that is no date. */
export function endOfCertificate({ validTo }: X509Certificate): number | undefined {
  const end = Date.parse(validTo)
  return Number.isNaN(end) ? undefined : end
}

function readPem<T>(setting: string, path: string, what: string, parse: (pem: Buffer) => T): T {
  let pem: Buffer
  try {
    pem = readFileSync(path)
  } catch (error) {
    throw new StartProblem(`${setting}=${path} cannot be read: ${errno(error) ?? messageOf(error)}`)
  }
  try {
    return parse(pem)
  } catch {
    throw new StartProblem(`${setting}=${path} is not a ${what}`)
  }
}

/**
 * Throws a {@link StartProblem} when certificate and key are not PEM files, or not a pair. Returns a warning when the
 * certificate has expired or is not valid yet.
 */
export function checkTls({ tls }: Config, now = Date.now()): string | undefined {
  if (!tls) return undefined
  const certificate = readPem(
    'PLINTH_TLS_CERT',
    tls.cert,
    'certificate in PEM form',
    (pem) => new X509Certificate(pem),
  )
  const key = readPem('PLINTH_TLS_KEY', tls.key, 'private key in PEM form without a passphrase', (pem) =>
    createPrivateKey(pem),
  )
  if (!certificate.checkPrivateKey(key))
    throw new StartProblem(`PLINTH_TLS_KEY=${tls.key} is not the key of the certificate in PLINTH_TLS_CERT`)
  const { validFrom, validTo } = certificate
  const end = endOfCertificate(certificate)
  if (end === undefined) throw new StartProblem(`PLINTH_TLS_CERT=${tls.cert} ends at no date`)
  if (end <= now) return `the certificate in PLINTH_TLS_CERT expired on ${validTo}`
  if (Date.parse(validFrom) > now) return `the certificate in PLINTH_TLS_CERT is valid from ${validFrom} only`
  return undefined
}
