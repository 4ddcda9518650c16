import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import './programs.js'
import { tempFolder } from './temp-folder.js'

/**
 * A self-signed certificate for 127.0.0.1, and for hosts with these names: the settings that name it, and what a client
 * trusts.
 */
export function makeCertificate(
  names: string[] = [],
  days = 2,
): {
  env: Record<string, string>
  path: string
  ca: Buffer
  /** The same in PEM form, which has expired. */
  expired: () => Buffer
} {
  const folder = tempFolder('plinth-tls')
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const known = ['IP:127.0.0.1', ...['localhost', ...names].map((name) => `DNS:${name}`)]
  const subject = ['-subj', '/CN=plinth', '-addext', `subjectAltName=${known.join()}`]
  const how = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    `${days}`,
  ]
  execFileSync('openssl', [...how, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' })
  const expired = (): Buffer => {
    const [request, past] = [join(folder, 'request.pem'), join(folder, 'expired.pem')]
    const sign = ['x509', '-req', '-in', request, '-signkey', key, '-days', '-1', '-copy_extensions', 'copy']
    execFileSync('openssl', ['req', '-new', '-key', key, ...subject, '-out', request], { stdio: 'ignore' })
    execFileSync('openssl', [...sign, '-out', past], { stdio: 'ignore' })
    return readFileSync(past)
  }
  return { env: { PLINTH_TLS_CERT: cert, PLINTH_TLS_KEY: key }, path: cert, ca: readFileSync(cert), expired }
}
